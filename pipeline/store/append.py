"""Appending what was read on pages: fields, readings, boxes, and what people must look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.records import BoxRow, FieldResult, Flag, PageResult
from pipeline.store.database import now
from pipeline.store.origin import Filed, Origin
from pipeline.store.schema import boxes, doubts, fields, queue, readings

REVIEW: Final = "review"
ON_WALL: Final = frozenset({"low_confidence"})
"""With other reasons than these, a person must see the field as a whole."""

Row = dict[str, Any]
Placed = tuple[int, BoxRow]
"""A box with the place of its picture among the page's."""


def append_readings(
    connection: Connection,
    read: Sequence[tuple[int, Filed]],
    known: Mapping[tuple[int, str], int],
    origin: Origin,
) -> None:
    """Write fields, readings and boxes of pages, and what is to be reviewed.

    Args:
        connection: In a transaction that writes.
        read: Ids of pages, each with its result.
        known: By page's id and name, the ids of fields that are there already.
        origin: What was read, and with what.
    """
    found = [
        (page, place, filed, field, group)
        for page, filed in read
        for place, (field, group) in enumerate(_with_boxes(filed.result))
    ]
    new: list[Row] = [
        {"page_id": page, "place": place, "name": field.field}
        for page, place, _, field, _ in found
        if (page, field.field) not in known
    ]
    ids = insert(connection, fields, new)
    field_ids: dict[tuple[int, str], int] = dict(known)
    field_ids |= {(row["page_id"], row["name"]): key for row, key in zip(new, ids, strict=True)}
    time = now()
    rows = [
        _reading_row(field_ids[page, field.field], field, filed.model_sha256, time)
        for page, _, filed, field, _ in found
    ]
    groups = [group for *_, group in found]
    _insert_all(connection, boxes, _box_rows(insert(connection, readings, rows), groups))
    decided = _decided(connection, list(known.values()))
    audited = [
        (filed.result.identity.document, filed.result.identity.number, field.field)
        in origin.audited
        for _, _, filed, field, _ in found
    ]
    accept = [
        origin.threshold(filed.result.template, field.field) for _, _, filed, field, _ in found
    ]
    waiting = [
        (row, group, least)
        for row, group, least, chosen in zip(rows, groups, accept, audited, strict=True)
        if (chosen or row["flag"] == Flag.REVIEW) and row["field_id"] not in decided
    ]
    _insert_all(connection, queue, [_queue_row(row) for row, *_ in waiting])
    _insert_all(
        connection,
        doubts,
        [
            doubt
            for row, group, least in waiting
            if set(row["reasons"].split(";")) <= ON_WALL
            for doubt in _doubt_rows(row["field_id"], [box for _, box in group], least)
        ],
    )


def insert(connection: Connection, table: sa.Table, rows: Sequence[Row]) -> list[int]:
    """Insert rows, and give their ids in the same order."""
    if not rows:
        return []
    statement = table.insert().returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, rows).scalars())


def _insert_all(connection: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def _decided(connection: Connection, field_ids: Sequence[int]) -> set[int]:
    """Tell which fields people have decided already."""
    query = sa.select(fields.c.id).where(
        fields.c.id.in_(field_ids), fields.c.correction_id.is_not(None)
    )
    return set(connection.execute(query).scalars()) if field_ids else set()


def _with_boxes(result: PageResult) -> Iterator[tuple[FieldResult, list[Placed]]]:
    placed = enumerate(result.boxes)
    groups = {name: list(group) for name, group in groupby(placed, key=lambda item: item[1].field)}
    return ((field, groups.get(field.field, [])) for field in result.fields)


def _reading_row(field_id: int, field: FieldResult, model_sha256: str, time: str) -> Row:
    return {
        "field_id": field_id,
        "current": True,
        "raw": field.raw,
        "value": field.value,
        "confidence": field.confidence,
        "flag": str(field.flag),
        "reasons": ";".join(field.reasons),
        "model_sha256": model_sha256,
        "read_at": time,
    }


def _box_rows(reading_ids: Sequence[int], groups: Sequence[Sequence[Placed]]) -> list[Row]:
    return [
        {
            "reading_id": reading_id,
            "position": box.position,
            "place": place,
            "reading": box.reading,
            "confidence": box.confidence,
            "second": box.second,
            "second_confidence": box.second_confidence,
        }
        for reading_id, group in zip(reading_ids, groups, strict=True)
        for place, box in group
    ]


def _queue_row(reading: Row) -> Row:
    return {
        "field_id": reading["field_id"],
        "task": REVIEW,
        "done": False,
        "skips": 0,
        "rank": _rank(reading),
    }


def _rank(reading: Row) -> float:
    """Put the least sure first; an accepted field that is audited stands anywhere among them."""
    if reading["flag"] == Flag.REVIEW:
        return float(reading["confidence"])
    return crc32(str(reading["field_id"]).encode()) / 2**32


def _doubt_rows(field_id: int, group: Sequence[BoxRow], accept: float) -> Iterator[Row]:
    """Give the boxes that a person must look at until the rest is as sure as an accepted field."""
    by_doubt = sorted(group, key=lambda box: box.confidence)
    for place, box in enumerate(by_doubt):
        rest = 1.0
        for other in by_doubt[place:]:
            rest *= other.confidence
        if rest >= accept:
            return
        yield {
            "field_id": field_id,
            "position": box.position,
            "reading": box.reading,
            "confidence": box.confidence,
        }
