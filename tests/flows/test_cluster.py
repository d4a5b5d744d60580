"""Reading on a Dask cluster: what one process writes, whatever becomes of the workers."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from distributed import Client

from flows.cluster import check_workers, connected
from pipeline.errors import ExtractionError, InputFileError
from pipeline.store.database import database_url, opened
from pipeline.store.summary import summarise
from tests.flows import servers
from tests.flows.batches import plan
from tests.pipeline import postgresql
from tests.pipeline.conftest import skip_or_fail

Command = Callable[..., subprocess.CompletedProcess[str]]
FILES = ("fields.csv", "digits.csv", "pages.csv")


@dataclass(frozen=True)
class Cluster:
    """A scheduler and the processes of its workers."""

    address: str
    workers: list["subprocess.Popen[bytes]"]


@pytest.fixture
def cluster(tmp_path: Path, environment: dict[str, str]) -> Iterator[Cluster]:
    """A scheduler and two workers, each a process of its own."""
    port = servers.free_port()
    address = f"tcp://127.0.0.1:{port}"
    dask = servers.program("dask")
    options = ("--no-nanny", "--nthreads", 1, "--no-dashboard", "--local-directory", tmp_path)
    with ExitStack() as running:

        def start(*words: object) -> "subprocess.Popen[bytes]":
            command = (dask, *words)
            return running.enter_context(servers.process(command, env=environment))

        start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        workers = [start("worker", address, *options) for _ in range(2)]
        with connected(address, 0) as client:
            client.wait_for_workers(2, timeout=servers.PATIENCE_S)
        yield Cluster(address, workers)


@pytest.fixture
def database() -> Iterator[str]:
    """A database on a server of its own: the processes of many machines can reach it."""
    programs = postgresql.find_programs()
    if programs is None:
        skip_or_fail("PostgreSQL is not installed: apt-get install postgresql")
    with postgresql.running(programs) as address:
        yield address


@pytest.fixture
def inbox(sample_forms: Path, tmp_path: Path) -> Path:
    """Every scan of the sample forms twice; the bytes differ, or one would be a duplicate."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    for scan in sample_forms.glob("*/scans/*"):
        shutil.copy(scan, folder)
        (folder / f"again-{scan.name}").write_bytes(scan.read_bytes() + b"\n")
    return folder


def test_a_worker_killed_in_mid_run(  # noqa: PLR0917 - each is a part that is run
    formdigits: Command,
    environment: dict[str, str],
    cluster: Cluster,
    database: str,
    inbox: Path,
    sample_forms: Path,
    tmp_path: Path,
) -> None:
    """The other reads its pages: none is lost, none doubled, and the bytes are those of --direct.

    The results are in PostgreSQL, as where many machines work.
    """
    read = ("extract", inbox, "--templates", sample_forms)
    assert formdigits(*read, "--output", tmp_path / "direct", "--direct").returncode == 0
    spread = ("--runner", "dask", "--scheduler", cluster.address, "--database", database)
    words = map(str, (servers.program("formdigits"), *read, "--output", tmp_path / "out", *spread))
    with subprocess.Popen(list(words), env=environment, stderr=subprocess.PIPE) as run:
        kill_the_first_that_reads(cluster, run)
        _, complaints = run.communicate()
    assert run.returncode == 0, complaints.decode()
    for name in FILES:
        written = (tmp_path / "out" / name).read_bytes()
        assert written == (tmp_path / "direct" / name).read_bytes()
    with opened(database_url(tmp_path, database)) as engine:
        standing = summarise(engine)
    pages = (tmp_path / "out/pages.csv").read_text().splitlines()[1:]
    assert sum(standing.pages.values()) == len(pages) == len(set(pages)) == 36


def kill_the_first_that_reads(cluster: Cluster, run: "subprocess.Popen[bytes]") -> None:
    """Wait until both workers have read for a while, and kill one as a power cut would."""
    with Client(cluster.address, set_as_default=False) as client:
        busy: list[str] = []
        while len(busy) < 2:
            assert run.poll() is None, "the run ended before it was disturbed"
            busy = [worker for worker, tasks in client.processing().items() if tasks]
            time.sleep(0.02)
        pids = client.run(os.getpid)
    os.kill(pids[busy[0]], signal.SIGKILL)


def test_a_cluster_that_cannot_read(cluster: Cluster, sample_forms: Path, tmp_path: Path) -> None:
    """What a worker does not see is told before any page is read."""
    form = tmp_path / "postal-card"
    shutil.copytree(sample_forms / "postal-card", form)
    (job, *_) = plan([form / "scans"], form)[0]
    with connected(cluster.address, 0) as client:
        check_workers(client, job)
        shutil.rmtree(form)
        with pytest.raises(InputFileError, match="does not see"):
            check_workers(client, job)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "udp://127.0.0.1:9"])
def test_a_scheduler_that_is_not_there(address: str) -> None:
    """The message names the address and says how to start one."""
    with pytest.raises(ExtractionError, match="dask scheduler") as caught, connected(address, 0):
        pass
    assert address in str(caught.value)


def test_options_that_do_not_go_together(
    formdigits: Command, sample_forms: Path, tmp_path: Path
) -> None:
    """Wrong arguments are exit code 2, at once."""
    read = ("extract", sample_forms, "--templates", sample_forms, "--output", tmp_path)
    for wrong in (("--scheduler", "tcp://here:8786"), ("--runner", "dask", "--direct")):
        run = formdigits(*read, *wrong)
        assert run.returncode == 2
        assert "--runner" in run.stderr
