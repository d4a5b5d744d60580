"""How things stand with an output: for whoever looks after it, and for programs that watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from pipeline.records import Flag, Status
from pipeline.store.counts import list_failed
from pipeline.store.database import now
from pipeline.store.schema import documents, fields, pages, queue, readings, runs, spool

RUNS: Final = 5
FAILURES: Final = 20


@dataclass(frozen=True, slots=True)
class Run:
    """One run of extract."""

    state: str
    began_at: str
    ended_at: str
    """Empty where it goes on, or was ended before its time."""
    pages: int
    failed: int
    duplicates: int
    fields: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A page that could not be read."""

    document: str
    page: int
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand; documents, pages and fields are those that the exports show."""

    documents: Mapping[str, int]
    pages: Mapping[str, int]
    """By status, and `spooled`: read by a run that is not complete."""
    fields: Mapping[str, int]
    """`accepted` by the machine, `decided` by people, `review` for those that wait."""
    queue: Mapping[str, int]
    """Fields that wait, by task, and `lent`: on somebody's screen now."""
    reasons: Mapping[str, int]
    """Why fields wait, the most frequent first; a field may have several."""
    runs: tuple[Run, ...]
    """The last first."""
    failures: tuple[Failure, ...]


def summarise(engine: Engine, *, failures: int = FAILURES) -> Standing:
    """Say how things stand.

    Args:
        engine: The results database.
        failures: How many pages that failed to name at most.
    """
    with engine.connect() as connection:
        states, reasons = _fields(connection)
        return Standing(
            documents=_documents(connection),
            pages=_pages(connection),
            fields=states,
            queue=_queue(connection),
            reasons=reasons,
            runs=tuple(map(_run, connection.execute(_last_runs()))),
            failures=tuple(Failure(*row) for row in list_failed(engine, failures)),
        )


def _documents(connection: Connection) -> dict[str, int]:
    listed = documents.c.listed
    where = {"listed": (listed,), "moved": (listed, documents.c.moved), "earlier": (~listed,)}
    return {name: _count(connection, documents, *which) for name, which in where.items()}


def _pages(connection: Connection) -> dict[str, int]:
    query = (
        sa.select(pages.c.status, sa.func.count())
        .join(documents)
        .where(documents.c.listed)
        .group_by(pages.c.status)
    )
    found = {row.status: row[1] for row in connection.execute(query)}
    spooled = _count(connection, spool)
    return {status.value: found.get(status, 0) for status in Status} | {"spooled": spooled}


def _count(connection: Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(*where)
    return connection.execute(query).scalar_one()


def _fields(connection: Connection) -> tuple[dict[str, int], dict[str, int]]:
    """Count fields by state, and those that wait by reason, in one pass over the fields."""
    is_decided = fields.c.correction_id.is_not(None)
    query = (
        sa.select(readings.c.flag, is_decided, readings.c.reasons, sa.func.count())
        .select_from(fields)
        .join(readings, (readings.c.field_id == fields.c.id) & readings.c.current)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents, documents.c.id == pages.c.document_id)
        .where(documents.c.listed)
        .group_by(sa.text("1, 2, 3"))
    )
    states, why = dict.fromkeys(("accepted", "decided", "review"), 0), Counter[str]()
    for flag, decided, reasons, number in connection.execute(query):
        states["decided" if decided else flag] += number
        if flag == Flag.REVIEW and not decided:
            why.update(dict.fromkeys(reasons.split(";"), number))
    return states, dict(why.most_common())


def _queue(connection: Connection) -> dict[str, int]:
    query = (
        sa.select(queue.c.task, queue.c.leased_until > now(), sa.func.count())
        .select_from(queue)
        .join(fields, fields.c.id == queue.c.field_id)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents, documents.c.id == pages.c.document_id)
        .where(~queue.c.done, documents.c.listed)
        .group_by(sa.text("1, 2"))
    )
    found = Counter({"review": 0, "lent": 0})
    for task, lent, number in connection.execute(query):
        found[task] += number
        found["lent"] += number if lent else 0
    return dict(found)


def _last_runs() -> sa.Select[Any]:
    return sa.select(runs).order_by(runs.c.id.desc()).limit(RUNS)


def _run(row: Row[Any]) -> Run:
    numbers = (row.pages, row.failed, row.duplicates, row.fields, row.accepted)
    return Run(row.state, row.began_at, row.ended_at or "", *numbers)
