"""What the database knows of documents and files: so that each is read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.ingest import Fingerprint
from pipeline.records import Status
from pipeline.store.database import writing
from pipeline.store.origin import Editions
from pipeline.store.schema import documents, looks, pages

CHUNK: Final = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page that was read, and with what."""

    number: int
    status: str
    reason: str
    template: str
    template_sha256: str
    profile_sha256: str
    model_sha256: str

    def is_stale(self, editions: Editions) -> bool:
        """Tell whether another template, profile or network decides this page now."""
        made = self.template_sha256, self.profile_sha256, self.model_sha256
        wanted = editions.of_page(self.template, self.status), editions.profile, editions.model
        return made != wanted


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A document of the results."""

    id: int
    name: str
    source: str
    sha256: str
    path: str
    moved: bool
    pages: tuple[KnownPage, ...]

    @property
    def is_copy(self) -> bool:
        """Tell whether it is listed as a copy of another."""
        return any(page.status == Status.DUPLICATE for page in self.pages)


def known_by_content(engine: Engine, hashes: Sequence[str]) -> dict[str, list[KnownDocument]]:
    """Give the listed documents that hold certain bytes, by their hash, oldest first."""
    found: dict[str, list[KnownDocument]] = {}
    for document in _known(engine, documents.c.sha256, hashes):
        found.setdefault(document.sha256, []).append(document)
    return found


def known_by_source(engine: Engine, names: Sequence[str]) -> dict[str, list[KnownDocument]]:
    """Give the listed documents that came under certain names, by these, oldest first."""
    found: dict[str, list[KnownDocument]] = {}
    for document in _known(engine, documents.c.source, names):
        found.setdefault(document.source, []).append(document)
    return found


def _known(
    engine: Engine, column: sa.Column[str], values: Sequence[str]
) -> Iterator[KnownDocument]:
    with engine.connect() as connection:
        for some in in_chunks(values):
            query = sa.select(documents).where(documents.c.listed, column.in_(some))
            rows = connection.execute(query.order_by(documents.c.id)).all()
            of_document = _pages(connection, [row.id for row in rows])
            for row in rows:
                yield KnownDocument(
                    row.id,
                    row.name,
                    row.source,
                    row.sha256,
                    row.path,
                    row.moved,
                    tuple(of_document.get(row.id, ())),
                )


def _pages(connection: Connection, keys: Sequence[int]) -> dict[int, list[KnownPage]]:
    query = sa.select(
        pages.c.document_id,
        pages.c.number,
        pages.c.status,
        pages.c.reason,
        pages.c.template,
        pages.c.template_sha256,
        pages.c.profile_sha256,
        pages.c.model_sha256,
    )
    found: dict[int, list[KnownPage]] = {}
    for some in in_chunks(keys):
        of_some = query.where(pages.c.document_id.in_(some)).order_by(pages.c.number)
        for document, *facts in connection.execute(of_some):
            found.setdefault(document, []).append(KnownPage(*facts))
    return found


def in_chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Give some values at a time, as many as a statement takes."""
    left = iter(values)
    while some := list(islice(left, CHUNK)):
        yield some


def taken_names(engine: Engine, names: Sequence[str]) -> set[str]:
    """Give those of some names that documents have, listed or not."""
    with engine.connect() as connection:
        query = sa.select(documents.c.name).where(documents.c.name.in_(names))
        return set(connection.execute(query).scalars())


def has_documents(engine: Engine) -> bool:
    """Tell whether anything was ever read."""
    with engine.connect() as connection:
        return connection.execute(sa.select(documents.c.id).limit(1)).first() is not None


def load_looks(engine: Engine, paths: Sequence[str], now: float) -> dict[str, Fingerprint]:
    """Give what files were when they were last hashed, by path.

    Looks of the future are left out: the clock was set back since, and times prove nothing.
    """
    found = {}
    query = sa.select(looks).where(looks.c.looked_at <= now)
    with engine.connect() as connection:
        for some in in_chunks(paths):
            for row in connection.execute(query.where(looks.c.path.in_(some))):
                found[row.path] = Fingerprint(row.sha256, row.pages, row.state)
    return found


def save_looks(engine: Engine, found: Mapping[str, Fingerprint], now: float) -> None:
    """Remember what files are, by path."""
    for some in in_chunks(found.items()):
        rows = [
            {
                "path": path,
                "state": look.state,
                "sha256": look.sha256,
                "pages": look.pages,
                "looked_at": now,
            }
            for path, look in some
        ]
        with writing(engine) as connection:
            gone = looks.c.path.in_([path for path, _ in some])
            connection.execute(looks.delete().where(gone))
            connection.execute(looks.insert(), rows)


def set_paths(engine: Engine, paths: Mapping[int, str], *, moved: bool) -> None:
    """Write down where documents lie, by their ids."""
    rows = [{"key": key, "place": path} for key, path in paths.items()]
    if not rows:
        return
    where = documents.update().where(documents.c.id == sa.bindparam("key"))
    with writing(engine) as connection:
        connection.execute(where.values(path=sa.bindparam("place"), moved=moved), rows)
