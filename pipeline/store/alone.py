"""One run at a time on one database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.errors import OutputError
from pipeline.lock import locked

_KEY: Final = 0x666F726D64696769
"""The advisory lock's: "formdigi" in ASCII."""
LOOK_EVERY_S: Final = 1.0


class Seat:
    """The right to write what is read; ends with the process, or with `alone`."""

    def __init__(self, engine: Engine, tell: Callable[[str], None]) -> None:
        self._engine = engine
        self._tell = tell
        self._connection: Connection | None = None

    def take(self) -> None:
        """Take the seat as soon as it is free."""
        if self._try():
            return
        self._tell("another run works in this database; waiting for its end")
        while not self._try():
            time.sleep(LOOK_EVERY_S)

    def check(self) -> None:
        """See that the seat was not lost with the connection, and take it again if so.

        Raises:
            OutputError: If another run has it now.
            sqlalchemy.exc.DatabaseError: If the database does not answer.
        """
        if self._connection is None:
            return
        try:
            self._connection.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            self.leave()
            if not self._try():
                raise OutputError(
                    "another run has taken the database over while it was gone; run again"
                ) from None

    def leave(self) -> None:
        """Give the seat back."""
        if self._connection is not None:
            self._connection.invalidate()  # closes it, and with it the lock goes
            self._connection.close()
            self._connection = None

    def _try(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        query = sa.select(sa.func.pg_try_advisory_lock(_KEY))
        if connection.execute(query).scalar_one():
            self._connection = connection
            return True
        connection.close()
        return False


@contextmanager
def alone(engine: Engine, tell: Callable[[str], None]) -> Iterator[Seat]:
    """Be the only run on a database for the length of a `with`; wait for another's end.

    Args:
        engine: The database. For SQLite a file beside it is locked, on PostgreSQL an advisory lock
            is taken; neither outlives its process.
        tell: Is told if there is something to wait for.
    """
    seat = Seat(engine, tell)
    if engine.dialect.name == "sqlite":
        file = Path(engine.url.database or "")
        with locked(file.with_name(f".{file.name}.lock"), tell):
            yield seat
        return
    seat.take()
    try:
        yield seat
    finally:
        seat.leave()
