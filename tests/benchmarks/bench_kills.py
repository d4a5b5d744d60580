"""Kill runs at random moments: `python -m tests.benchmarks.bench_kills --kills 50 --pages 500`.

Each run is killed once, with all its processes and without warning, started again by the same
command, and what it leaves is compared with what an undisturbed run leaves: every CSV byte by
byte, and every row of the database but for clock times. A third of the kills come late in a run,
where pages are filed, CSVs written and files moved. The batch has TIFFs of three pages, copies and
files broken in twenty ways, and is audited.
"""

import argparse
import random
import shutil
import sqlite3
import tempfile
from pathlib import Path

from tests.flows.batches import differences, fill_inbox, left_by, make_form
from tests.flows.killing import Batch, run, run_and_kill, timed

OPTIONS = ("--audit-share", "0.2", "--today", "2026-01-31")


def main() -> None:
    """Make a batch, kill, compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flow", action="store_true", help="through Prefect, not --direct")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--move", action="store_true", help="move files when they are read")
    parser.add_argument("--roster", action="store_true", help="with a list of members")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        form = make_form(folder / "form", members=asked.pages + 20 if asked.roster else 0)
        fill_inbox(folder / "scans", form, asked.pages)
        options = [*OPTIONS, "--workers", str(asked.workers)]
        options += [] if asked.flow else ["--direct"]
        options += ["--move"] if asked.move else []
        batch = Batch(folder / "scans", form, folder / "inbox", options)
        batch.lay_out()
        seconds = timed(batch, folder / "undisturbed")
        print(f"undisturbed: {seconds:.1f} s on the processor", flush=True)
        different = sum(
            kill_once(batch, folder, moment(random.Random(asked.seed + number), seconds, number))
            for number in range(asked.kills)
        )
        print(f"{asked.kills} kills: {different} left something else than an undisturbed run")


def moment(chance: random.Random, seconds: float, number: int) -> float:
    """Choose when to kill."""
    least, most = (0.6, 0.85) if number % 3 == 2 else (0.05, 1.0)
    return seconds * chance.uniform(least, most)


def kill_once(batch: Batch, folder: Path, after_s: float) -> bool:
    """Kill a run, run again, and tell whether something else is left than by an undisturbed one."""
    output = folder / "killed"
    hit = False
    while not hit:
        shutil.rmtree(output, ignore_errors=True)
        batch.lay_out()
        hit = run_and_kill(batch, output, after_s)
        after_s *= 1 if hit else 0.9  # it was quicker than the undisturbed one
    state = state_of(output)
    run(batch, output)
    wrong = differences(left_by(folder / "undisturbed"), left_by(output))
    print(f"after {after_s:.1f} s, {state}: {wrong or 'the same'}", flush=True)
    return bool(wrong)


def state_of(output: Path) -> str:
    """Say how far a run had come when it was killed."""
    if not (output / "results.db").exists():
        return "nothing written"
    with sqlite3.connect(output / "results.db") as connection:
        try:
            states = connection.execute("SELECT state FROM runs").fetchall()
            kept = connection.execute("SELECT count(*) FROM spool").fetchone()
        except sqlite3.OperationalError:
            return "no tables"
    return f"{states[-1][0] if states else 'not begun'}, {kept[0]} pages in the spool"


if __name__ == "__main__":
    main()
