"""How far the work is: progress, a summary by template, field and reason, history, search."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy.engine import Engine, Row

from pipeline.review.current import select_current
from pipeline.review.items import in_words
from pipeline.review.wall import waiting
from pipeline.store.append import REVIEW
from pipeline.store.schema import corrections, documents, fields, pages, queue, readings

RATE_OVER: Final = timedelta(minutes=10)
FRESH_S: Final = 2.0
"""Counting 200,000 fields takes some 20 ms: once for everybody, not for each key."""
WALL_FRESH_S: Final = 10.0
"""Counting a million boxes takes a second; the page counts on by itself."""
SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work is."""

    open: int
    done: int
    per_hour: int
    """Fields that this reviewer does in an hour, by the last ten minutes."""
    minutes_left: int | None
    """At everybody's speed together; None before anybody has done anything."""

    @property
    def left(self) -> str:
        """Say how long the rest will take."""
        if self.minutes_left is None:
            return "some time"
        if self.minutes_left > 120:
            return f"{self.minutes_left / 60:,.0f} hours"
        return f"{self.minutes_left} minutes"


class Counts:
    """Counts, made now and then and not for each request."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: dict[str, tuple[float, dict[bool, int]]] = {}
        self._boxes: tuple[float, dict[str, int]] = (-WALL_FRESH_S, {})
        self._lock = threading.Lock()

    def progress(self, reviewer: str, task: str = REVIEW) -> Progress:
        """Say how far the work is, and how fast."""
        with self._lock:
            made, counts = self._kept.get(task, (-FRESH_S, {}))
            if time.monotonic() - made > FRESH_S:
                counts = self._count(task)
                self._kept[task] = time.monotonic(), counts
        mine, everybodys = self._rates(reviewer)
        left = counts.get(False, 0)
        minutes = round(60 * left / everybodys) if everybodys else None
        return Progress(left, counts.get(True, 0), mine, minutes)

    def boxes(self) -> dict[str, int]:
        """Count the boxes that wait on the wall, by what was read; not older than ten seconds."""
        with self._lock:
            made, counts = self._boxes
            if time.monotonic() - made > WALL_FRESH_S:
                counts = waiting(self._engine)
                self._boxes = time.monotonic(), counts
        return counts

    def _count(self, task: str) -> dict[bool, int]:
        query = sa.select(queue.c.done, sa.func.count()).where(queue.c.task == task)
        with self._engine.connect() as connection:
            return {bool(done): n for done, n in connection.execute(query.group_by(queue.c.done))}

    def _rates(self, reviewer: str) -> tuple[int, int]:
        """Fields an hour of one reviewer and of all, over the time that they worked at all."""
        since = datetime.now(UTC) - RATE_OVER
        query = sa.select(
            corrections.c.reviewer, sa.func.count(), sa.func.min(corrections.c.made_at)
        ).where(
            corrections.c.made_at > since.isoformat(timespec="milliseconds"),
            corrections.c.way.in_(("field", "wall")),
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.group_by(corrections.c.reviewer)).all()
        rates = {name: _per_hour(count, first) for name, count, first in rows}
        return rates.get(reviewer, 0), sum(rates.values())


def _per_hour(count: int, first: str) -> int:
    worked = datetime.now(UTC) - datetime.fromisoformat(first)
    return round(count * 3600 / max(worked.total_seconds(), 20.0))


GroupsOf = Callable[[Row[Any]], list[tuple[str, str]]]
"""Name and address of each group that a row counts in."""


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that are alike: how many there are, wait, were decided, and were changed by it."""

    name: str
    total: int
    waiting: int
    decided: int
    changed: int
    address: str = ""
    """Where those that wait are reviewed by themselves."""


def summarise(engine: Engine) -> dict[str, list[Group]]:
    """Count fields by template, by field and by reason."""
    query = (
        select_current(
            pages.c.template,
            fields.c.name,
            readings.c.reasons,
            (fields.c.correction_id.is_not(None)).label("decided"),
            (queue.c.done.is_(False)).label("waiting"),
            (corrections.c.raw != readings.c.raw).label("changed"),
            sa.func.count().label("number"),
        )
        .outerjoin(queue, (queue.c.field_id == fields.c.id) & (queue.c.task == REVIEW))
        .where(documents.c.listed)
        .group_by(sa.text("1, 2, 3, 4, 5, 6"))
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return {
        "Template": _group(rows, lambda row: [(row.template, _address(template=row.template))]),
        "Field": _group(
            rows,
            lambda row: [
                (f"{row.template} · {row.name}", _address(template=row.template, field=row.name))
            ],
        ),
        "Reason": _group(
            rows, lambda row: [(in_words(code), "") for code in row.reasons.split(";") if code]
        ),
    }


def _address(**share: str) -> str:
    return f"/fields?{urlencode(share)}"


def _group(rows: Sequence[Row[Any]], groups_of: GroupsOf) -> list[Group]:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        for group in groups_of(row):
            counter = counts.setdefault(group, Counter())
            counter["total"] += row.number
            for kind in ("waiting", "decided", "changed"):
                counter[kind] += row.number if getattr(row, kind) else 0
    return [
        Group(name, each["total"], each["waiting"], each["decided"], each["changed"], address)
        for (name, address), each in sorted(counts.items())
    ]


def search(engine: Engine, text: str) -> list[Row[Any]]:
    """Find the fields of documents whose name holds a text."""
    query = _listing().where(documents.c.name.icontains(text, autoescape=True), documents.c.listed)
    query = query.order_by(documents.c.name, pages.c.number, fields.c.place).limit(4 * SHOWN)
    with engine.connect() as connection:
        return list(connection.execute(query).all())


def history(engine: Engine, before: int | None = None) -> list[Row[Any]]:
    """Give decisions and undoings, the latest first; those before an id, if one is given."""
    query = (
        sa.select(
            corrections,
            fields.c.name.label("field"),
            fields.c.correction_id.label("in_effect"),
            pages.c.number,
            documents.c.name.label("document"),
        )
        .join(fields, fields.c.id == corrections.c.field_id)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents, documents.c.id == pages.c.document_id)
        .order_by(corrections.c.id.desc())
        .limit(SHOWN)
    )
    if before is not None:
        query = query.where(corrections.c.id < before)
    with engine.connect() as connection:
        return list(connection.execute(query).all())


def _listing() -> sa.Select[Any]:
    return select_current(
        fields.c.id,
        fields.c.name,
        pages.c.number,
        documents.c.name.label("document"),
        readings.c.raw,
        readings.c.confidence,
        readings.c.flag,
        corrections.c.raw.label("corrected"),
        corrections.c.reviewer,
    )
