"""What a run shows while it goes on, on stderr."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from flows.batch import Summary
from pipeline.records import PageResult


class Watcher(Protocol):
    """Is told of results as they come."""

    def start(self, pages: int) -> None:
        """Hear how many pages there are."""

    def add(self, results: Sequence[PageResult]) -> None:
        """Hear of pages that were read."""


class Silent:
    """Shows nothing."""

    def start(self, pages: int) -> None:
        """Show nothing."""

    def add(self, results: Sequence[PageResult]) -> None:
        """Show nothing."""


class Bar:
    """A bar with pages, pages per second, fields accepted and to review."""

    def __init__(self, console: Console) -> None:
        # Drawn when a batch arrives and not by a thread: while a page is decoded, stderr is
        # listened to for the decoder's complaints.
        self.progress = Progress(
            TextColumn("reading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("pages  {task.fields[rate]}"),
            TextColumn("[green]{task.fields[accepted]} accepted"),
            TextColumn("[yellow]{task.fields[review]} to review"),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self.progress.add_task("", total=None, accepted=0, review=0, rate="")
        self._summary = Summary()

    def start(self, pages: int) -> None:
        """Draw the empty bar."""
        self.progress.reset(self._task, total=pages, rate="", accepted=0, review=0)
        self.progress.refresh()

    def add(self, results: Sequence[PageResult]) -> None:
        """Draw the bar further on."""
        self._summary = self._summary.plus(results)
        elapsed = self.progress.tasks[0].elapsed or 0
        self.progress.update(
            self._task,
            completed=self._summary.pages,
            accepted=self._summary.accepted,
            review=self._summary.review,
            rate=f"{self._summary.pages / elapsed:.1f} a second" if elapsed else "",
        )
        self.progress.refresh()


_watcher: ContextVar[Watcher] = ContextVar("watcher")


def watcher() -> Watcher:
    """Give who is to be told of results here; a flow takes no objects as parameters."""
    return _watcher.get(Silent())


_console: ContextVar[Console] = ContextVar("console")


def tell(text: str) -> None:
    """Say something that a person should know at once, where one may be looking."""
    if console := _console.get(None):
        console.print(Text(text, "yellow"), soft_wrap=True)


@contextmanager
def shown(console: Console) -> Iterator[None]:
    """Show a bar for what is read inside the `with`, where a person may be looking."""
    said = _console.set(console)
    try:
        with _bar(console):
            yield
    finally:
        _console.reset(said)


@contextmanager
def _bar(console: Console) -> Iterator[None]:
    if not console.is_terminal:
        yield
        return
    bar = Bar(console)
    token = _watcher.set(bar)
    try:
        with bar.progress:
            yield
    finally:
        _watcher.reset(token)
