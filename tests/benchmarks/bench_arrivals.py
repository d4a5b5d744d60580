"""A thousand files arrive while they are read: `python -m tests.benchmarks.bench_arrivals`.

One in twenty is broken, in twenty different ways; a third is written in two halves. The command
runs again and again, as a schedule would, until all have come. Then every file must have its row
in pages.csv, every good page must be read as it is at rest, and the three CSVs must be those of
one run over the whole inbox. With `--move`, files leave the inbox meanwhile.
"""

import argparse
import csv
import shutil
import tempfile
import threading
from pathlib import Path

from tests.flows.arriving import deliver, make_arrivals
from tests.flows.batches import CSVS, make_form
from tests.flows.killing import Batch, run


def main() -> None:
    """Deliver, read, compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--pause", type=float, default=0.05, help="between two files, seconds")
    parser.add_argument("--settle", type=float, default=1.0)
    parser.add_argument("--move", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        form = make_form(folder / "form")
        arrivals = make_arrivals(form, asked.files)
        options = ["--direct", "--settle", str(asked.settle)] + ["--move"] * asked.move
        batch = Batch(folder, form, folder / "in", options)
        batch.inbox.mkdir()
        (batch.inbox / "first.jpg").write_bytes(b"so that there is something to read")
        delivery = threading.Thread(
            target=lambda: list(deliver(arrivals, batch.inbox, seed=1, pause_s=asked.pause))
        )
        delivery.start()
        rounds = 0
        while delivery.is_alive():
            print(run(batch, folder / "out").splitlines()[-1], flush=True)
            rounds += 1
        delivery.join()
        while "left to the next run" in (said := run(batch, folder / "out")):
            rounds += 1
        print(said.splitlines()[-1])
        rest = lay_at_rest(folder, arrivals.all)
        run(Batch(folder, form, rest), folder / "undisturbed")
        wanted = {"first.jpg", *arrivals.all}
        found = statuses(folder / "out")
        unread = [name for name in arrivals.good if found.get(name) != "read"]
        at_rest = statuses(folder / "undisturbed")
        print(f"{len(arrivals.all)} files, {len(arrivals.broken)} broken, {rounds} rounds")
        print(f"without a row: {len(wanted - set(found))}; rows of no file: {set(found) - wanted}")
        print(f"good pages not read: {len(unread)}; at rest: {not_read(at_rest, arrivals.good)}")
        print(f"broken files: {sorted({found[name] for name in arrivals.broken})}")
        for table in CSVS[:3]:
            same = (folder / "out" / table).read_bytes() == (
                folder / "undisturbed" / table
            ).read_bytes()
            print(f"{table}: {'the same' if same else 'OTHERWISE'} as in one run at rest")


def lay_at_rest(folder: Path, files: dict[str, bytes]) -> Path:
    """Lay all files into an inbox."""
    rest = folder / "rest"
    shutil.rmtree(rest, ignore_errors=True)
    for name, content in {**files, "first.jpg": b"so that there is something to read"}.items():
        path = rest / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return rest


def statuses(output: Path) -> dict[str, str]:
    """Give the status of each document."""
    with (output / "pages.csv").open(newline="") as file:
        return {row["document"]: row["status"] for row in csv.DictReader(file)}


def not_read(found: dict[str, str], good: object) -> int:
    """Count the good ones that are not read."""
    return sum(found.get(name) != "read" for name in good)


if __name__ == "__main__":
    main()
