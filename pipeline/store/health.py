"""Whether a results database can be used, found out without changing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from pipeline.errors import OutputError
from pipeline.store.database import REVISION, engine_of, explained, now, revision_of
from pipeline.store.schema import audit, metadata

CHECKED_BYTES: Final = 2 << 30
"""A larger file takes minutes to check from end to end."""


@dataclass(frozen=True, slots=True)
class Health:
    """What was found, and what to do about it; nothing where all is well."""

    words: str
    todo: str = ""


def look_at(url: sa.URL) -> Health:
    """Look whether a results database answers, is this program's, and is whole.

    Args:
        url: From `database_url`.

    Raises:
        OutputError: If it cannot be used; says what to do.
    """
    file = Path(url.database or "") if url.drivername == "sqlite" else None
    where = str(file or url.render_as_string())
    if file and not file.exists():
        return Health(f"{where} is not there yet: extract makes it")
    engine = engine_of(url)
    try:
        with explained(url):
            return _examine(engine, where, file)
    finally:
        engine.dispose()


def _examine(engine: Engine, where: str, file: Path | None) -> Health:
    names = set(sa.inspect(engine).get_table_names())
    found = revision_of(engine) if "alembic_version" in names else ""
    if not found and names & set(metadata.tables):
        raise OutputError(f"{where} holds tables that another program made; name another database")
    if not found:
        return Health(f"{where} answers, and is empty: extract makes its tables")
    if found > REVISION:
        raise OutputError(
            f"{where} was made by a newer formdigits (schema {found}, this one knows {REVISION}); "
            "update formdigits"
        )
    if file and file.stat().st_size < CHECKED_BYTES:
        _check_whole(engine, where)
    if found < REVISION:
        return Health(f"{where} has schema {found}: the next run brings it to {REVISION}")
    return _compare_clock(engine, where)


def _check_whole(engine: Engine, where: str) -> None:
    with engine.connect() as connection:
        answer = connection.execute(sa.text("PRAGMA quick_check(1)")).scalar()
    if answer != "ok":
        raise OutputError(
            f"{where} is damaged ({answer}); bring back a copy of it, or read the scans again"
        )


def _compare_clock(engine: Engine, where: str) -> Health:
    """Compare the clock with the last entry: schedules and ages need a clock that is right."""
    with engine.connect() as connection:
        last = connection.execute(sa.select(audit.c.at).order_by(audit.c.id.desc())).scalar()
    if last and last > now():
        words = f"{where}: its last entry is of {last}, and the clock says {now()}"
        return Health(words, "set the clock of this machine")
    return Health(f"{where} answers, schema {REVISION}" + (f", last entry {last}" if last else ""))
