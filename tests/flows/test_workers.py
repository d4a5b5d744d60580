"""Worker processes: the same results as without, and no run lost to one of them."""

import os
import signal
from pathlib import Path

import pytest

from flows.batch import Summary, read_batch
from flows.workers import RETRIES, Workers
from pipeline.ingest import UnsteadyFileError
from pipeline.records import Flag, PageResult, Status
from tests.flows.batches import plan


@pytest.fixture
def card(sample_forms: Path) -> Path:
    """A form with few boxes."""
    return sample_forms / "postal-card"


def key(result: PageResult) -> tuple[str, tuple[object, ...]]:
    """Give what identifies a page's result, and what was read."""
    return result.identity.document, result.fields


def test_processes_read_what_this_one_reads(card: Path) -> None:
    """Two processes and none give the same results."""
    jobs = plan([card / "scans"], card)[0]
    with Workers(2) as workers:
        by_processes = [result for batch in workers.read_all(jobs) for result in batch]
    here = [result for job in jobs for result in read_batch(job)]
    assert sorted(map(key, by_processes)) == sorted(map(key, here))


def test_a_killed_worker_loses_no_page(card: Path) -> None:
    """When the workers are killed, their batch is read again and so are the next."""
    (job, *_) = plan([card / "scans"], card)[0]
    with Workers(2) as workers:
        before = workers.read(job)
        for child in children():
            os.kill(child, signal.SIGKILL)
        after = workers.read(job)
    assert list(map(key, after)) == list(map(key, before))


def children() -> list[int]:
    """List the reading processes that this one started."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    found = [int(pid) for file in tasks.glob("*/children") for pid in file.read_text().split()]
    return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_stopping_ends_every_process(card: Path) -> None:
    """No worker is left when the run is over."""
    (job, *_) = plan([card / "scans"], card)[0]
    with Workers(2) as workers:
        workers.read(job)
        assert children()
    assert not children()


def test_an_unsteady_drive_is_tried_again_then_given_up(card: Path, tmp_path: Path) -> None:
    """Patience raises for another try; without it the page fails and says so."""
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "scan.png").symlink_to("/proc/self/mem")  # reading it is an input/output error
    (job,) = plan([inbox], card)[0]
    with pytest.raises(UnsteadyFileError):
        read_batch(job, patient=True)
    (result,) = read_batch(job)
    assert result.status is Status.FAILED
    assert "check the drive" in result.reason
    assert RETRIES > 0


def test_a_file_that_vanished_fails_its_page(card: Path, tmp_path: Path) -> None:
    """A scan that is deleted between finding and reading is told, not raised."""
    scan = tmp_path / "scan.jpg"
    scan.write_bytes((card / "scans/postal-card-1.jpg").read_bytes())
    (job,) = plan([scan], card)[0]
    scan.unlink()
    (result,) = read_batch(job)
    assert result.status is Status.FAILED
    assert "No such file" in result.reason


def test_the_summary_adds_up(card: Path) -> None:
    """Accepted and to review are all the fields, read and failed all the pages."""
    jobs = plan([card / "scans"], card)[0]
    results = [result for job in jobs for result in read_batch(job)]
    summary = Summary().plus(results[:2]).plus(results[2:])
    assert summary.pages == len(results) == 6
    fields = [field for result in results for field in result.fields]
    assert summary.fields == len(fields)
    assert summary.review == sum(field.flag is Flag.REVIEW for field in fields)
