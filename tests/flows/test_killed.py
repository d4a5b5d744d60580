"""Killed at any moment and started again, a run leaves what an undisturbed one leaves."""

from pathlib import Path

import pytest

from tests.flows.batches import differences, fill_inbox, left_by, make_form
from tests.flows.killing import Batch, run, run_and_kill, timed

PAGES = 24
SHARES = (0.6, 0.75, 0.9)
"""Of the time of a run: reading begins at about a half, filing at about four fifths."""


@pytest.mark.parametrize("options", [[], ["--move"]], ids=["left", "moved"])
def test_killed_and_started_again(tmp_path: Path, options: list[str]) -> None:
    """The same bytes in every CSV, the same rows in the database, files in the same places.

    Each of a row of runs is killed a little later than the one before it, the last comes to its
    end.
    """
    form = make_form(tmp_path / "form", members=PAGES + 10)
    fill_inbox(tmp_path / "scans", form, PAGES)
    usual = ["--direct", "--audit-share", "0.3", "--today", "2026-01-31"]
    batch = Batch(tmp_path / "scans", form, tmp_path / "inbox", [*usual, *options])
    batch.lay_out()
    seconds = timed(batch, tmp_path / "undisturbed")
    places = everything_in(batch.inbox)
    batch.lay_out()
    killed = [run_and_kill(batch, tmp_path / "killed", share * seconds) for share in SHARES]
    run(batch, tmp_path / "killed")
    assert any(killed)
    assert differences(left_by(tmp_path / "undisturbed"), left_by(tmp_path / "killed")) == []
    assert everything_in(batch.inbox) == places


def everything_in(folder: Path) -> dict[str, bytes]:
    """Give all files of a folder but its lock."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }
