"""What people decide about fields: appended, checked against what they saw, and reversible."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from pipeline.decode.meaning import failed_checks, to_value
from pipeline.records import Source
from pipeline.store.database import now, writing
from pipeline.store.forms import StoredField
from pipeline.store.load import load_form
from pipeline.store.schema import corrections, doubts, fields, pages, queue, readings

_RAW: Final = re.compile(r"[0-9_X#]*")


class UnfitError(Exception):
    """What was typed cannot stand in the field; the message says why, for the reviewer."""


class UnlikelyError(Exception):
    """What was typed breaks a check; it is taken if the reviewer says that he is sure."""


class ConflictError(Exception):
    """Somebody decided the field since this reviewer was shown it."""

    def __init__(self, current: Row[Any] | None) -> None:
        super().__init__("decided meanwhile")
        self.current = current


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer says stands in a field."""

    field_id: int
    raw: str
    seen: int | None
    """The correction in effect that he was shown, if any."""
    reviewer: str
    token: str
    """The same when the same decision is sent again."""
    way: str = "field"
    source: Source = Source.REVIEWED
    sure: bool = False


def decide(engine: Engine, decision: Decision) -> int:
    """Write down a decision; sent twice, it is written once.

    Returns:
        The id of the correction.

    Raises:
        UnfitError: If the text does not fit the field's boxes.
        UnlikelyError: If it breaks a check, and he did not say that he is sure.
        ConflictError: If the field was decided since he saw it.
    """
    with writing(engine) as connection:
        return append(connection, decision)


def append(connection: Connection, decision: Decision) -> int:
    """Do what `decide` does, in a transaction that others are part of."""
    field = lock_field(connection, decision.field_id)
    known = sa.select(corrections.c.id).where(corrections.c.token == decision.token)
    if (found := connection.execute(known).scalar()) is not None:
        return int(found)
    if field is None:
        raise UnfitError("this field is no longer there; the page was read again")
    if field.correction_id != decision.seen:
        raise ConflictError(find_correction(connection, field.correction_id))
    value = check(decision.raw, stored_field(connection, field), sure=decision.sure)
    standing = find_correction(connection, field.correction_id)
    row = {
        "field_id": field.id,
        "before_raw": standing.raw if standing else field.raw,
        "before_id": field.correction_id,
        "restores_id": None,
        "raw": decision.raw,
        "value": value,
        "source": str(decision.source),
        "way": decision.way,
        "reviewer": decision.reviewer,
        "made_at": now(),
        "token": decision.token,
    }
    key = connection.execute(corrections.insert().returning(corrections.c.id), row).scalar_one()
    _put_in_effect(connection, field.id, key)
    return int(key)


def check(raw: str, field: StoredField, *, sure: bool) -> str:
    """Give the value of a text for a field, or say what is wrong with it.

    Raises:
        UnfitError: If it does not fit the boxes.
        UnlikelyError: If it breaks a check, and nobody said that he is sure.
    """
    count = len(field.boxes)
    if not _RAW.fullmatch(raw):
        raise UnfitError("a box holds a digit, or is blank (_), struck out (X) or illegible (#)")
    if len(raw) != count:
        raise UnfitError(f"the field has {count} boxes, this fills {len(raw)}")
    spec = field.as_spec()
    if not sure and (broken := failed_checks(raw, spec)):
        raise UnlikelyError(_in_words(raw, broken, field))
    return to_value(raw, spec)


def _in_words(raw: str, broken: Sequence[str], field: StoredField) -> str:
    if "date" in broken:
        return f"{raw} is no day of the calendar as {field.date_format}"
    return f"{raw} does not pass this field's check {' and '.join(broken)}"


def lock_field(connection: Connection, field_id: int) -> Any:
    """Give a field's row with the machine's reading, or None; others wait before changing it."""
    query = (
        sa.select(
            fields.c.id, fields.c.name, fields.c.correction_id, pages.c.template_id, readings.c.raw
        )
        .join(pages, pages.c.id == fields.c.page_id)
        .join(readings, (readings.c.field_id == fields.c.id) & readings.c.current)
        .where(fields.c.id == field_id)
        .with_for_update(of=fields)
    )
    return connection.execute(query).first()


def stored_field(connection: Connection, field: Row[Any]) -> StoredField:
    """Give what the template says about a field."""
    return load_form(connection, field.template_id).field(field.name)


def find_correction(connection: Connection, key: int | None) -> Any:
    """Give a correction's row by its id; None where there is none."""
    if key is None:
        return None
    return connection.execute(sa.select(corrections).where(corrections.c.id == key)).first()


def _put_in_effect(connection: Connection, field_id: int, key: int | None) -> None:
    decided = key is not None
    of_field = fields.update().where(fields.c.id == field_id)
    connection.execute(of_field.values(correction_id=key))
    waiting = queue.update().where(queue.c.field_id == field_id)
    connection.execute(waiting.values(done=decided, leased_to=None, leased_until=None))
    if not decided:
        judged = doubts.update().where(doubts.c.field_id == field_id)
        connection.execute(judged.values(verdict=None, reviewer=None, made_at=None))


def undo(engine: Engine, correction_id: int, reviewer: str, token: str) -> int:
    """Bring back what stood in a field before a correction; the undoing is a row of its own.

    Returns:
        The id of the field.

    Raises:
        UnfitError: If there is no such correction.
        ConflictError: If it is no longer the one in effect.
    """
    with writing(engine) as connection:
        return withdraw(connection, correction_id, reviewer, token)


def withdraw(connection: Connection, correction_id: int, reviewer: str, token: str) -> int:
    """Do what `undo` does, in a transaction that others are part of."""
    undone = find_correction(connection, correction_id)
    if undone is None or undone.raw is None:
        raise UnfitError("there is no such decision to undo")
    field = lock_field(connection, undone.field_id)
    known = sa.select(corrections.c.id).where(corrections.c.token == token)
    if connection.execute(known).scalar() is not None:
        return int(undone.field_id)
    if field is None or field.correction_id != correction_id:
        raise ConflictError(find_correction(connection, field.correction_id if field else None))
    before = find_correction(connection, undone.before_id)
    row = {
        "field_id": undone.field_id,
        "before_raw": undone.raw,
        "before_id": undone.id,
        "restores_id": undone.before_id,
        "raw": before.raw if before else None,
        "value": before.value if before else None,
        "source": before.source if before else str(Source.MACHINE),
        "way": "undo",
        "reviewer": reviewer,
        "made_at": now(),
        "token": token,
    }
    connection.execute(corrections.insert(), row)
    _put_in_effect(connection, undone.field_id, undone.before_id)
    return int(undone.field_id)
