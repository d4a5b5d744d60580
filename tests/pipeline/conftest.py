"""Databases, and results to put into them."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.batch import read_batch
from pipeline.records import PageResult
from pipeline.store.origin import Origin
from tests.flows.batches import plan
from tests.pipeline import postgresql

Read = tuple[list[PageResult], Origin]
_numbers = itertools.count(1)


def skip_or_fail(reason: str) -> None:
    """Leave out what needs a part that is not installed; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL server of the tests' own."""
    programs = postgresql.find_programs()
    if programs is None:
        skip_or_fail("PostgreSQL is not installed: apt-get install postgresql")
    with postgresql.running(programs) as address:
        yield address


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """Make an empty database on a server, and remove it after."""
    name = f"results_{next(_numbers)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
        yield sa.make_url(server).set(database=name).render_as_string()
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: a file, and one on a real server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'results.db'}"
        return
    with fresh_database(request.getfixturevalue("server")) as address:
        yield address


@pytest.fixture(scope="session")
def read_cards(sample_forms: Path) -> Read:
    """What is read on the postal cards and admission forms, and with what."""
    inputs = [sample_forms / name / "scans" for name in ("postal-card", "admission-form")]
    jobs, origin = plan(inputs, sample_forms)
    return [page for job in jobs for page in read_batch(job)], origin
