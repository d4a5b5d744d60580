"""Removing documents by age: all that is known of them but the hash of their bytes.

The hash stays, or a scan that is still in the inbox would be read again the next night. It says
nothing about what stood on the paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.records import Flag
from pipeline.store.database import note, now, writing
from pipeline.store.schema import (
    audit,
    boxes,
    corrections,
    documents,
    doubts,
    fields,
    keyings,
    looks,
    pages,
    purged,
    queue,
    readings,
)

CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Aged:
    """What would go."""

    documents: int
    pages: int
    fields: int
    decided: int
    """Fields that people decided: what they decided goes with them."""
    undecided: int
    """Fields that still wait for a person."""
    images: tuple[str, ...]
    """Paths of files that formdigits moved; they are its to remove."""
    left: int
    """Documents whose file lies where its owner put it, and stays there."""


def weigh(engine: Engine, before: str) -> Aged:
    """Say what would go, changing nothing.

    Args:
        engine: The results database.
        before: A time; documents of which every page was read before it are aged.
    """
    found = sa.select(documents.c.path, documents.c.moved).where(_aged(before))
    ids = sa.select(documents.c.id).where(_aged(before))
    of_pages = sa.select(pages.c.id).where(pages.c.document_id.in_(ids))
    with engine.connect() as connection:
        files = connection.execute(found).all()
        states = (
            sa.select(readings.c.flag, fields.c.correction_id.is_not(None), sa.func.count())
            .join(fields, (fields.c.id == readings.c.field_id) & readings.c.current)
            .where(fields.c.page_id.in_(of_pages))
            .group_by(sa.text("1, 2"))
        )
        numbers = {(flag, bool(said)): count for flag, said, count in connection.execute(states)}
        count = sa.select(sa.func.count()).select_from(of_pages.subquery())
        return Aged(
            documents=len(files),
            pages=connection.execute(count).scalar_one(),
            fields=sum(numbers.values()),
            decided=sum(number for (_, said), number in numbers.items() if said),
            undecided=numbers.get((Flag.REVIEW, False), 0),
            images=tuple(sorted(row.path for row in files if row.moved)),
            left=sum(not row.moved for row in files),
        )


def remove(engine: Engine, before: str) -> None:
    """Remove the rows of aged documents, and who did what before that time: all or nothing.

    Args:
        engine: The results database.
        before: As for `weigh`.
    """
    with writing(engine) as connection:
        query = sa.select(documents.c.id, documents.c.sha256).where(_aged(before))
        rows = connection.execute(query).all()
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            _remember(connection, sorted({row.sha256 for row in some if row.sha256}))
            for statement in _deletions([row.id for row in some]):
                connection.execute(statement)
        connection.execute(audit.delete().where(audit.c.at < before))
        if rows:
            note(connection, "formdigits", "purge", f"{len(rows)} documents read before {before}")


def known_purged(engine: Engine, hashes: Sequence[str]) -> set[str]:
    """Give those of some hashes that are of documents that were purged."""
    query = sa.select(purged.c.sha256).where(purged.c.sha256.in_(hashes))
    with engine.connect() as connection:
        return set(connection.execute(query).scalars())


def document_names(engine: Engine) -> set[str]:
    """Give the names of all documents that are left."""
    with engine.connect() as connection:
        return set(connection.execute(sa.select(documents.c.name)).scalars())


def shrink(engine: Engine) -> None:
    """Give back the space of what was removed, and leave no trace of it in the file.

    Raises:
        sqlalchemy.exc.DatabaseError: If there is no room for the new file; nothing is lost then.
    """
    # VACUUM works outside any transaction, which SQLAlchemy would begin.
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            file = connection.connection.driver_connection
            assert file is not None
            file.execute("VACUUM")
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            free = connection.execution_options(isolation_level="AUTOCOMMIT")
            free.execute(sa.text("VACUUM"))


def _aged(before: str) -> sa.ColumnElement[bool]:
    of_document = pages.c.document_id == documents.c.id
    is_read = sa.exists().where(of_document)
    return is_read & ~sa.exists().where(of_document, pages.c.read_at >= before)


def _remember(connection: Connection, hashes: Sequence[str]) -> None:
    if hashes:
        connection.execute(purged.delete().where(purged.c.sha256.in_(hashes)))
        rows = [{"sha256": sha256, "purged_at": now()} for sha256 in hashes]
        connection.execute(purged.insert(), rows)


def _deletions(ids: Sequence[int]) -> Iterator[sa.Delete]:
    """Give what removes documents, whatever points at something before that itself."""
    of_documents = sa.select(documents.c.sha256).where(documents.c.id.in_(ids))
    of_pages = sa.select(pages.c.id).where(pages.c.document_id.in_(ids))
    of_fields = sa.select(fields.c.id).where(fields.c.page_id.in_(of_pages))
    of_readings = sa.select(readings.c.id).where(readings.c.field_id.in_(of_fields))
    where: dict[sa.Table, sa.ColumnElement[Any]] = {
        boxes: boxes.c.reading_id.in_(of_readings),
        **{
            table: table.c.field_id.in_(of_fields)
            for table in (readings, corrections, keyings, doubts, queue)
        },
        fields: fields.c.page_id.in_(of_pages),
        pages: pages.c.document_id.in_(ids),
        looks: looks.c.sha256.in_(of_documents),
        documents: documents.c.id.in_(ids),
    }
    return (table.delete().where(condition) for table, condition in where.items())
