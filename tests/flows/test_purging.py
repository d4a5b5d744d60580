"""Removing by age: files and exports go with the rows, and a kill delays that, no more."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.direct import extract_directly
from flows.order import Handling, Reread
from flows.purging import finish, is_unfinished, purge
from pipeline.errors import OutputError
from pipeline.export import prepare_output

Command = Callable[..., subprocess.CompletedProcess[str]]
LONG_AGO, LIMIT = "2020-01-01T00:00:00.000+00:00", "2021-01-01T00:00:00.000+00:00"
KILLS = 12


def extract(place: Path, *, reread: Reread = Reread.NEW) -> int:
    """Read the inbox of a place into its output; give how many pages were read."""
    prepare_output(place / "out")
    handling = Handling(reread, move=True, settle_s=0)
    inbox, form = place / "inbox", place / "postal-card"
    return extract_directly([inbox], form, place / "out", handling=handling).pages


@pytest.fixture(scope="module")
def store(sample_forms: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A place where six cards were read and moved, three of them long ago; and a copy of it."""
    place = tmp_path_factory.mktemp("purging") / "place"
    shutil.copytree(sample_forms / "postal-card", place / "postal-card")
    shutil.copytree(place / "postal-card/scans", place / "inbox")
    assert extract(place) == 6
    with sqlite3.connect(place / "out/results.db") as connection:
        connection.execute("UPDATE pages SET read_at = ? WHERE id <= 3", (LONG_AGO,))
    connection.close()
    kept = place.with_name("kept")
    shutil.copytree(place, kept)
    return place, kept


@pytest.fixture
def place(store: tuple[Path, Path]) -> Path:
    """The place as it was before anything was removed."""
    return restore(*store)


def restore(place: Path, kept: Path) -> Path:
    """Bring a place back."""
    shutil.rmtree(place)
    shutil.copytree(kept, place)
    return place


def contents(place: Path) -> dict[str, object]:
    """Give the bytes of every file, and the rows of the database but for the time of the purge."""
    files = {str(path): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    connection = sqlite3.connect(place / "out/results.db")
    rows = [line for line in connection.iterdump() if 'INTO "audit"' not in line]
    connection.close()
    hashes = [line[:100] if 'INTO "purged"' in line else line for line in rows]
    varying = ("results.db", "results.db-wal", "results.db-shm", ".lock")
    return {name: data for name, data in files.items() if not name.endswith(varying)} | {
        "rows": hashes
    }


def test_every_trace_but_the_hash_goes(place: Path) -> None:
    """Scans that were moved, rows, CSV rows and space; what is not aged is as it was."""
    aged = [f"postal-card-{number}.jpg" for number in (1, 2, 3)]
    size = (place / "out/results.db").stat().st_size
    before = (place / "out/fields.csv").read_text().splitlines()
    purge(place / "out", LIMIT)
    left = [path.name for path in (place / "inbox/done").glob("postal*")]
    assert sorted(left) == ["postal-card-4.jpg", "postal-card-5.png", "postal-card-6.tif"]
    after = (place / "out/fields.csv").read_text().splitlines()
    assert after == [line for line in before if line.split(",")[0] not in aged]
    database = place / "out/results.db"
    assert database.stat().st_size < size
    for name in aged:
        assert name.encode() not in database.read_bytes()
    assert not is_unfinished(place / "out")


def test_what_was_purged_is_not_read_again(place: Path) -> None:
    """The same bytes come once more, under another name: nothing is read, unless all is asked."""
    purge(place / "out", LIMIT)
    scan = place / "postal-card/scans/postal-card-1.jpg"
    shutil.copy(scan, place / "inbox/again.jpg")
    before = (place / "out/pages.csv").read_bytes()
    assert extract(place) == 0
    assert (place / "out/pages.csv").read_bytes() == before
    assert extract(place, reread=Reread.ALL) == 1
    assert b"again.jpg" in (place / "out/pages.csv").read_bytes()


def test_killed_at_any_moment(store: tuple[Path, Path]) -> None:
    """Whoever ends the purge leaves what one that was never killed leaves, wherever it was."""
    place = restore(*store)
    start = time.monotonic()
    purge(place / "out", LIMIT)
    taken_s = time.monotonic() - start
    wanted = contents(place)
    unfinished = 0
    for number in range(KILLS):
        restore(*store)
        purge_and_die(place, taken_s * (number + 0.5) / KILLS)
        unfinished += is_unfinished(place / "out")
        finish(place / "out")
        purge(place / "out", LIMIT)
        assert contents(place) == wanted
    assert unfinished


def purge_and_die(place: Path, after_s: float) -> None:
    """Purge in a process that the system kills after so many seconds."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, max(after_s, 1e-4))
        purge(place / "out", LIMIT)
        os._exit(0)
    os.waitpid(child, 0)


def test_images_that_cannot_be_seen(place: Path) -> None:
    """Where the folder of the moved scans is not mounted, nothing is forgotten."""
    (place / "inbox/done").rename(place / "unmounted")
    before = contents(place)
    with pytest.raises(OutputError, match="mount it"):
        purge(place / "out", LIMIT)
    assert contents(place) == before


def test_asked_first(formdigits: Command, place: Path) -> None:
    """A preview changes nothing, and neither does anything but a yes; wrong ages are refused."""
    before = contents(place)
    for options in (["--dry-run"], []):
        run = formdigits("purge", place / "out", "--older-than", "1y", *options)
        assert run.stdout.startswith("3 documents read before")
        assert "3 scans that were moved" in run.stdout
        assert run.returncode == (0 if options else 1)
    for wrong in ("90", "0d", "9999y"):
        assert formdigits("purge", place / "out", "--older-than", wrong).returncode == 2
    assert contents(place) == before
    assert formdigits("purge", place / "out", "--older-than", "1y", "--yes").returncode == 0
    assert contents(place) != before
