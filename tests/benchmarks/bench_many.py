"""Many pages in one run: `python -m tests.benchmarks.bench_many --pages 10000 --way standing`.

The simulator's postal cards at 300 dpi, read without Prefect (`direct`), on Prefect's embedded
server (`embedded`), or on a server that runs already (`standing`). Says what the run's processes
had on the processor, what they held of memory a tenth of the way and at the end, and whether every
page has its row. What orchestration takes is the difference between the ways, per page: run each
with the same number of pages.
"""

import argparse
import csv
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.flows.prefect_parts import prefect_server

REPOSITORY = Path(__file__).parent.parent.parent
FORM = REPOSITORY / "sample_forms" / "postal-card"
PROGRAM = Path(sys.executable).with_name("formdigits")
LOOK_EVERY_S = 0.5
DRAWN = 60
"""Pages that are drawn; the others are these with other bytes after the picture's end."""


def main() -> None:
    """Draw pages, read them, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--way", choices=["direct", "embedded", "standing"], default="direct")
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder, asked.pages)
        with variables(asked.way, folder) as environment:
            command = [PROGRAM, "extract", folder / "in", "--templates", FORM]
            command += ["--output", folder / "out", "--workers", asked.workers]
            command += ["--direct"] if asked.way == "direct" else []
            report(asked.way, folder, asked.pages, list(map(str, command)), environment)


def draw(folder: Path, pages: int) -> None:
    """Draw some pages, and lay as many documents into the inbox as are wanted."""
    drawn = folder / "drawn"
    command = [PROGRAM, "template", "simulate", FORM, "--count", str(min(DRAWN, pages))]
    subprocess.run([*command, "--output", drawn, "--degrade", "300"], check=True)
    scans = [path.read_bytes() for path in sorted((drawn / "scans").iterdir())]
    (folder / "in").mkdir()
    for number in range(pages):
        content = scans[number % len(scans)] + b"%d" % number
        (folder / "in" / f"{number:06}.jpg").write_bytes(content)


@contextmanager
def variables(way: str, folder: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a run, with a server in it where one stands."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    if way != "standing":
        yield {**kept, "PREFECT_HOME": str(folder / "home")}
        return
    with prefect_server(folder / "home") as server:
        yield {**kept, **server.variables}


def report(
    way: str, folder: Path, pages: int, command: list[str], environment: dict[str, str]
) -> None:
    """Run, and say what it took."""
    start, before = time.monotonic(), spent()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    held = []
    while process.poll() is None:
        held.append(resident_mb(process.pid))
        select.select([], [], [], LOOK_EVERY_S)
    seconds = time.monotonic() - start
    early, late = held[len(held) // 10], held[int(len(held) * 0.95)]
    with (folder / "out/pages.csv").open(newline="") as file:
        rows = [row["status"] for row in csv.DictReader(file)]
    print(process.stderr.read().splitlines()[-1])
    print(f"{way}: {pages} pages, {len(rows)} rows, {rows.count('read')} read")
    print(f"{seconds:.0f} s by the clock; {spent() - before:.1f} s on the processor")
    print(f"held: {early:.0f} MB a tenth of the way, {late:.0f} MB late, {max(held):.0f} MB most")


def spent() -> float:
    """Give the seconds on the processor of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def resident_mb(pid: int) -> float:
    """How much memory a process holds now; its children not counted."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
