"""What a run leaves on its page in Prefect: figures, failures, drift, doubtful fields, progress."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger

from flows.batch import Summary
from flows.show import printable
from pipeline.drift import FIGURES, latest_figures
from pipeline.errors import ExtractionError
from pipeline.records import PageResult

if TYPE_CHECKING:
    from pipeline.review.worst import Doubtful

FAILURES_SHOWN: Final = 20
WORST_SHOWN: Final = 8
PROGRESS_EVERY_S: Final = 3.0
_KEY: Final = "extract-{}"
_SYNTAX: Final = frozenset("\\`*_{}[]()<>#+-!|~&")


class ProgressArtifact:
    """Shows on a run's page how far it is; hears of results as a `flows.progress.Watcher`."""

    def __init__(self) -> None:
        self._artifact: UUID | None = None
        self._summary = Summary()
        self._pages = 0
        self._shown_at = 0.0

    def start(self, pages: int) -> None:
        """Show that nothing is read yet."""
        self._pages = pages
        if pages:
            self._artifact = _attempt(
                create_progress_artifact,
                progress=0.0,
                key=_KEY.format("progress"),
                description=f"0 of {pages} pages",
            )
            self._shown_at = time.monotonic()

    def add(self, results: Sequence[PageResult]) -> None:
        """Show how far the run is, some times a minute."""
        self._summary = self._summary.plus(results)
        done = self._summary.pages >= self._pages
        if self._artifact and (done or time.monotonic() - self._shown_at > PROGRESS_EVERY_S):
            one = self._summary
            _attempt(
                update_progress_artifact,
                artifact_id=self._artifact,
                progress=100.0 * min(one.pages / self._pages, 1.0),
                description=f"{one.pages} of {self._pages} pages, {one.failed} failed, "
                f"{one.review} fields to review",
            )
            self._shown_at = time.monotonic()


def publish(summary: Summary, output: Path, database: str, seconds: float) -> None:
    """Leave what became of a run, and of its folder, as artifacts; a failure costs nothing else.

    Args:
        summary: Of the run.
        output: The folder with its history and perhaps its database.
        database: Address of the database; if none, it is in the folder.
        seconds: How long reading and writing took.
    """
    if not summary.pages and not summary.duplicates:
        _leave("summary", [_leftovers(summary)], "Nothing new had arrived")
        return
    try:
        _publish(summary, output, database, seconds)
    except ExtractionError as error:
        get_run_logger().warning("what was read is written, but not on this run's page: %s", error)


def _publish(summary: Summary, output: Path, database: str, seconds: float) -> None:
    from pipeline.review.figures import summarise  # noqa: PLC0415 - loads SQLAlchemy
    from pipeline.review.worst import draw_worst  # noqa: PLC0415
    from pipeline.store.counts import count_waiting, list_failed  # noqa: PLC0415
    from pipeline.store.database import database_url, opened  # noqa: PLC0415

    with opened(database_url(output, database)) as engine:
        groups, waiting = summarise(engine), count_waiting(engine)
        failed, worst = list_failed(engine, FAILURES_SHOWN), draw_worst(engine, WORST_SHOWN)
    sections = [
        _table(
            ("form", "fields", "wait for a person", "decided", "changed by people"),
            (
                (one.name or "unknown", one.total, one.waiting, one.decided, one.changed)
                for one in groups["Template"]
            ),
        ),
        _section(
            "Why fields wait for a person",
            ("reason", "fields"),
            ((one.name, one.waiting) for one in groups["Reason"] if one.waiting),
        ),
        _section("Pages that could not be read", ("document", "page", "why"), failed),
    ]
    sections.append(_leftovers(summary))
    if waiting:
        sections.append(f"Next: `formdigits review {printable(str(output))}`")
    _leave("summary", sections, _headline(summary, waiting, seconds))
    _leave("drift", *_drift(output))
    if worst:
        _leave("worst", *_pictures(worst))


def _leftovers(summary: Summary) -> str:
    """Say of files that were not read why."""
    numbers = {
        "documents read before": summary.known,
        "of them with other templates, profile or network": summary.stale,
        "pages that are copies": summary.duplicates,
        "files still being written, left to the next run": summary.waiting,
        "files of other kinds, left alone": summary.passed_over,
        "files moved away": summary.moved,
    }
    return _table(("besides", "number"), ((name, n) for name, n in numbers.items() if n))


def _headline(summary: Summary, waiting: int, seconds: float) -> str:
    read = summary.pages - summary.failed
    share = f" ({summary.accepted / summary.fields:.0%})" if summary.fields else ""
    rate = f", {summary.pages / seconds:.1f} pages a second" if summary.pages and seconds else ""
    return (
        f"{read} pages read, {summary.failed} not. {summary.accepted} of {summary.fields} fields "
        f"accepted{share}, {summary.review} for a person; the review queue holds {waiting}. "
        f"It took {seconds:.0f} s{rate}."
    )


def _drift(output: Path) -> tuple[list[str], str]:
    """Compare the batch with those before it: a table, and one line."""
    figures = [one for one in latest_figures(output) if one.chance is not None]
    if not figures:
        return [], "Too few pages, now or before, to tell whether this batch differs"
    rows = (
        (
            one.template,
            FIGURES[one.figure],
            one.pages,
            f"{one.mean:.3g}",
            f"{one.chance:.2g}",
            _Markdown("**yes**") if one.drifted else "no",
        )
        for one in sorted(figures, key=lambda one: one.chance or 0.0)
    )
    columns = "form", "figure", "pages", "mean a page", "chance of such a difference", "differs"
    drifted = sum(one.drifted for one in figures)
    verdict = f"{drifted or 'No'} figures of this batch differ from the batches before it"
    return [_table(columns, rows)], verdict


def _pictures(worst: Sequence[Doubtful]) -> tuple[list[str], str]:
    """Show fields as they stand on the paper, and what they were read as."""
    from pipeline.review.items import in_words  # noqa: PLC0415 - loads SQLAlchemy

    rows = (
        (
            _Markdown(f"![](data:image/jpeg;base64,{b64encode(one.picture).decode()})"),
            one.raw,
            f"{one.confidence:.1%}",
            one.field,
            f"{one.document}, page {one.page}",
            " ".join(map(in_words, one.reasons.split(";"))),
        )
        for one in worst
    )
    columns = "on the paper", "read as", "sure", "field", "scan", "why a person is asked"
    return [_table(columns, rows)], f"The {len(worst)} least sure fields of the review queue"


class _Markdown(str):
    """A cell that is Markdown already."""

    __slots__ = ()


def _section(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    table = _table(columns, rows)
    return f"## {title}\n\n{table}" if table else ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table; nothing where there are no rows."""
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    head = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    return "\n".join([*head, *lines]) if lines else ""


def _cell(value: object) -> str:
    """Write a cell; names of files and fields are other people's text, never Markdown or HTML."""
    if isinstance(value, _Markdown):
        return value
    text = printable(str(value))
    return "".join(f"\\{char}" if char in _SYNTAX else char for char in text)


def _leave(name: str, sections: Iterable[str], description: str) -> None:
    text = "\n\n".join(section for section in sections if section) or description
    _attempt(create_markdown_artifact, text, key=_KEY.format(name), description=description)


def _attempt(create: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Speak to the server; where it is gone, what was read counts more than its report."""
    try:
        return create(*args, **options)
    except (httpx.HTTPError, PrefectException) as error:
        get_run_logger().warning("%s is not on this run's page: %s", options.get("key"), error)
        return None
