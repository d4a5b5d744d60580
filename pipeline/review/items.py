"""A field as the review page shows it: places in template pixels, reasons in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from pipeline.records import Box, Mark
from pipeline.review.current import select_current
from pipeline.review.pictures import PageFacts, Pictures, find_facts
from pipeline.store.schema import boxes, corrections, documents, fields, pages, readings

WORDS: Final = {
    "low_confidence": "The machine is not sure enough of it.",
    "illegible": "There is ink in which no digit can be read.",
    "struck_out": "A box is struck out.",
    "blank_required": "A box is blank, and the field must be filled.",
    "check_failed": "The check “{name}” fails.",
    "alignment": "The printed frames of this field were not found: look whether the boxes fit.",
    "page_failed": "The page could not be read: find the field on it and type what stands there.",
    "decided_by": "The check “{name}” decided between two readings.",
}
MARKS: Final = {Mark.BLANK: "blank", Mark.STRUCK: "struck out", Mark.ILLEGIBLE: "illegible"}
SURE: Final = 0.995
"""A box that is surer is shown without any shade."""


@dataclass(frozen=True, slots=True)
class ItemBox:
    """A box: where it is on the form, what was read, and how doubtful that is."""

    box: Box
    reading: str
    second: str
    confidence: float | None

    @property
    def shade(self) -> float:
        """How dark it is shaded, 0 to 1: on a scale that tells 0.99 from 0.9 and 0.5."""
        if self.confidence is None:
            return 1.0
        doubt = max(0.0, SURE - self.confidence)
        return round(min(1.0, math.sqrt(4 * doubt)), 2)

    @property
    def words(self) -> str:
        """Say what was read and how sure that is."""
        if self.reading == " ":
            return "not keyed yet"
        said = MARKS.get(Mark(self.reading), "") if self.reading in set(Mark) else self.reading
        if self.confidence is None:
            return said or "not read"
        return f"{said}, {100 * self.confidence:.1f} % sure; else {self.second}"


@dataclass(frozen=True, slots=True)
class Item:
    """All that the page shows of one field."""

    field_id: int
    page_id: int
    document: str
    page: int
    name: str
    type: str
    date_format: str
    reasons: tuple[str, ...]
    machine: str
    raw: str
    """What stands there now: of the correction in effect, else of the machine."""
    confidence: float
    seen: int | None
    decided_by: str
    boxes: tuple[ItemBox, ...]
    area: Box
    around: Box
    size: tuple[float, float]
    notice: str
    others: tuple[Box, ...]
    """The page's other boxes, to find one's way."""

    @property
    def start(self) -> int:
        """Where typing begins: at the least sure box."""
        unsure = [box.confidence if box.confidence is not None else 0.0 for box in self.boxes]
        return unsure.index(min(unsure))


def load_item(connection: Connection, field_id: int, pictures: Pictures) -> Item | None:
    """Give a field for the page; None if it is no longer there."""
    row = connection.execute(_query().where(fields.c.id == field_id)).first()
    if row is None:
        return None
    facts = find_facts(connection, row.page_id)
    if facts is None:
        return None
    read = connection.execute(
        sa.select(boxes).where(boxes.c.reading_id == row.reading_id).order_by(boxes.c.position)
    ).all()
    return _item(row, facts, read, pictures.missing(facts))


def _query() -> sa.Select[Any]:
    return select_current(
        fields.c.id,
        fields.c.page_id,
        fields.c.name,
        fields.c.correction_id,
        pages.c.number,
        documents.c.name.label("document"),
        readings.c.id.label("reading_id"),
        readings.c.raw,
        readings.c.reasons,
        readings.c.confidence,
        corrections.c.raw.label("corrected"),
        corrections.c.reviewer,
    )


def _item(row: Row[Any], facts: PageFacts, read: Sequence[Row[Any]], notice: str) -> Item:
    spec = facts.form.field(row.name)
    raw = row.corrected or row.raw
    by_position = {box.position: box for box in read}
    shown = tuple(
        _item_box(box, raw[place : place + 1], by_position.get(place), corrected=row.corrected)
        for place, box in enumerate(spec.boxes)
    )
    return Item(
        field_id=row.id,
        page_id=row.page_id,
        document=row.document,
        page=row.number,
        name=row.name.replace("_", " "),
        type=spec.type,
        date_format=spec.date_format,
        reasons=tuple(map(in_words, row.reasons.split(";"))) if row.reasons else (),
        machine=row.raw,
        raw=raw,
        confidence=row.confidence,
        seen=row.correction_id,
        decided_by=row.reviewer or "",
        boxes=shown,
        area=facts.area(row.name),
        around=_around(spec.boxes),
        size=facts.form.size,
        notice=notice,
        others=tuple(box for field in facts.form.fields for box in field.boxes),
    )


def _item_box(box: Box, reading: str, read: Row[Any] | None, *, corrected: str | None) -> ItemBox:
    if read is None:
        return ItemBox(box, reading, "", None)
    confidence = 1.0 if corrected else read.confidence
    return ItemBox(box, reading, read.second, confidence)


def _around(all_boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.left for box in all_boxes),
        min(box.top for box in all_boxes),
        max(box.right for box in all_boxes),
        max(box.bottom for box in all_boxes),
    )


def in_words(reason: str) -> str:
    """Say a code of `reasons` in words; codes that are new here are shown as they are."""
    code, _, name = reason.partition(":")
    return WORDS.get(code, reason).format(name=name)
