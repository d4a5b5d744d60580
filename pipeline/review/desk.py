"""Handing out fields to reviewers: each to one at a time, and back when it is not decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.store.append import REVIEW
from pipeline.store.database import now, writing
from pipeline.store.schema import (
    corrections,
    documents,
    doubts,
    fields,
    keyings,
    pages,
    queue,
)

LEASE_S: Final = 120
"""How long an item stays with a reviewer from whom nothing is heard; his page says every 20 s
that he is there."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Who works where: a name, and the page of a browser that holds the leases."""

    reviewer: str
    holder: str


@dataclass(frozen=True, slots=True)
class Share:
    """Which fields of the queue somebody wants: those of a template, or of one of its fields."""

    template: str = ""
    field: str = ""

    def holds(self) -> list[sa.ColumnElement[bool]]:
        """Give what must be true of its fields; nothing for all."""
        wanted = ((pages.c.template, self.template), (fields.c.name, self.field))
        return [column == name for column, name in wanted if name]


ALL: Final = Share()


def until() -> str:
    """Give the time when a lease that is taken now ends."""
    end = datetime.now(UTC) + timedelta(seconds=LEASE_S)
    return end.isoformat(timespec="milliseconds")


def take(  # noqa: PLR0913 - what a queue is asked
    engine: Engine,
    seat: Seat,
    count: int,
    *,
    task: str = REVIEW,
    have: Sequence[int] = (),
    share: Share = ALL,
) -> list[int]:
    """Lease the fields that come next.

    Args:
        engine: The results database.
        seat: Who takes them.
        count: How many at most.
        task: Which work.
        have: Fields that he has on his page already.
        share: Of which part of the queue.

    Returns:
        Their ids, the least sure first; those that were skipped come last.
    """
    with writing(engine) as connection:
        found = list(connection.execute(_next(task, seat, have, count, share)).scalars())
        _lease(connection, seat, found, task)
    return found


def _next(task: str, seat: Seat, have: Sequence[int], count: int, share: Share) -> sa.Select[Any]:
    is_free = queue.c.leased_until.is_(None) | (queue.c.leased_until < now())
    own = worked_on(queue.c.field_id, seat.reviewer) if task != REVIEW else sa.false()
    return (
        sa.select(queue.c.field_id)
        .join(fields, fields.c.id == queue.c.field_id)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents, documents.c.id == pages.c.document_id)
        .where(
            queue.c.task == task,
            ~queue.c.done,
            is_free | (queue.c.leased_to == seat.holder),
            queue.c.field_id.not_in(have),
            documents.c.listed,
            ~own,
            *share.holds(),
        )
        .order_by(queue.c.skips, queue.c.rank, queue.c.field_id)
        .limit(count)
        .with_for_update(skip_locked=True, of=queue)
    )


def worked_on(field_id: sa.Column[int], reviewer: str) -> sa.ColumnElement[bool]:
    """Tell which fields a reviewer has decided or keyed: those he is not to key again."""
    own = [table.alias() for table in (corrections, keyings)]  # apart from those of the query
    return sa.or_(
        *(
            sa.exists().where(each.c.field_id == field_id, each.c.reviewer == reviewer)
            for each in own
        )
    )


def _lease(connection: Connection, seat: Seat, field_ids: Sequence[int], task: str) -> None:
    change = queue.update().where(queue.c.task == task, queue.c.field_id.in_(field_ids))
    connection.execute(change.values(leased_to=seat.holder, leased_until=until()))


def take_one(engine: Engine, seat: Seat, field_id: int, *, task: str = REVIEW) -> None:
    """Lease a field that a reviewer asked for, unless another has it; he may look all the same."""
    is_free = queue.c.leased_until.is_(None) | (queue.c.leased_until < now())
    with writing(engine) as connection:
        connection.execute(
            queue.update()
            .where(queue.c.task == task, queue.c.field_id == field_id, is_free)
            .values(leased_to=seat.holder, leased_until=until())
        )


def skip(engine: Engine, seat: Seat, field_id: int) -> None:
    """Put a field behind all that were skipped less often, for anybody to take."""
    with writing(engine) as connection:
        connection.execute(
            queue.update()
            .where(queue.c.field_id == field_id, queue.c.leased_to == seat.holder)
            .values(skips=queue.c.skips + 1, leased_to=None, leased_until=None)
        )


def stay(engine: Engine, seat: Seat) -> None:
    """Keep the leases of somebody who is still there."""
    with writing(engine) as connection:
        for table in (queue, doubts):
            mine = table.update().where(table.c.leased_to == seat.holder)
            connection.execute(mine.values(leased_until=until()))


def leave(engine: Engine, seat: Seat) -> None:
    """Give back all that a page holds."""
    with writing(engine) as connection:
        for table in (queue, doubts):
            mine = table.update().where(table.c.leased_to == seat.holder)
            connection.execute(mine.values(leased_to=None, leased_until=None))
