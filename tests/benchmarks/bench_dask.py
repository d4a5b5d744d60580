"""How much two Dask workers read in the time of one: `python tests/benchmarks/bench_dask.py`.

A4 at 300 dpi, grey, 60 boxes, JPEG, through Prefect's tasks on a local cluster. One worker and two
take turns; the clock runs from the first result to the last, so that starting counts for nothing.
It needs two idle cores. What Prefect and Dask cost is told by the time on the processor: that of
the workers, against that of reading the same pages without either.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from flows.batch import Job, equip, read_batch
from flows.cluster import bundle, connected
from flows.embedded import start_if_needed
from flows.workers import in_window
from pipeline.export import prepare_output
from pipeline.inbox import find_documents
from pipeline.ingest import PageRef

sys.path.insert(0, str(Path(__file__).parent))
from bench_extract import make_pages

COPIES, ROUNDS = 8, 5


@dataclass(frozen=True)
class Turn:
    """What one turn took, in seconds."""

    clock: float
    processor: float
    """Of the workers."""
    everything: float
    """Of the workers, of this process with its scheduler, and of Prefect's server."""
    pages: int


def main() -> None:
    """Make pages, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--copies", type=int, default=COPIES)
    asked = parser.parse_args()
    start_if_needed()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_pages(folder, ["jpeg"])
        prepare_output(folder / "out")
        pages = [PageRef(one, 1) for one in find_documents([folder / "jpeg"]).documents]
        jobs = equip(folder / "form").jobs(pages) * asked.copies
        alone = min(direct(jobs) for _ in range(3))
        turns = [(read_on(1, jobs), read_on(2, jobs)) for _ in range(asked.rounds)]
    Console().print(report(turns, alone))


def direct(jobs: Sequence[Job]) -> float:
    """Read some batches here; give the processor's seconds a page."""
    read_batch(jobs[0])
    start, some = time.process_time(), jobs[: len(jobs) // 4]
    pages = sum(len(read_batch(job)) for job in some)
    return (time.process_time() - start) / pages


def read_on(count: int, jobs: Sequence[Job]) -> Turn:
    """Read all batches on a cluster of so many workers."""
    from prefect.futures import as_completed  # noqa: PLC0415 - after its settings are made

    from flows.cluster_tasks import submitting  # noqa: PLC0415
    from flows.extract import read  # noqa: PLC0415

    with connected("", count) as client:
        client.wait_for_workers(count)
        with submitting(client, read) as submit:
            # Until each has read, workers start, and load the network.
            deque(in_window(jobs[: 4 * count], submit, as_completed, count), maxlen=0)
            before, others = sum(client.run(time.process_time).values()), processor_of_others()
            start = time.perf_counter()
            pages = sum(map(len, in_window(bundle(jobs, count), submit, as_completed, count)))
            clock = time.perf_counter() - start
            processor = sum(client.run(time.process_time).values()) - before
            everything = processor + processor_of_others() - others
    return Turn(clock, processor, everything, pages)


def processor_of_others() -> float:
    """Give the processor's seconds of this process and of Prefect's server, its child."""
    this = psutil.Process()
    served = [child for child in this.children() if "uvicorn" in child.cmdline()]
    times = [process.cpu_times() for process in (this, *served)]
    return sum(each.user + each.system for each in times)


def report(turns: Sequence[tuple[Turn, Turn]], alone: float) -> Table:
    """Put medians into a table."""
    table = Table("figure", "measured", "aim")
    for place, name in enumerate(("one worker", "two workers")):
        each = statistics.median(turn[place].pages / turn[place].clock for turn in turns)
        table.add_row(f"{name}, pages a second", f"{each:.1f}", "")
    ratio = statistics.median(one.clock / two.clock for one, two in turns)
    table.add_row("two workers against one", f"{ratio:.2f}", "1.7")
    most = statistics.median(2 * two.processor / two.everything for _, two in turns)
    table.add_row("the most that two cores allow", f"{min(2.0, most):.2f}", "")
    spent = statistics.median(one.processor / one.pages for one, _ in turns)
    table.add_row("without either, processor ms a page", f"{1000 * alone:.1f}", "")
    table.add_row("a worker's, processor ms a page", f"{1000 * spent:.1f}", "")
    return table


if __name__ == "__main__":
    main()
