"""Runs of the command that are killed, all their processes at once, as by a power cut."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_EVERY_S = 0.03
PROGRAM = Path(sys.executable).with_name("formdigits")


@dataclass(frozen=True)
class Batch:
    """An inbox, and how it is read."""

    scans: Path
    """What the inbox holds at first; it is laid out anew for each run that moves files."""
    form: Path
    inbox: Path
    options: Sequence[str] = ("--direct", "--audit-share", "0.2", "--today", "2026-01-31")

    @property
    def moves(self) -> bool:
        """Tell whether runs move files out of the inbox."""
        return "--move" in self.options

    def lay_out(self) -> None:
        """Put the scans into the inbox, as they were."""
        if self.moves or not self.inbox.exists():
            shutil.rmtree(self.inbox, ignore_errors=True)
            shutil.copytree(self.scans, self.inbox)

    def command(self, output: Path) -> list[str]:
        """Give the command that reads the inbox."""
        arguments = ["--templates", self.form, "--output", output, "--settle", "0", *self.options]
        return [str(PROGRAM), "extract", str(self.inbox), *map(str, arguments)]


def run(batch: Batch, output: Path, environment: dict[str, str] | None = None) -> str:
    """Let a run come to its end; give what it said."""
    done = subprocess.run(
        batch.command(output), capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}: {done.stderr}")
    return done.stderr


def run_and_kill(
    batch: Batch, output: Path, after_s: float, environment: dict[str, str] | None = None
) -> bool:
    """Begin a run, and kill all of its processes after so much time on the processor.

    Not by the clock: on a busy machine, that says little about how far a run is.

    Returns:
        Whether it was still running.
    """
    process = subprocess.Popen(
        batch.command(output),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=environment,
    )
    while process.poll() is None:
        if spent_by(process.pid) >= after_s:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait() == -signal.SIGKILL
        select.select([], [], [], LOOK_EVERY_S)
    return False


def spent_by(group: int) -> float:
    """Give the seconds that the processes of a group had on the processor, ended ones too."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # it ended just now
            facts = path.read_text().rpartition(")")[2].split()
            if int(facts[2]) == group:
                ticks += sum(map(int, facts[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def timed(batch: Batch, output: Path) -> float:
    """Run once, undisturbed, and give the seconds that it had on the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(batch, output)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
