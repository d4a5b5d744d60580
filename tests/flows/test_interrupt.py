"""Ctrl-C in the middle: a message, exit code 130, no half-written CSV, nobody left behind."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LONG = 200


@pytest.fixture(scope="module")
def long_job(tmp_path_factory: pytest.TempPathFactory, sample_forms: Path) -> Path:
    """More scans than are read before the test presses Ctrl-C."""
    folder = tmp_path_factory.mktemp("long")
    scan = (sample_forms / "postal-card/scans/postal-card-1.jpg").read_bytes()
    for number in range(LONG):
        # What follows the end of a JPEG is no part of the picture, but makes it another document.
        (folder / f"{number:03}.jpg").write_bytes(scan + str(number).encode())
    return folder


def press_ctrl_c_while_reading(
    arguments: list[object], environment: dict[str, str]
) -> tuple[int, str, int]:
    """Run the command with a terminal on stderr, and interrupt it after its first pages.

    Returns:
        Its exit code, all that it wrote on the terminal, and its process group.
    """
    reader, terminal = pty.openpty()
    process = subprocess.Popen(
        [Path(sys.executable).with_name("formdigits"), *map(str, arguments)],
        env={**environment, "COLUMNS": "120", "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    heard, pressed = "", False
    for said in _listen(reader):
        heard += said
        if not pressed and re.search(rf"[1-9][0-9]*/{LONG}", heard):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the whole group
            pressed = True
    os.close(reader)
    return process.wait(), heard, process.pid


def _listen(reader: int) -> Iterator[str]:
    while True:
        try:
            said = os.read(reader, 65_536)
        except OSError:  # Linux says so when the last writer has closed the terminal
            return
        if not said:
            return
        yield said.decode(errors="replace")


@pytest.mark.parametrize("how", [["--direct"], ["--direct", "--workers", 2], ["--workers", 2]])
def test_ctrl_c(
    long_job: Path,
    sample_forms: Path,
    environment: dict[str, str],
    tmp_path: Path,
    how: list[object],
) -> None:
    """Directly, with workers, and in the flow."""
    arguments = ["--templates", sample_forms / "postal-card", "--output", tmp_path, *how]
    code, heard, group = press_ctrl_c_while_reading(["extract", long_job, *arguments], environment)
    assert code == 130
    assert "interrupted; the same command goes on" in heard
    assert "Traceback" not in heard
    assert not list(tmp_path.glob("*.csv"))
    assert all(ends(pid) for pid in members(group))


def members(group: int) -> list[int]:
    """List the processes of a group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # it ended just now
            _state, _parent, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group:
                found.append(int(path.parent.name))
    return found


def ends(pid: int) -> bool:
    """Tell whether a process has ended, or does by itself in a moment."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(handle):
        readable, _, _ = select.select([handle], [], [], 10)
    return bool(readable)
