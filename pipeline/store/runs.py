"""The runs: how far each is, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.store.database import writing
from pipeline.store.schema import runs, spool

TODAY_LASTS: Final = timedelta(days=1)
"""For so long, a run that was killed goes on with the day on which it began."""


class State:
    """How far a run is; each is reached in one step of the database."""

    READING: Final = "reading"
    SEALED: Final = "sealed"
    """All pages are read: what comes now belongs to the next run."""
    FILING: Final = "filing"
    """History and audit are written; pages go to their tables."""
    FILED: Final = "filed"
    DONE: Final = "done"
    """The CSVs are written."""


COUNTED: Final = ("pages", "failed", "duplicates", "fields", "accepted")


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is not done."""

    id: int
    state: str
    today: str


def unfinished(engine: Engine) -> Run | None:
    """Give the run that was killed, or is going on."""
    query = sa.select(runs.c.id, runs.c.state, runs.c.today).where(runs.c.state != State.DONE)
    with engine.connect() as connection:
        row = connection.execute(query.order_by(runs.c.id)).first()
    return Run(*row) if row else None


def day_of_unfinished(engine: Engine) -> str:
    """Give the day that `today` means to a run that was killed lately; none where none was."""
    query = sa.select(runs.c.today, runs.c.began_at).where(runs.c.state == State.READING)
    with engine.connect() as connection:
        row = connection.execute(query).first()
        anything = connection.execute(sa.select(spool.c.id).limit(1)).first()
    if row is None or anything is None:
        return ""
    age = datetime.now(UTC) - datetime.fromisoformat(row.began_at)
    return str(row.today) if abs(age) < TODAY_LASTS else ""


def set_state(connection: Connection, run: Run, state: str, **values: object) -> None:
    """Write down how far a run is."""
    connection.execute(runs.update().where(runs.c.id == run.id).values(state=state, **values))


def state_of(engine: Engine, run: Run) -> str:
    """Say how far a run is."""
    with engine.connect() as connection:
        query = sa.select(runs.c.state).where(runs.c.id == run.id)
        return str(connection.execute(query).scalar_one())


def add_counts(connection: Connection, run: Run, counts: Mapping[str, int]) -> None:
    """Count pages of a run, by `COUNTED`; in the transaction that files them."""
    more = {name: runs.c[name] + counts[name] for name in COUNTED}
    connection.execute(runs.update().where(runs.c.id == run.id).values(more))


def counts_of(engine: Engine, run: Run) -> dict[str, int]:
    """Give what became of a run, by what was counted."""
    query = sa.select(*(runs.c[name] for name in COUNTED)).where(runs.c.id == run.id)
    with engine.connect() as connection:
        return dict(connection.execute(query).mappings().one())


def drop_empty(engine: Engine, run: Run) -> None:
    """Forget a run that has read nothing."""
    something = sa.select(spool.c.id).where(spool.c.run_id.is_(None)).exists()
    with writing(engine) as connection:
        connection.execute(runs.delete().where(runs.c.id == run.id, ~something))
