"""Reading results back from the database, as the records that were written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Connection, Engine, Row

from pipeline.records import (
    BoxRow,
    Correction,
    FieldResult,
    Flag,
    PageId,
    PageResult,
    Source,
    Status,
)
from pipeline.store.forms import StoredForm, from_json
from pipeline.store.origin import Filed
from pipeline.store.schema import boxes, corrections, documents, fields, pages, readings, templates

CHUNK: Final = 50
"""Pages in memory at once: of sixty boxes each, ten times as many take ten megabytes more."""

FieldKey = tuple[str, int, str]
"""Document, page and field, as in the CSVs."""


def load_results(engine: Engine) -> Iterator[PageResult]:
    """Give the results of all documents that are listed, by document and page.

    Some pages at a time are in memory.
    """
    query = sa.select(documents.c.name, pages.c.number, pages.c.id).join(documents)
    with engine.connect() as connection:
        # Sorted here, since databases differ in how they sort text.
        found = sorted(map(tuple, connection.execute(query.where(documents.c.listed))))
        keys = [key for _, _, key in found]
        for start in range(0, len(keys), CHUNK):
            some = keys[start : start + CHUNK]
            by_key = dict(load_pages(connection, some))
            yield from map(by_key.__getitem__, some)


def load_filed(engine: Engine, editions: Collection[str]) -> Iterator[Filed]:
    """Give the listed pages that a roster decides, as they stand.

    Args:
        engine: The results.
        editions: Hashes of the templates that have the roster.
    """
    query = (
        sa.select(pages.c.id, pages.c.document_id, pages.c.template_id, *_EDITIONS, *_PLACES)
        .join(documents)
        .where(documents.c.listed, pages.c.rostered != "", pages.c.template_sha256.in_(editions))
    )
    count = sa.select(pages.c.document_id, sa.func.count()).group_by(pages.c.document_id)
    with engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(query)}
        counts = dict(map(tuple, connection.execute(count)))
        keys = sorted(rows)
        for start in range(0, len(keys), CHUNK):
            for key, result in load_pages(connection, keys[start : start + CHUNK]):
                row = rows[key]
                yield Filed(
                    result=result,
                    source=row.source,
                    path=row.path,
                    page_count=counts[row.document_id],
                    template_id=row.template_id,
                    template_sha256=row.template_sha256,
                    profile_sha256=row.profile_sha256,
                    model_sha256=row.model_sha256,
                )


_EDITIONS: Final = pages.c.template_sha256, pages.c.profile_sha256, pages.c.model_sha256
_PLACES: Final = documents.c.source, documents.c.path


def load_pages(connection: Connection, keys: Sequence[int]) -> Iterator[tuple[int, PageResult]]:
    """Give pages with their latest readings, each with its id."""
    if not keys:
        return
    of_page = _by_page(connection.execute(_field_query(keys)))
    in_page = _by_page(connection.execute(_box_query(keys)))
    query = sa.select(pages, documents.c.name, documents.c.sha256).join(documents)
    for row in connection.execute(query.where(pages.c.id.in_(keys))):
        yield (
            row.id,
            PageResult(
                identity=PageId(row.name, row.number, row.sha256),
                template=row.template,
                status=Status(row.status),
                reason=row.reason,
                residual_px=row.residual_px,
                fields=tuple(map(_to_field, of_page.get(row.id, ()))),
                boxes=tuple(map(_to_box, in_page.get(row.id, ()))),
                homography=tuple(map(float, row.homography.split())),
                seen=bytes(row.seen),
                **_from_rostered(row.rostered),
            ),
        )


@dataclass(frozen=True, slots=True)
class _Rostered:
    """What a roster decides a page by."""

    boxes: tuple[tuple[str, tuple[Mapping[str, float], ...]], ...]
    before: tuple[FieldResult, ...]


_ROSTERED: Final = TypeAdapter(_Rostered)


def to_rostered(result: PageResult) -> str:
    """Write what a roster decides a page by; nothing where its form has none."""
    if not result.rostered:
        return ""
    return _ROSTERED.dump_json(_Rostered(result.rostered, result.unassigned)).decode()


def _from_rostered(text: str) -> dict[str, Any]:
    if not text:
        return {}
    found = _ROSTERED.validate_json(text)
    return {"rostered": found.boxes, "unassigned": found.before}


def _by_page(rows: Iterable[Row[Any]]) -> dict[int, list[Row[Any]]]:
    """Put rows together by their first column, the page's id."""
    return {key: list(group) for key, group in groupby(rows, key=itemgetter(0))}


def _field_query(keys: Sequence[int]) -> sa.Select[Any]:
    return (
        sa.select(
            fields.c.page_id,
            fields.c.name,
            readings.c.raw,
            readings.c.value,
            readings.c.confidence,
            readings.c.flag,
            readings.c.reasons,
        )
        .join(readings, (readings.c.field_id == fields.c.id) & readings.c.current)
        .where(fields.c.page_id.in_(keys))
        .order_by(fields.c.page_id, fields.c.place)
    )


def _box_query(keys: Sequence[int]) -> sa.Select[Any]:
    return (
        sa.select(
            fields.c.page_id,
            fields.c.name,
            boxes.c.position,
            boxes.c.reading,
            boxes.c.confidence,
            boxes.c.second,
            boxes.c.second_confidence,
        )
        .join(readings, readings.c.id == boxes.c.reading_id)
        .join(fields, fields.c.id == readings.c.field_id)
        .where(fields.c.page_id.in_(keys), readings.c.current)
        .order_by(fields.c.page_id, boxes.c.place)
    )


def _to_field(row: Row[Any]) -> FieldResult:
    _, name, raw, value, confidence, flag, reasons = row
    given = tuple(reasons.split(";")) if reasons else ()
    return FieldResult(name, raw, value, confidence, Flag(flag), given)


def _to_box(row: Row[Any]) -> BoxRow:
    return BoxRow(*row[1:])


def load_corrections(engine: Engine) -> dict[FieldKey, Correction]:
    """Give the correction in effect of each field that has one."""
    query = (
        sa.select(
            documents.c.name.label("document"),
            pages.c.number,
            fields.c.name,
            corrections.c.raw,
            corrections.c.value,
            corrections.c.source,
            corrections.c.reviewer,
        )
        .join(fields, fields.c.correction_id == corrections.c.id)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents, documents.c.id == pages.c.document_id)
        .where(documents.c.listed)
    )
    with engine.connect() as connection:
        return {
            (row.document, row.number, row.name): Correction(
                row.raw, row.value, Source(row.source), row.reviewer
            )
            for row in connection.execute(query)
        }


def load_form(connection: Connection, template_id: int) -> StoredForm:
    """Give a form as it was when pages were read with it."""
    query = sa.select(templates.c.content).where(templates.c.id == template_id)
    return _parse(connection.execute(query).scalar_one())


_parse = lru_cache(maxsize=64)(from_json)
