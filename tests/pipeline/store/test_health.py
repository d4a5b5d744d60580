"""Whether a database can be used is found out without opening it for results."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.store.database import FILE, database_url, opened, writing
from pipeline.store.health import look_at
from pipeline.store.schema import audit


def test_a_database_is_looked_at(database: str, tmp_path: Path) -> None:
    """Not there or empty, ours, from the future, and another program's."""
    url = database_url(tmp_path, database)
    assert "extract makes" in look_at(url).words
    with opened(url, create=True) as engine:
        assert not look_at(url).todo
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        entry = {"at": tomorrow, "who": "test", "what": "test", "details": ""}
        with writing(engine) as connection:
            connection.execute(audit.insert(), entry)
        assert "clock" in look_at(url).todo
        with writing(engine) as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(OutputError, match="another program"):
        look_at(url)


def test_a_damaged_file(tmp_path: Path) -> None:
    """A page of the file overwritten: found out before anybody relies on it."""
    url = database_url(tmp_path)
    with opened(url, create=True):
        pass
    path = tmp_path / FILE
    size = sqlite3.connect(path).execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek(3 * size)
        file.write(b"\xff" * size)
    with pytest.raises(OutputError, match=r"damaged|malformed"):
        look_at(url)
