"""Opening the results database: where it is, that its schema is ours, and what to do if not."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.errors import OutputError
from pipeline.store.advice import advise, may_pass
from pipeline.store.schema import metadata

Database: TypeAlias = Engine
"""For those who hand one on."""
FILE: Final = "results.db"
REVISION: Final = "0003"
"""The newest migration; a test holds it against those that are shipped."""
TABLES_LOCK: Final = 0x7461626C6573
"""The advisory lock's: "tables" in ASCII."""
PATIENCE_S: Final = 10
THREADS: Final = 40
"""How many requests the web server works on at once."""
_FORMS: Final = "postgresql+psycopg://USER@HOST/NAME or sqlite:///FILE"


def database_url(output: Path, database: str = "") -> sa.URL:
    """Say where the results of an output folder are.

    Args:
        output: The output folder.
        database: What `--database` says; if nothing, it is results.db in the folder.

    Raises:
        OutputError: If it is no address of a database that can be used, or there is none in the
            folder because that is on S3.
    """
    if not database and output.parts[:1] == ("s3:",):
        raise OutputError(
            f"the results of {output.as_posix().replace(':/', '://', 1)} lie on S3, where extract "
            "alone can use them; copy them here (aws s3 sync), or name --database"
        )
    if not database:
        return sa.URL.create("sqlite", database=str(output / FILE))
    try:
        url = sa.make_url(database)
    except sa.exc.ArgumentError as error:
        raise OutputError(f"--database {database!r} is no address; give {_FORMS}") from error
    if url.drivername in {"postgresql", "postgresql+psycopg", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database:
        return url
    raise OutputError(f"--database cannot be {url.drivername!r}; give {_FORMS}")


class NotOursError(OutputError):
    """What is there belongs to another program."""


class BusyError(OutputError):
    """The database does not answer now; it may in a moment."""


@contextmanager
def opened(url: sa.URL, *, create: bool = False) -> Iterator[Engine]:
    """Open the database for the length of a `with`, its tables at the newest schema.

    Args:
        url: From `database_url`.
        create: Make the tables where there are none yet.

    Raises:
        NotOursError: If it belongs to another program.
        OutputError: If it cannot be reached, or is newer than this program; inside the `with`
            too, where the database fails.
    """
    path = Path(url.database or "") if url.drivername == "sqlite" else None
    if path and not create and not path.exists():
        raise OutputError(f"{path} does not exist; run formdigits extract into that folder first")
    engine = engine_of(url)
    try:
        with explained(url):
            _prepare(engine, url, create=create)
            yield engine
    finally:
        engine.dispose()


def engine_of(url: sa.URL) -> Engine:
    """Give what speaks to a database, whatever is in it; `opened` looks at that first."""
    if url.drivername != "sqlite":
        return _postgresql(url)
    # Transactions are begun by `_begin`: Python's own would let two writers meet half-way.
    engine = sa.create_engine(
        url,
        pool_size=THREADS,
        max_overflow=THREADS,
        connect_args={"timeout": PATIENCE_S, "isolation_level": None},
    )
    sa.event.listen(engine, "connect", _set_pragmas)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _postgresql(url: sa.URL) -> Engine:
    try:
        return sa.create_engine(
            url,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=2 * THREADS,
            connect_args={
                "connect_timeout": PATIENCE_S,
                "options": f"-c lock_timeout={PATIENCE_S}s",
            },
        )
    except ModuleNotFoundError as error:
        raise OutputError(
            "PostgreSQL needs psycopg: pip install 'formdigits[postgresql]'"
        ) from error


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # What was acknowledged outlives a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_queue_for_sqlite = threading.Lock()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Change the database inside the `with`: all of it or, after an exception, nothing.

    SQLite has one writer at a time, and those that wait for it look again now and then, the
    luckiest first. The threads of this process wait in line instead.
    """
    line = _queue_for_sqlite if engine.dialect.name == "sqlite" else nullcontext()
    with line, engine.connect() as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            yield connection


@contextmanager
def explained(url: sa.URL) -> Iterator[None]:
    """Turn what the database complains about into a message that says what to do.

    Raises:
        OutputError: If the database failed.
    """
    where = url.database if url.drivername == "sqlite" else url.render_as_string()
    try:
        yield
    except sa.exc.DatabaseError as error:
        if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError):
            raise
        complaint = str(error.orig).strip()
        raise _kind(complaint)(f"{where}: {advise(complaint)}") from error


def _kind(complaint: str) -> type[OutputError]:
    if "not a database" in complaint:
        return NotOursError
    return BusyError if may_pass(complaint) else OutputError


def now() -> str:
    """Give the time as the database keeps it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def note(connection: Connection, who: str, what: str, details: str = "") -> None:
    """Write down who did what."""
    values: dict[str, Any] = {"at": now(), "who": who, "what": what, "details": details}
    connection.execute(metadata.tables["audit"].insert(), values)


def _prepare(engine: Engine, url: sa.URL, *, create: bool) -> None:
    """See to it that the tables are there, at the newest schema."""
    names = set(sa.inspect(engine).get_table_names())
    found = revision_of(engine) if "alembic_version" in names else ""
    if found == REVISION:
        return
    if found and found > REVISION:
        raise OutputError(
            f"{url.database} was made by a newer formdigits (schema {found}, this one knows "
            f"{REVISION}); update formdigits"
        )
    if not found and names & set(metadata.tables):
        raise NotOursError(
            f"{url.database} holds tables that another program made; name another database"
        )
    if not found and not create:
        raise OutputError(f"{url.database} holds no results; run formdigits extract first")
    if found:
        _migrate(engine)
    else:
        _create(engine)


def revision_of(engine: Engine) -> str:
    """Give the newest migration that a database with our tables has had."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT version_num FROM alembic_version"))
        return str(rows.scalar() or "")


def _create(engine: Engine) -> None:
    """Make the tables without Alembic, which takes as long to load as a page to read."""
    with _changing_tables(engine) as connection:
        if connection.dialect.has_table(connection, "alembic_version"):
            return
        metadata.create_all(connection)
        connection.execute(
            sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        )
        connection.execute(
            sa.text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": REVISION}
        )


@contextmanager
def _changing_tables(engine: Engine) -> Iterator[Connection]:
    """Change tables while no other process does; it may have changed them just before."""
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TABLES_LOCK)))
        yield connection


def _migrate(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415 - see `_create`
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with _changing_tables(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
