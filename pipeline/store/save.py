"""Writing what a run read into the database, in few statements for many pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.records import PageResult
from pipeline.store.append import REVIEW, append_readings, insert
from pipeline.store.database import note, now, writing
from pipeline.store.forms import to_json
from pipeline.store.load import load_pages
from pipeline.store.origin import Origin
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
    """Write the results of a run, all or none; they become what the exports show.

    A page that was read before with the same outcome stays as it is. With another, its new
    readings are appended; what people said about its fields stays in effect.

    Raises:
        sqlalchemy.exc.DatabaseError: If the database fails; then nothing was written.
    """
    with writing(engine) as connection:
        connection.execute(documents.update().values(listed=False))
        template_ids = _save_templates(connection, origin.templates)
        for start in range(0, len(results), CHUNK):
            _Writer(connection, origin, template_ids).add(results[start : start + CHUNK])
        note(connection, "formdigits", "extract", f"{len(results)} pages, {origin.card.name}")


def _save_templates(connection: Connection, used: Sequence[FormTemplate]) -> dict[str, int]:
    """Keep the templates; give the id of each by its name."""
    rows = {}
    for template in used:
        content = to_json(template)
        digest = hashlib.sha256(content.encode()).hexdigest()
        row = {"name": template.template_id, "version": template.version, "content": content}
        rows[digest] = {**row, "sha256": digest}
    known = _template_ids(connection, list(rows))
    if missing := [row for digest, row in rows.items() if digest not in known]:
        connection.execute(templates.insert(), missing)
        known = _template_ids(connection, list(rows))
    return {str(row["name"]): known[digest] for digest, row in rows.items()}


def _template_ids(connection: Connection, digests: Sequence[str]) -> dict[str, int]:
    query = sa.select(templates.c.sha256, templates.c.id).where(templates.c.sha256.in_(digests))
    return {row.sha256: row.id for row in connection.execute(query)}


class _Writer:
    """Writes one chunk of pages."""

    def __init__(
        self, connection: Connection, origin: Origin, template_ids: Mapping[str, int]
    ) -> None:
        self._connection = connection
        self._origin = origin
        self._template_ids = template_ids
        self._now = now()

    def add(self, results: Sequence[PageResult]) -> None:
        document_ids = self._save_documents(results)
        known = self._known_pages(document_ids)
        before = dict(load_pages(self._connection, [key for key, _ in known.values()]))
        fresh: list[tuple[PageResult, Row]] = []
        changed: list[tuple[int, PageResult, Row]] = []
        for result in results:
            document_id = document_ids[result.identity.document, result.identity.sha256]
            row = self._page_row(result, document_id)
            found = known.get((document_id, result.identity.number))
            if found is None:
                fresh.append((result, row))
            elif found[1] != row["model_sha256"] or before[found[0]] != result:
                changed.append((found[0], result, row))
        ids = insert(self._connection, pages, [row for _, row in fresh])
        read = list(zip(ids, (result for result, _ in fresh), strict=True))
        append_readings(self._connection, read, {}, self._origin)
        self._change(changed)

    def _save_documents(self, results: Sequence[PageResult]) -> dict[tuple[str, str], int]:
        wanted = {(result.identity.document, result.identity.sha256) for result in results}
        ids = self._document_ids(wanted)
        if ids:
            listed = documents.update().where(documents.c.id == sa.bindparam("key"))
            rows = [{"key": key, "path": self._path(name)} for (name, _), key in ids.items()]
            self._connection.execute(listed.values(listed=True), rows)
        new = [
            {"name": name, "sha256": sha256, "path": self._path(name), "listed": True}
            for name, sha256 in sorted(wanted - set(ids))
        ]
        if new:
            self._connection.execute(documents.insert(), new)
            ids = self._document_ids(wanted)
        return ids

    def _document_ids(self, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
        query = sa.select(documents.c.id, documents.c.name, documents.c.sha256).where(
            documents.c.name.in_({name for name, _ in wanted})
        )
        rows = self._connection.execute(query)
        return {(name, sha256): key for key, name, sha256 in rows if (name, sha256) in wanted}

    def _path(self, name: str) -> str:
        path = self._origin.paths.get(name)
        return str(path.resolve()) if path else ""

    def _known_pages(
        self, document_ids: Mapping[tuple[str, str], int]
    ) -> dict[tuple[int, int], tuple[int, str]]:
        query = sa.select(
            pages.c.document_id, pages.c.number, pages.c.id, pages.c.model_sha256
        ).where(pages.c.document_id.in_(document_ids.values()))
        rows = self._connection.execute(query)
        return {(document, number): (key, model) for document, number, key, model in rows}

    def _page_row(self, result: PageResult, document_id: int) -> Row:
        return {
            "document_id": document_id,
            "number": result.identity.number,
            "template_id": self._template_ids.get(result.template),
            "template": result.template,
            "model_sha256": self._origin.card.sha256,
            "status": str(result.status),
            "reason": result.reason,
            "residual_px": result.residual_px,
            "homography": " ".join(map(repr, result.homography)),
            "seen": result.seen,
            "read_at": self._now,
        }

    def _change(self, changed: Sequence[tuple[int, PageResult, Row]]) -> None:
        """Append the new readings of pages that were read before."""
        if not changed:
            return
        keys = [key for key, _, _ in changed]
        of_pages = sa.select(fields.c.id).where(fields.c.page_id.in_(keys))
        execute = self._connection.execute
        execute(readings.update().where(readings.c.field_id.in_(of_pages)).values(current=False))
        execute(
            queue.delete().where(
                queue.c.field_id.in_(of_pages), queue.c.task == REVIEW, ~queue.c.done
            )
        )
        execute(doubts.delete().where(doubts.c.field_id.in_(of_pages)))
        for key, _, row in changed:
            execute(pages.update().where(pages.c.id == key), row)
        query = sa.select(fields.c.page_id, fields.c.name, fields.c.id)
        rows = execute(query.where(fields.c.page_id.in_(keys)))
        known = {(page, name): field for page, name, field in rows}
        read = [(key, result) for key, result, _ in changed]
        append_readings(self._connection, read, known, self._origin)
