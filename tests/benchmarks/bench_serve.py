"""Whether `formdigits serve` runs for hours: no run missed, nothing that grows.

Run with `python tests/benchmarks/bench_serve.py [--minutes 60] [--interval 60]`. A scan is put into
the inbox in every interval, and metrics are asked for; a server of its own keeps the runs. Whether
something grows is told by comparing the first third of the time with the last.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.flows.prefect_parts import Prefect, await_that, command, prefect_server
from tests.flows.servers import free_port

FORMS = Path(__file__).parent.parent.parent / "sample_forms"
NAME = "bench"
SAMPLE_S = 10.0
BEFORE_S = 60.0
"""Left to start in."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process holds at a moment."""

    rss_mb: float
    files: int
    threads: int
    children: int


def look_at(process: psutil.Process) -> Sample:
    """Measure a process, without those that it started."""
    with process.oneshot():
        return Sample(
            process.memory_info().rss / 2**20,
            process.num_fds(),
            process.num_threads(),
            len(process.children(recursive=True)),
        )


def arrive(inbox: Path, number: int) -> None:
    """Put a scan into the inbox; every seventh is a copy of one that came before."""
    scans = sorted(FORMS.glob("*/scans/*"))
    original = number - 1 if number % 7 == 6 else number
    scan = scans[original % len(scans)]
    part = inbox / f".{number}.part"
    # Bytes after the end of a picture are no part of it, and make each file another one.
    part.write_bytes(scan.read_bytes() + f"{original}".encode())
    part.rename(inbox / f"{number:05d}-{scan.name}")


def watch(
    processes: dict[str, psutil.Process], inbox: Path, metrics: str, minutes: float, interval: int
) -> dict[str, list[Sample]]:
    """Let files arrive and measure, for so many minutes."""
    samples: dict[str, list[Sample]] = {name: [] for name in processes}
    end, number, due = time.monotonic() + 60 * minutes, 0, time.monotonic()
    while time.monotonic() < end:
        if time.monotonic() >= due:
            arrive(inbox, number)
            number, due = number + 1, due + interval
        httpx.get(metrics, timeout=60).raise_for_status()
        for name, process in processes.items():
            samples[name].append(look_at(process))
        time.sleep(SAMPLE_S)
    return samples


def show_growth(name: str, samples: Sequence[Sample]) -> None:
    """Compare the first third of the time with the last."""
    third = max(1, len(samples) // 3)
    print(f"{name}: {len(samples)} samples")
    for what in ("rss_mb", "files", "threads", "children"):
        first, last = (
            [getattr(sample, what) for sample in part]
            for part in (samples[:third], samples[-third:])
        )
        figures = {"median": statistics.median, "least": min, "most": max}
        changes = [f"{name} {of(first):.1f} -> {of(last):.1f}" for name, of in figures.items()]
        print(f"  {what}: {', '.join(changes)}")


def show_runs(server: Prefect, since: datetime, until: datetime, interval: int) -> None:
    """Say which runs were due, and what became of them."""
    runs = server.runs("extract", NAME)
    due = [run for run in runs if since <= moment(run["expected_start_time"]) < until]
    expected = int((until - since).total_seconds() // interval)
    done = [run for run in due if run["state_type"] == "COMPLETED"]
    late = (
        [run["total_run_time"] for run in done],
        [
            (moment(run["start_time"]) - moment(run["expected_start_time"])).total_seconds()
            for run in done
        ],
    )
    missed = expected - len(done)
    print(f"runs due {expected}, begun {len(due)}, completed {len(done)}, missed {missed}")
    for what, values in zip(("seconds a run", "seconds late"), late, strict=True):
        print(f"  {what}: median {statistics.median(values):.1f}, most {max(values):.1f}")


def moment(text: str) -> datetime:
    """Read a time of the API."""
    return datetime.fromisoformat(text)


def main() -> None:
    """Serve an inbox, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--interval", type=int, default=60, help="seconds between two runs")
    options: Any = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-serve-"))
    inbox, output, log = folder / "inbox", folder / "out", folder / "log"
    inbox.mkdir()
    arrive(inbox, 999)
    port = free_port()
    arguments = ["--templates", FORMS, "--output", output, "--interval", f"{options.interval}s"]
    arguments += ["--name", NAME, "--metrics-port", port]
    try:
        with (
            prefect_server(folder / "home") as server,
            command(server, ["formdigits", "serve", inbox, *arguments], log) as served,
        ):
            await_that(lambda: server.runs("extract", NAME), "a first run", log)
            since = datetime.now(UTC) + timedelta(seconds=BEFORE_S)
            time.sleep(BEFORE_S)
            processes = {"serve": served, "Prefect's server": psutil.Process(server.pid)}
            address = f"http://127.0.0.1:{port}/metrics"
            samples = watch(processes, inbox, address, options.minutes, options.interval)
            until = datetime.now(UTC) - timedelta(seconds=options.interval)
            time.sleep(options.interval)
            show_runs(server, since, until, options.interval)
            print(httpx.get(address, timeout=60).text)
        for name, taken in samples.items():
            show_growth(name, taken)
        arrived = len([path for path in inbox.iterdir() if not path.name.startswith(".")])
        rows = (output / "pages.csv").read_text().splitlines()[1:]
        print(f"{arrived} files arrived, {len(rows)} rows in pages.csv")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
