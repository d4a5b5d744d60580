"""Writing what a run read into the database, in few statements for many pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.inbox import as_text
from pipeline.records import PageResult
from pipeline.store.append import REVIEW, append_readings, insert
from pipeline.store.database import note, now, writing
from pipeline.store.forms import to_json
from pipeline.store.load import load_pages, to_rostered
from pipeline.store.origin import Filed, Origin
from pipeline.store.schema import (
    documents,
    doubts,
    fields,
    pages,
    queue,
    readings,
    templates,
)
from pipeline.template import FormTemplate

CHUNK: Final = 200
"""Pages to a statement: PostgreSQL takes 65,535 values in one."""

Row = dict[str, Any]


def save(engine: Engine, results: Sequence[PageResult], origin: Origin) -> None:
    """Write results, all or none.

    A page that was read before with the same outcome stays as it is. With another, its new
    readings are appended; what people said about its fields stays in effect.

    Raises:
        sqlalchemy.exc.DatabaseError: If the database fails; then nothing was written.
    """
    filed = Filing(origin, save_templates(engine, origin.templates)).of_pages(results)
    with writing(engine) as connection:
        for start in range(0, len(filed), CHUNK):
            save_pages(connection, filed[start : start + CHUNK], origin)
        note(connection, "formdigits", "extract", f"{len(results)} pages, {origin.card.name}")


class Filing:
    """Puts beside results what the database keeps with them."""

    def __init__(self, origin: Origin, template_ids: Mapping[str, int]) -> None:
        self._origin = origin
        self._editions = origin.editions()
        self._template_ids = template_ids

    def of_pages(self, results: Sequence[PageResult]) -> list[Filed]:
        """File results of documents that are here as a whole."""
        counts: dict[tuple[str, str], int] = {}
        for result in results:
            key = result.identity.document, result.identity.sha256
            counts[key] = max(counts.get(key, 0), result.identity.number)
        return [
            self.of_page(
                result,
                result.identity.document,
                counts[result.identity.document, result.identity.sha256],
            )
            for result in results
        ]

    def of_page(self, result: PageResult, source: str, page_count: int) -> Filed:
        """File one page's result."""
        path = self._origin.paths.get(result.identity.document)
        return Filed(
            result=result,
            source=source,
            path=as_text(path.resolve()) if path else "",
            page_count=page_count,
            template_id=self._template_ids.get(result.template),
            template_sha256=self._editions.of_page(result.template, result.status),
            profile_sha256=self._editions.profile,
            model_sha256=self._editions.model,
        )


def save_templates(engine: Engine, used: Sequence[FormTemplate]) -> dict[str, int]:
    """Keep the templates; give the id of each by its name."""
    rows = {}
    for template in used:
        content = to_json(template)
        digest = hashlib.sha256(content.encode()).hexdigest()
        row = {"name": template.template_id, "version": template.version, "content": content}
        rows[digest] = {**row, "sha256": digest}
    with writing(engine) as connection:
        known = _template_ids(connection, list(rows))
        if missing := [row for digest, row in rows.items() if digest not in known]:
            connection.execute(templates.insert(), missing)
            known = _template_ids(connection, list(rows))
    return {str(row["name"]): known[digest] for digest, row in rows.items()}


def _template_ids(connection: Connection, digests: Sequence[str]) -> dict[str, int]:
    query = sa.select(templates.c.sha256, templates.c.id).where(templates.c.sha256.in_(digests))
    return {row.sha256: row.id for row in connection.execute(query)}


def save_pages(connection: Connection, filed: Sequence[Filed], origin: Origin) -> None:
    """Write some pages, not more than a statement takes, in a transaction that writes.

    Args:
        connection: In a transaction that writes.
        filed: The pages, of each document only one edition.
        origin: What was read, and with what.
    """
    document_ids = _save_documents(connection, filed)
    known = _known_pages(connection, document_ids)
    before = dict(load_pages(connection, [row.id for row in known.values()]))
    fresh: list[tuple[Filed, Row]] = []
    changed: list[tuple[int, Filed, Row]] = []
    for each in filed:
        identity = each.result.identity
        row = _page_row(each, document_ids[identity.document, identity.sha256])
        found = known.get((row["document_id"], identity.number))
        if found is None:
            fresh.append((each, row))
        elif found.model_sha256 != each.model_sha256 or before[found.id] != each.result:
            changed.append((found.id, each, row))
        elif (found.template_sha256, found.profile_sha256) != (
            each.template_sha256,
            each.profile_sha256,
        ):
            connection.execute(pages.update().where(pages.c.id == found.id), row)
    ids = insert(connection, pages, [row for _, row in fresh])
    read = list(zip(ids, (each for each, _ in fresh), strict=True))
    append_readings(connection, read, {}, origin)
    _change(connection, changed, origin)


def _save_documents(connection: Connection, filed: Sequence[Filed]) -> dict[tuple[str, str], int]:
    """List the documents, in place of those of other bytes that had their names."""
    wanted = {(each.result.identity.document, each.result.identity.sha256): each for each in filed}
    ids = _document_ids(connection, wanted)
    names = {name for name, _ in wanted}
    others = documents.c.name.in_(names) & documents.c.id.not_in(ids.values())
    connection.execute(documents.update().where(others).values(listed=False))
    if ids:
        listed = documents.update().where(documents.c.id == sa.bindparam("key"))
        rows = [
            {"key": key, "place": wanted[one].path, "origin": wanted[one].source}
            for one, key in ids.items()
        ]
        place: sa.BindParameter[str] = sa.bindparam("place")
        stays = sa.case((documents.c.path == place, documents.c.moved), else_=sa.false())
        values = {"path": place, "source": sa.bindparam("origin"), "moved": stays}
        connection.execute(listed.values(listed=True, **values), rows)
    new = [
        {
            "name": name,
            "sha256": sha256,
            "path": wanted[name, sha256].path,
            "source": wanted[name, sha256].source,
            "listed": True,
            "moved": False,
        }
        for name, sha256 in sorted(wanted.keys() - ids.keys())
    ]
    if new:
        connection.execute(documents.insert(), new)
        ids = _document_ids(connection, wanted)
    return ids


def _document_ids(
    connection: Connection, wanted: Mapping[tuple[str, str], object]
) -> dict[tuple[str, str], int]:
    query = sa.select(documents.c.id, documents.c.name, documents.c.sha256).where(
        documents.c.name.in_({name for name, _ in wanted})
    )
    rows = connection.execute(query)
    return {(name, sha256): key for key, name, sha256 in rows if (name, sha256) in wanted}


def _known_pages(
    connection: Connection, document_ids: Mapping[tuple[str, str], int]
) -> dict[tuple[int, int], sa.Row[Any]]:
    query = sa.select(
        pages.c.id,
        pages.c.document_id,
        pages.c.number,
        pages.c.model_sha256,
        pages.c.template_sha256,
        pages.c.profile_sha256,
    ).where(pages.c.document_id.in_(document_ids.values()))
    return {(row.document_id, row.number): row for row in connection.execute(query)}


def _page_row(filed: Filed, document_id: int) -> Row:
    result = filed.result
    return {
        "document_id": document_id,
        "number": result.identity.number,
        "template_id": filed.template_id,
        "template": result.template,
        "model_sha256": filed.model_sha256,
        "status": str(result.status),
        "reason": result.reason,
        "residual_px": result.residual_px,
        "homography": " ".join(map(repr, result.homography)),
        "seen": result.seen,
        "read_at": now(),
        "template_sha256": filed.template_sha256,
        "profile_sha256": filed.profile_sha256,
        "rostered": to_rostered(result),
    }


def _change(
    connection: Connection, changed: Sequence[tuple[int, Filed, Row]], origin: Origin
) -> None:
    """Append the new readings of pages that were read before."""
    if not changed:
        return
    keys = [key for key, _, _ in changed]
    of_pages = sa.select(fields.c.id).where(fields.c.page_id.in_(keys))
    execute = connection.execute
    execute(readings.update().where(readings.c.field_id.in_(of_pages)).values(current=False))
    execute(
        queue.delete().where(queue.c.field_id.in_(of_pages), queue.c.task == REVIEW, ~queue.c.done)
    )
    execute(doubts.delete().where(doubts.c.field_id.in_(of_pages)))
    for key, _, row in changed:
        execute(pages.update().where(pages.c.id == key), row)
    query = sa.select(fields.c.page_id, fields.c.name, fields.c.id)
    rows = execute(query.where(fields.c.page_id.in_(keys)))
    known = {(page, name): field for page, name, field in rows}
    append_readings(connection, [(key, each) for key, each, _ in changed], known, origin)
