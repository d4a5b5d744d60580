"""Opening a database: made, brought up to date, or refused with what to do."""

import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pipeline.errors import OutputError
from pipeline.store import database as module
from pipeline.store.database import FILE, NotOursError, database_url, opened, writing
from pipeline.store.schema import metadata

MIGRATIONS = Path(module.__file__).parent / "migrations"


def test_migrations_make_the_schema(database: str, tmp_path: Path) -> None:
    """From nothing, the shipped migrations make the very tables that the program uses."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == module.REVISION
    url = database_url(tmp_path, database)
    engine = module.engine_of(url)
    module._migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    with opened(url):
        pass


def test_made_tables_are_those_of_the_schema(database: str, tmp_path: Path) -> None:
    """A database made in one go is at the newest revision, with the same tables."""
    with opened(database_url(tmp_path, database), create=True) as engine:
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert module.revision_of(engine) == module.REVISION


def test_a_newer_database_is_refused(database: str, tmp_path: Path) -> None:
    """What a later version made is not touched."""
    url = database_url(tmp_path, database)
    with opened(url, create=True) as engine, writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(OutputError, match="update formdigits"), opened(url):
        pass


def test_another_programs_tables_are_spared(database: str, tmp_path: Path) -> None:
    """A table of the same name that is not ours is left alone."""
    url = database_url(tmp_path, database)
    engine = module.engine_of(url)
    with writing(engine) as connection:
        connection.execute(sa.text("CREATE TABLE pages (acre INTEGER)"))
    engine.dispose()
    with pytest.raises(NotOursError, match="another program"), opened(url, create=True):
        pass


def test_no_database_yet(tmp_path: Path) -> None:
    """A folder that nothing was read into: the message says what to run."""
    with pytest.raises(OutputError, match="run formdigits extract"), opened(database_url(tmp_path)):
        pass


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """Text under the name of the database."""
    (tmp_path / FILE).write_text("Dear Sir or Madam, " * 100)
    url = database_url(tmp_path)
    with pytest.raises(NotOursError, match="no database of"), opened(url, create=True):
        pass


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """Nobody listens on the discard port."""
    url = database_url(tmp_path, "postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(OutputError, match="does not answer"), opened(url):
        pass


def test_a_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program writes, waiting ends in a message, and nothing is half-written."""
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    url = database_url(tmp_path)
    with opened(url, create=True):
        pass
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(OutputError, match="another program holds"),
        opened(url) as engine,
        writing(engine) as connection,
    ):
        module.note(connection, "test", "test")
    other.execute("ROLLBACK")
    assert other.execute("SELECT count(*) FROM audit").fetchone() == (0,)
    other.close()


def test_a_full_disk(tmp_path: Path) -> None:
    """Where the file cannot grow, a message says so, and what was committed is still there."""
    url = database_url(tmp_path)
    with opened(url, create=True) as engine, writing(engine) as connection:
        module.note(connection, "test", "kept")
    size = (tmp_path / FILE).stat().st_size

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    code = f"""
from pathlib import Path
from pipeline.store.database import database_url, note, opened, writing
with opened(database_url(Path({str(tmp_path)!r}))) as engine, writing(engine) as connection:
    note(connection, "test", "lost", "x" * 10_000_000)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=small_disk, capture_output=True, check=False
    )
    assert b"OutputError" in run.stderr
    assert b"full" in run.stderr
    with opened(url) as engine, engine.connect() as connection:
        rows = connection.execute(sa.select(metadata.tables["audit"].c.what)).scalars()
        assert list(rows) == ["kept"]
