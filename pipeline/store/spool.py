"""What a run has read so far: kept page by page, so that a run that was killed can go on.

Results wait here until all of a run is read, since rosters, audits and drift need them all. They
are numbered and filed only then, in the order of documents and pages, so that the database does
not depend on who read what first, nor on how often the run was killed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Connection, Engine

from pipeline.records import PageResult, Status
from pipeline.store.database import now, writing
from pipeline.store.origin import Filed
from pipeline.store.runs import COUNTED, Run, State, set_state
from pipeline.store.schema import documents, pages, runs, spool

CHUNK: Final = 200
"""Rows to a statement."""
AT_ONCE: Final = 50
"""Pages in memory at once, see `pipeline.store.load`."""
_RESULT: Final = TypeAdapter(PageResult)


def begin(engine: Engine, made_with: str, today: str) -> Run:
    """Begin a run, or go on with the one that was killed while it was reading.

    What that one read with other templates, network or profile, or for another day, is dropped;
    so is what it found out about copies and about files that could not be read.
    """
    with writing(engine) as connection:
        passing = (spool.c.sha256 == "") | (spool.c.status == Status.DUPLICATE)
        other = passing | (spool.c.made_with != made_with)
        connection.execute(spool.delete().where(spool.c.run_id.is_(None), other))
        values = {"made_with": made_with, "today": today}
        query = sa.select(runs.c.id).where(runs.c.state == State.READING)
        key = connection.execute(query).scalar()
        if key is not None:
            connection.execute(runs.update().where(runs.c.id == key).values(values))
            return Run(key, State.READING, today)
        counts = dict.fromkeys(COUNTED, 0)
        new = runs.insert().values(state=State.READING, began_at=now(), **values, **counts)
        (key,) = connection.execute(new).inserted_primary_key or (0,)
    return Run(key, State.READING, today)


def keep(engine: Engine, filed: Sequence[Filed], made_with: str) -> None:
    """Keep results of a run that goes on; a page that is there already is replaced."""
    rows = [_to_row(each, made_with) for each in filed]
    keys = [{f"of_{name}": row[name] for name in ("sha256", "name", "number")} for row in rows]
    with writing(engine) as connection:
        for start in range(0, len(rows), CHUNK):
            connection.execute(
                spool.delete().where(
                    spool.c.sha256 == sa.bindparam("of_sha256"),
                    spool.c.name == sa.bindparam("of_name"),
                    spool.c.number == sa.bindparam("of_number"),
                ),
                keys[start : start + CHUNK],
            )
            connection.execute(spool.insert(), rows[start : start + CHUNK])


def _to_row(filed: Filed, made_with: str) -> dict[str, Any]:
    result = filed.result
    return {
        "made_with": made_with,
        "name": result.identity.document,
        "source": filed.source,
        "path": filed.path,
        "sha256": result.identity.sha256,
        "number": result.identity.number,
        "page_count": filed.page_count,
        "status": str(result.status),
        "template_id": filed.template_id,
        "template_sha256": filed.template_sha256,
        "profile_sha256": filed.profile_sha256,
        "model_sha256": filed.model_sha256,
        "result": _RESULT.dump_json(replace(result, seen=b"")).decode(),
        "seen": result.seen,
    }


@dataclass(frozen=True, slots=True)
class Kept:
    """A document of which a run has read pages."""

    sha256: str
    name: str
    source: str
    page_count: int
    pages: frozenset[int]

    @property
    def is_whole(self) -> bool:
        """Tell whether all its pages are read."""
        return len(self.pages) >= self.page_count


def kept_pages(engine: Engine) -> list[Kept]:
    """Give the pages that a run has read so far."""
    columns = spool.c.sha256, spool.c.name, spool.c.source, spool.c.page_count, spool.c.number
    query = sa.select(*columns).where(spool.c.run_id.is_(None))
    found: dict[tuple[str, str, str, int], set[int]] = {}
    with engine.connect() as connection:
        for *document, number in connection.execute(query):
            found.setdefault(tuple(document), set()).add(number)
    return [Kept(*document, frozenset(numbers)) for document, numbers in found.items()]


def seal(engine: Engine, run: Run) -> bool:
    """Close a run: of all documents that are read to their end, and of no others.

    Returns:
        Whether there is anything to file.
    """
    with writing(engine) as connection:
        _drop_replaced(connection)
        whole = _whole(connection)
        for start in range(0, len(whole), CHUNK):
            chosen = spool.c.id.in_(whole[start : start + CHUNK])
            connection.execute(spool.update().where(chosen).values(run_id=run.id))
        if whole:
            set_state(connection, run, State.SEALED)
    return bool(whole)


def _drop_replaced(connection: Connection) -> None:
    """Forget a document after other bytes were read under its name."""
    unsealed = spool.c.run_id.is_(None) & (spool.c.sha256 != "")
    query = sa.select(spool.c.name, spool.c.sha256).where(unsealed)
    latest: dict[str, str] = {}
    replaced: set[tuple[str, str]] = set()
    for name, sha256 in connection.execute(query.order_by(spool.c.id)):
        before = latest.get(name, sha256)
        if before != sha256:
            replaced.add((name, before))
            replaced.discard((name, sha256))
        latest[name] = sha256
    for name, sha256 in replaced:
        connection.execute(spool.delete().where(spool.c.name == name, spool.c.sha256 == sha256))


def _whole(connection: Connection) -> list[int]:
    """Give the rows of documents whose every page is read, now or before."""
    columns = spool.c.id, spool.c.name, spool.c.sha256, spool.c.number, spool.c.page_count
    groups: dict[tuple[str, str], tuple[int, dict[int, int]]] = {}
    for key, name, sha256, number, count in connection.execute(
        sa.select(*columns).where(spool.c.run_id.is_(None))
    ):
        groups.setdefault((name, sha256), (count, {}))[1][number] = key
    found: list[int] = []
    for (name, sha256), (count, rows) in groups.items():
        if len(rows) == count or len(rows.keys() | _filed(connection, name, sha256)) >= count:
            found += rows.values()
    return sorted(found)


def _filed(connection: Connection, name: str, sha256: str) -> set[int]:
    query = sa.select(pages.c.number).join(documents)
    query = query.where(documents.c.name == name, documents.c.sha256 == sha256)
    return set(connection.execute(query).scalars())


def stream(engine: Engine, run: Run) -> Iterator[dict[int, Filed]]:
    """Give what waits to be filed in the order of documents and pages, some pages at a time."""
    query = sa.select(spool.c.name, spool.c.number, spool.c.id).where(spool.c.run_id == run.id)
    with engine.connect() as connection:
        keys = [key for _, _, key in sorted(map(tuple, connection.execute(query)))]
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        with engine.connect() as connection:
            rows = connection.execute(sa.select(spool).where(spool.c.id.in_(some))).mappings()
            by_key = {row["id"]: _to_filed(row) for row in rows}
        yield {key: by_key[key] for key in some}


def _to_filed(row: Mapping[Any, Any]) -> Filed:
    result = replace(_RESULT.validate_json(row["result"]), seen=bytes(row["seen"]))
    return Filed(
        result,
        row["source"],
        row["path"],
        row["page_count"],
        row["template_id"],
        row["template_sha256"],
        row["profile_sha256"],
        row["model_sha256"],
    )


def forget(connection: Connection, keys: Sequence[int]) -> None:
    """Take out what was filed; in the transaction that files it."""
    connection.execute(spool.delete().where(spool.c.id.in_(keys)))
