"""One run over an inbox, from finding what is new to moving it away; any moment may be its last."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from typing import Final, TypeVar

from flows.batch import Equipment, Job, Summary, equip
from flows.looking import distrust_young, look_at
from flows.moving import move_away
from flows.order import Order, Reread, list_inbox, refuse, root_of
from flows.progress import tell
from flows.settling import settle
from flows.sifting import sift
from pipeline.errors import InputFileError
from pipeline.export import export, is_exported
from pipeline.lock import locked
from pipeline.moving import adopt
from pipeline.records import PageResult
from pipeline.store import runs, spool
from pipeline.store.alone import Seat, alone
from pipeline.store.database import (
    BusyError,
    Database,
    database_url,
    explained,
    opened,
)
from pipeline.store.known import known_by_source
from pipeline.store.load import load_results
from pipeline.store.origin import Filed
from pipeline.store.save import Filing, save_templates
from pipeline.template_checks import clock_day

COMMIT_S: Final = 1.0
"""A run that is killed loses what it read in so many seconds."""
COMMIT_PAGES: Final = 100
RETRY_S: Final = (1, 2, 4, 8, 15, 30, 30, 30)
"""Pauses while a database does not answer that did before: two minutes in all."""
MANY: Final = 20_000
"""Files; looking at them takes some seconds."""
Tell = Callable[[str], None]
T = TypeVar("T")


@contextmanager
def begun(order: Order, told: Tell = tell) -> Iterator[Round]:
    """Begin a run, or go on with one that was killed.

    Args:
        order: What to do.
        told: Is told what a person should know while it goes on.

    Yields:
        The run; nobody else works on its database, nor moves files of its inbox, meanwhile.

    Raises:
        ExtractionError: If nothing can be read, or not written.
    """
    refuse(order)
    url = database_url(order.output, order.database)
    with opened(url, create=True) as engine, ExitStack() as stack:
        seat = stack.enter_context(alone(engine, told))
        if order.handling.move:
            for folder in sorted({root_of(source).resolve() for source in order.inputs}):
                stack.enter_context(locked(folder / ".formdigits.lock", told))
                adopt(folder, told)
        yield Round(order, engine, seat, told)


class Round:
    """A run that is going on: what there is to read, and where results go.

    Attributes:
        engine: The results.
    """

    def __init__(self, order: Order, engine: Database, seat: Seat, told: Tell) -> None:
        self.engine = engine
        self._order, self._seat, self._tell = order, seat, told
        self._equipment = self._equip()
        self._summary = self._end_before()
        inbox = list_inbox(order)
        if len(inbox.documents) > MANY:
            told(f"looking at {len(inbox.documents)} files before the first is read")
        began = time.time()
        found, waiting = look_at(engine, inbox.documents, order.handling.settle_s)
        editions = self._equipment.origin.editions()
        self._made_with = editions.made_with(str(self.today))
        self._run = spool.begin(engine, self._made_with, str(self.today))
        kept = spool.kept_pages(engine)
        self._sifted = sift(engine, found, editions, kept, order.handling.reread)
        self._sifted.pages = distrust_young(self._sifted.pages, began)
        self._summary = replace(
            self._summary,
            known=self._sifted.known,
            stale=0 if order.handling.reread is not Reread.NEW else self._sifted.stale,
            waiting=inbox.unfinished + waiting + self._sifted.waiting,
            passed_over=inbox.passed_over,
        )
        self._here = {one.document.name: one for one in self._sifted.arrivals}
        paths = {name: one.document.path for name, one in self._here.items()}
        origin = replace(self._equipment.origin, paths=paths)
        self._filing = Filing(origin, save_templates(engine, origin.templates))
        self._open = Counter(ref.document.name for ref in self._sifted.pages)
        self._buffer: list[PageResult] = []
        self._committed_at = time.monotonic()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What is to be read, in batches."""
        return self._equipment.jobs(self._sifted.pages)

    @property
    def pages(self) -> int:
        """How many pages are to be read."""
        return len(self._sifted.pages)

    @property
    def today(self) -> date:
        """What `today` in a template means."""
        return self._equipment.rules.today or clock_day()

    def _equip(self) -> Equipment:
        """Load what pages are read with; for a run that was killed, of the day when it began."""
        rules = self._order.rules
        if rules.today is None and (day := runs.day_of_unfinished(self.engine)):
            rules = replace(rules, today=date.fromisoformat(day))
        return equip(self._order.templates, rules)

    def _end_before(self) -> Summary:
        """End a run that was killed after it had read everything."""
        run = runs.unfinished(self.engine)
        return self._settle(run) if run and run.state != runs.State.READING else Summary()

    def keep(self, results: Sequence[PageResult]) -> None:
        """Keep what was read; from the next second on, no death of this process loses it.

        Raises:
            InputFileError: If the inbox is gone.
            OutputError: If the database fails, and not just for two minutes.
        """
        if any(not one.identity.sha256 for one in results):
            self._refuse_missing_inbox()
        self._buffer += [one for one in results if one.identity.sha256 or self._failed(one)]
        is_time = time.monotonic() - self._committed_at > COMMIT_S
        if is_time or len(self._buffer) >= COMMIT_PAGES:
            self.commit()

    def _refuse_missing_inbox(self) -> None:
        for source in self._order.inputs:
            if not source.exists() or (source.is_dir() and not any(source.iterdir())):
                raise InputFileError(
                    f"{source} is gone: is its drive still there? What was read is kept; run the "
                    "same command again"
                )

    def _failed(self, unread: PageResult) -> bool:
        """Tell whether a file that could not be read is still there, and was never read before."""
        arrival = self._here[unread.identity.document]
        known = self._patiently(lambda: known_by_source(self.engine, [arrival.source]))
        return arrival.document.path.exists() and not known

    def commit(self) -> None:
        """Keep at once what was handed over so far."""
        filed = [self._file(one) for one in self._buffer]
        self._patiently(lambda: spool.keep(self.engine, filed, self._made_with))
        self._open.subtract(one.identity.document for one in self._buffer)
        self._buffer.clear()
        self._committed_at = time.monotonic()

    def _file(self, result: PageResult) -> Filed:
        arrival = self._here[result.identity.document]
        return self._filing.of_page(result, arrival.source, arrival.mark.pages)

    def _patiently(self, action: Callable[[], T]) -> T:
        """Do something with the database, again and again where it does not answer."""
        for pause in RETRY_S:
            try:
                return self._once(action)
            except BusyError as error:
                self._tell(f"{error}; trying again in {pause} s")
                time.sleep(pause)
        return self._once(action)

    def _once(self, action: Callable[[], T]) -> T:
        with explained(self.engine.url):
            self._seat.check()
            return action()

    def finish(self) -> Summary:
        """File what was read, write the CSVs, and move the files away.

        Raises:
            ExtractionError: If something cannot be written; the same command goes on from there.
        """
        self._buffer += self._sifted.copies
        self._sifted.copies.clear()
        self.commit()
        if self._patiently(lambda: spool.seal(self.engine, self._run)):
            self._summary = _add(self._summary, self._settle(self._run))
        else:
            runs.drop_empty(self.engine, self._run)
        if not is_exported(self._order.output):
            export(load_results(self.engine), self._order.output)
        unread = sum(1 for left in self._open.values() if left > 0)
        moved = self._move() if self._order.handling.move else 0
        return replace(self._summary, waiting=self._summary.waiting + unread, moved=moved)

    def _settle(self, run: runs.Run) -> Summary:
        origin, share = self._equipment.origin, self._equipment.rules.audit_share
        return self._patiently(lambda: settle(self.engine, run, origin, self._order.output, share))

    def _move(self) -> int:
        inputs = self._order.inputs
        return move_away(self.engine, self._sifted.arrivals, inputs, self._tell)


def _add(one: Summary, other: Summary) -> Summary:
    counts = {name: getattr(one, name) + getattr(other, name) for name in runs.COUNTED}
    return replace(one, **counts)
