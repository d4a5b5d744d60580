"""The digit wall: boxes read as the same digit, a screenful at once; the odd ones are marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.records import GreyImage
from pipeline.review.decisions import (
    ConflictError,
    Decision,
    UnfitError,
    append,
    lock_field,
    withdraw,
)
from pipeline.review.desk import Seat, until
from pipeline.review.pictures import unpack
from pipeline.store.append import REVIEW
from pipeline.store.database import now, writing
from pipeline.store.schema import (
    boxes,
    corrections,
    documents,
    doubts,
    fields,
    pages,
    queue,
    readings,
)

SCREENFUL: Final = 84
WAY: Final = "wall"


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One box on the wall."""

    field_id: int
    position: int
    confidence: float
    image: GreyImage


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer says about one box."""

    field_id: int
    position: int
    odd: bool


def waiting(engine: Engine) -> dict[str, int]:
    """Count the boxes that wait, by what was read."""
    query = (
        sa.select(doubts.c.reading, sa.func.count())
        .join(queue, (queue.c.field_id == doubts.c.field_id) & (queue.c.task == REVIEW))
        .where(doubts.c.verdict.is_(None), ~queue.c.done)
        .group_by(doubts.c.reading)
        .order_by(doubts.c.reading)
    )
    with engine.connect() as connection:
        return {reading: count for reading, count in connection.execute(query)}  # noqa: C416


def take_tiles(engine: Engine, seat: Seat, reading: str, count: int = SCREENFUL) -> list[Tile]:
    """Lease the boxes read as one digit that come next, the least sure first."""
    is_free = doubts.c.leased_until.is_(None) | (doubts.c.leased_until < now())
    query = (
        sa.select(doubts.c.field_id, doubts.c.position)
        .join(queue, (queue.c.field_id == doubts.c.field_id) & (queue.c.task == REVIEW))
        .join(fields, fields.c.id == doubts.c.field_id)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents, documents.c.id == pages.c.document_id)
        .where(
            doubts.c.reading == reading,
            doubts.c.verdict.is_(None),
            is_free | (doubts.c.leased_to == seat.holder),
            ~queue.c.done,
            documents.c.listed,
        )
        .order_by(doubts.c.confidence, doubts.c.field_id)
        .limit(count)
        .with_for_update(skip_locked=True, of=doubts)
    )
    with writing(engine) as connection:
        keys = [(row.field_id, row.position) for row in connection.execute(query)]
        change = doubts.update().where(_is_among(keys))
        connection.execute(change.values(leased_to=seat.holder, leased_until=until()))
        return _load(connection, keys)


def _is_among(keys: Sequence[tuple[int, int]]) -> sa.ColumnElement[bool]:
    return sa.tuple_(doubts.c.field_id, doubts.c.position).in_(keys)


def _load(connection: Connection, keys: Sequence[tuple[int, int]]) -> list[Tile]:
    query = (
        sa.select(
            fields.c.id, fields.c.page_id, boxes.c.position, boxes.c.place, boxes.c.confidence
        )
        .join(readings, (readings.c.field_id == fields.c.id) & readings.c.current)
        .join(boxes, boxes.c.reading_id == readings.c.id)
        .where(sa.tuple_(fields.c.id, boxes.c.position).in_(keys))
    )
    rows = connection.execute(query).all()
    wanted = {row.page_id for row in rows}
    packed = connection.execute(sa.select(pages.c.id, pages.c.seen).where(pages.c.id.in_(wanted)))
    images = {row.id: unpack(row.seen) for row in packed}
    tiles = {
        (row.id, row.position): Tile(
            row.id, row.position, row.confidence, images[row.page_id][row.place]
        )
        for row in rows
    }
    return [tiles[key] for key in keys if key in tiles]


def send(engine: Engine, seat: Seat, verdicts: Sequence[Verdict], token: str) -> list[int]:
    """Write down a screenful: boxes that are right confirm their fields, odd ones do not.

    A field is decided when none of its doubts is left and none was odd; one with an odd box stays
    for the reviewer who goes field by field. Fields that were decided meanwhile are left alone.

    Returns:
        The ids of the corrections that it made.
    """
    with writing(engine) as connection:
        made = []
        for field_id in sorted({verdict.field_id for verdict in verdicts}):
            of_field = [verdict for verdict in verdicts if verdict.field_id == field_id]
            key = _judge(connection, seat, field_id, of_field, token)
            made += [] if key is None else [key]
    return made


def _judge(
    connection: Connection, seat: Seat, field_id: int, verdicts: Sequence[Verdict], token: str
) -> int | None:
    field = lock_field(connection, field_id)
    if field is None or field.correction_id is not None:
        return _sent_before(connection, field_id, token)
    for verdict in verdicts:
        connection.execute(
            doubts.update()
            .where(doubts.c.field_id == field_id, doubts.c.position == verdict.position)
            .values(
                verdict="odd" if verdict.odd else "right",
                reviewer=seat.reviewer,
                made_at=now(),
                leased_to=None,
                leased_until=None,
            )
        )
    judged = connection.execute(
        sa.select(doubts.c.verdict).where(doubts.c.field_id == field_id)
    ).scalars()
    if any(verdict != "right" for verdict in judged):
        return None
    decision = Decision(field_id, field.raw, None, seat.reviewer, f"{token}:{field_id}", WAY)
    return append(connection, decision)


def _sent_before(connection: Connection, field_id: int, token: str) -> int | None:
    query = sa.select(corrections.c.id).where(corrections.c.token == f"{token}:{field_id}")
    found: int | None = connection.execute(query).scalar()
    return found


def take_back(
    engine: Engine, seat: Seat, verdicts: Sequence[Verdict], made: Sequence[int], token: str
) -> None:
    """Undo a screenful: its corrections, unless decided otherwise since, and its verdicts."""
    with writing(engine) as connection:
        for key in made:
            try:
                withdraw(connection, key, seat.reviewer, f"{token}:{key}")
            except (ConflictError, UnfitError):
                continue
        keys = [(verdict.field_id, verdict.position) for verdict in verdicts]
        change = doubts.update().where(_is_among(keys), doubts.c.reviewer == seat.reviewer)
        connection.execute(change.values(verdict=None, reviewer=None, made_at=None))
