"""The second key: decided fields are keyed again, blind, by somebody else.

Where two disagree, a third decides. Fields on which two agreed before are mixed in among them, and
tell how often a reviewer errs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from pipeline.records import Source
from pipeline.review import desk
from pipeline.review.decisions import (
    ConflictError,
    Decision,
    append,
    check,
    find_correction,
    lock_field,
    stored_field,
)
from pipeline.review.desk import Seat
from pipeline.review.items import Item, ItemBox
from pipeline.store.database import now, writing
from pipeline.store.schema import corrections, fields, keyings, queue

SECOND: Final = "second"
THIRD: Final = "third"
KNOWN_SHARE: Final = 0.08
"""How often a field whose text is known is mixed in."""


@dataclass(frozen=True, slots=True)
class Keying:
    """What somebody keyed without seeing what others read."""

    field_id: int
    raw: str
    seat: Seat
    token: str


@dataclass(frozen=True, slots=True)
class Errors:
    """How a reviewer did on known fields."""

    reviewer: str
    keyed: int
    wrong: int


def choose(engine: Engine, share: float) -> int:
    """Queue a share of the fields that one person decided; the same ones each time.

    Returns:
        How many were added.
    """
    queued = sa.select(queue.c.field_id).where(queue.c.task == SECOND)
    query = (
        sa.select(fields.c.id)
        .join(corrections, corrections.c.id == fields.c.correction_id)
        .where(corrections.c.source == str(Source.REVIEWED), fields.c.id.not_in(queued))
    )
    with writing(engine) as connection:
        ranks = {key: crc32(b"%d" % key) / 2**32 for key in connection.execute(query).scalars()}
        rows = [_row(key, SECOND, rank) for key, rank in ranks.items() if rank < share]
        if rows:
            connection.execute(queue.insert(), rows)
    return len(rows)


def _row(field_id: int, task: str, rank: float) -> dict[str, Any]:
    return {"field_id": field_id, "task": task, "done": False, "skips": 0, "rank": rank}


def take(engine: Engine, seat: Seat, count: int, have: Sequence[int]) -> list[int]:
    """Lease fields that this reviewer has not seen: disagreements first, known ones among them."""
    found = desk.take(engine, seat, count, task=THIRD, have=have)
    rest = count - len(found)
    if rest:
        found += desk.take(engine, seat, rest, task=SECOND, have=[*have, *found])
    if found and random.random() < KNOWN_SHARE * len(found):
        found[random.randrange(len(found)) : 0] = _known(engine, seat, [*have, *found])
    return found


def _known(engine: Engine, seat: Seat, have: Sequence[int]) -> list[int]:
    query = (
        sa.select(fields.c.id)
        .join(corrections, corrections.c.id == fields.c.correction_id)
        .where(
            corrections.c.source == str(Source.SECOND_KEY),
            fields.c.id.not_in(have),
            ~desk.worked_on(fields.c.id, seat.reviewer),
        )
        .order_by(sa.func.random())
        .limit(1)
    )
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def blind(item: Item, engine: Engine) -> Item:
    """Show a field without what was read; to the third, with what the two others keyed."""
    reasons: tuple[str, ...] = ("Type what stands in the boxes.",)
    with engine.connect() as connection:
        if _open_task(connection, item.field_id) == THIRD:
            keyed = connection.execute(
                sa.select(keyings.c.reviewer, keyings.c.raw)
                .where(keyings.c.field_id == item.field_id, keyings.c.expected.is_(None))
                .order_by(keyings.c.id.desc())
            ).first()
            second = f"; {keyed.reviewer} says {keyed.raw}" if keyed else ""
            reasons = (f"{item.decided_by} says {item.raw}{second}. You decide.",)
    boxes = tuple(ItemBox(each.box, " ", "", 1.0) for each in item.boxes)
    return replace(item, boxes=boxes, raw="", machine="", decided_by="", reasons=reasons)


def key(engine: Engine, keying: Keying) -> None:
    """Write down what was keyed, and what follows: agreement, a third's turn, or his word.

    Raises:
        UnfitError: If it does not fit the field's boxes.
        ConflictError: If the field is no longer to be keyed.
    """
    with writing(engine) as connection:
        known = sa.select(keyings.c.id).where(keyings.c.token == keying.token)
        field = lock_field(connection, keying.field_id)
        if connection.execute(known).scalar() is not None:
            return
        standing = find_correction(connection, field.correction_id if field else None)
        if standing is None:
            raise ConflictError(None)
        check(keying.raw, stored_field(connection, field), sure=True)
        task = _open_task(connection, keying.field_id)
        is_known = task is None and standing.source == Source.SECOND_KEY
        if task is None and not is_known:
            raise ConflictError(standing)
        _note(connection, keying, standing.raw if is_known else None)
        if task == THIRD:
            _settle(connection, keying, standing, keying.seat.reviewer, "third key")
        elif task == SECOND and keying.raw == standing.raw:
            both = f"{standing.reviewer} and {keying.seat.reviewer}"
            _settle(connection, keying, standing, both, "second key")
        elif task == SECOND:
            of_second = (queue.c.field_id == keying.field_id) & (queue.c.task == SECOND)
            connection.execute(queue.update().where(of_second).values(done=True))
            connection.execute(queue.insert(), _row(keying.field_id, THIRD, 0.0))


def _open_task(connection: Connection, field_id: int) -> str | None:
    query = sa.select(queue.c.task).where(
        queue.c.field_id == field_id, queue.c.task.in_((SECOND, THIRD)), ~queue.c.done
    )
    found: str | None = connection.execute(query).scalar()
    return found


def _note(connection: Connection, keying: Keying, expected: str | None) -> None:
    row = {
        "field_id": keying.field_id,
        "reviewer": keying.seat.reviewer,
        "raw": keying.raw,
        "expected": expected,
        "made_at": now(),
        "token": keying.token,
    }
    connection.execute(keyings.insert(), row)


def _settle(
    connection: Connection, keying: Keying, standing: Row[Any], reviewer: str, way: str
) -> None:
    decision = Decision(
        field_id=keying.field_id,
        raw=keying.raw,
        seen=standing.id,
        reviewer=reviewer,
        token=keying.token,
        way=way,
        source=Source.SECOND_KEY,
        sure=True,
    )
    append(connection, decision)


def errors(engine: Engine) -> list[Errors]:
    """Tell how often each reviewer keyed a known field wrong."""
    wrong = sa.func.sum(sa.case((keyings.c.raw != keyings.c.expected, 1), else_=0))
    query = (
        sa.select(keyings.c.reviewer, sa.func.count().label("keyed"), wrong.label("wrong"))
        .where(keyings.c.expected.is_not(None))
        .group_by(keyings.c.reviewer)
        .order_by(keyings.c.reviewer)
    )
    with engine.connect() as connection:
        rows = connection.execute(query)
        return [Errors(row.reviewer, row.keyed, row.wrong) for row in rows]
