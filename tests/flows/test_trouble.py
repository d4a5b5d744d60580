"""A full disk, a database that is gone for a while, two runs at once, an old database."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from flows.direct import extract_directly
from flows.order import Handling, Order
from flows.round import begun
from flows.workers import Workers
from pipeline.export import prepare_output
from pipeline.lock import locked
from pipeline.store import database as store
from pipeline.store.database import database_url, opened, writing
from pipeline.store.schema import documents
from tests.flows.batches import differences, fill_inbox, left_by, make_form
from tests.flows.killing import Batch, run
from tests.pipeline import postgresql
from tests.pipeline.conftest import skip_or_fail

PAGES = 12


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """A batch of few pages, with a roster."""
    folder = tmp_path_factory.mktemp("batch")
    form = make_form(folder / "form", members=PAGES + 10)
    fill_inbox(folder / "in", form, PAGES)
    return Batch(folder / "in", form, folder / "in")


@pytest.fixture(scope="module")
def undisturbed(batch: Batch, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a run leaves that nothing disturbs."""
    output = tmp_path_factory.mktemp("undisturbed")
    run(batch, output)
    return left_by(output)


def test_a_full_disk(batch: Batch, undisturbed: dict[str, object], tmp_path: Path) -> None:
    """The run ends with a message wherever space runs out, and goes on when there is some."""
    said = []
    for room in (0, 100_000, 230_000, 280_000):

        def small_disk(room: int = room) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

        ended = subprocess.run(
            batch.command(tmp_path),
            preexec_fn=small_disk,
            capture_output=True,
            text=True,
            check=False,
        )
        said.append((ended.returncode, ended.stderr))
    assert [code for code, _ in said[:2]] == [6, 6]
    for code, text in said:
        assert code in {0, 6}
        assert "Traceback" not in text
        assert code == 0 or "full" in text or "File too large" in text
    run(batch, tmp_path)
    assert differences(undisturbed, left_by(tmp_path)) == []


def test_two_runs_at_once(batch: Batch, undisturbed: dict[str, object], tmp_path: Path) -> None:
    """The second says that it waits, reads nothing twice, and comes to the same."""
    lock = tmp_path / ".results.db.lock"
    with locked(lock, pytest.fail):
        second = subprocess.Popen(
            batch.command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert "waiting for its end" in second.stderr.readline()
        assert not (tmp_path / "pages.csv").exists()
    _, said = second.communicate()
    assert second.returncode == 0
    assert " failed; " in said
    assert differences(undisturbed, left_by(tmp_path)) == []


def test_a_database_that_is_gone_for_a_while(
    batch: Batch, undisturbed: dict[str, object], tmp_path: Path
) -> None:
    """While pages are read, and again while they are filed: nothing is lost."""
    programs = postgresql.find_programs()
    if programs is None:
        skip_or_fail("PostgreSQL is not installed: apt-get install postgresql")
    prepare_output(tmp_path)
    with postgresql.serving(programs) as server:
        told: list[str] = []

        def tell(text: str) -> None:
            told.append(text)
            server.start()

        order = Order([batch.inbox], batch.form, tmp_path, server.address)
        with begun(order, tell) as this, Workers(1) as workers:
            for number, read in enumerate(workers.read_all(this.jobs)):
                this.keep(read)
                if number == 1:
                    server.stop()
                    this.commit()
            server.stop()
            this.finish()
    assert len(told) == 2
    assert all("does not answer" in text for text in told)
    for name in ("fields.csv", "digits.csv", "pages.csv"):
        assert (tmp_path / name).read_bytes() == undisturbed[name]


def test_an_older_database(batch: Batch, tmp_path: Path) -> None:
    """Brought up to date, it keeps its documents, and new ones join them."""
    config = Config()
    folder = Path(store.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    url = database_url(tmp_path)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        old = "INSERT INTO documents (name, sha256, path, listed) VALUES ('old.jpg', 'ab', '/x', 1)"
        connection.execute(sa.text(old))
    engine.dispose()
    extract_directly([batch.inbox], batch.form, tmp_path, handling=Handling(settle_s=0))
    with opened(url) as engine, writing(engine) as connection:
        sources = set(connection.execute(sa.select(documents.c.source)).scalars())
    assert {"old.jpg", "00000.jpg"} <= sources


def test_a_lock_is_not_left_behind(tmp_path: Path) -> None:
    """Whoever had it, and however that ended, the next one gets it without waiting."""
    lock = tmp_path / "lock"
    code = (
        "import os, signal; from pathlib import Path; from pipeline.lock import locked\n"
        f"with locked(Path({str(lock)!r}), print): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert lock.exists()
    with locked(lock, pytest.fail):
        pass
