"""How fast reading is, against decoding the same files: `python tests/benchmarks/bench_extract.py`.

A4 at 300 dpi, grey JPEG, 60 boxes, one worker, --direct. Reading and decoding take turns in one
process, so that whatever else the machine does slows both.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from flows.direct import extract_directly
from pipeline.authoring.degrade import degrade
from pipeline.authoring.fill import INKS, Habit, apply_ink, write_fields
from pipeline.authoring.pen import Writer
from pipeline.authoring.samples import make_blank
from pipeline.authoring.scan_files import save_scan
from pipeline.export import prepare_output
from pipeline.records import GreyImage
from pipeline.template import FormTemplate, load_template

PAGES, ROUNDS, STARTS, DPI = 16, 7, 5, 300
FURTHER = """
  - name: further_{number}
    boxes: {{x: 126, y: {top}, width: 7, height: 8.5, count: 8, pitch: 7}}
"""
SCAN = {"skew": 0.3, "blur": 0.3, "noise": 0.3}
TARGETS = {"times": 3.0, "first": 2.0, "memory": 500.0}


def main() -> None:
    """Make pages, measure, and print a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scans = make_pages(folder / "form", folder / "scans")
        reading, decoding = in_turns(lambda: read(folder), lambda: decode(scans))
        first = statistics.median(first_result(folder, scans[0]) for _ in range(STARTS))
        memory = peak_memory(folder)
    per_page = 1000 / PAGES
    table = Table("figure", "measured", "target")
    table.add_row("decoding alone, ms a page", f"{decoding * per_page:.1f}", "")
    table.add_row("reading, ms a page", f"{reading * per_page:.1f}", "")
    table.add_row(
        "reading against decoding", f"{reading / decoding:.2f}", f"{TARGETS['times']:.1f}"
    )
    table.add_row("first result of one page, s", f"{first:.2f}", f"{TARGETS['first']:.1f}")
    table.add_row("peak memory of a worker, MB", f"{memory:.0f}", f"{TARGETS['memory']:.0f}")
    Console().print(table)


def make_pages(form: Path, scans: Path) -> list[Path]:
    """Fill and scan the admission form, with two rows of boxes more to make them 60."""
    _, page = make_blank("admission-form", form)
    template = _with_further_boxes(form, page)
    assert sum(len(field.boxes) for field in template.fields) == 60
    scans.mkdir()
    return [_make_page(template, page, scans / f"{seed:02}.jpg", seed) for seed in range(PAGES)]


def _with_further_boxes(form: Path, page: GreyImage) -> FormTemplate:
    text = (form / "template.yaml").read_text()
    fields = "".join(FURTHER.format(number=i, top=top) for i, top in enumerate((70, 107)))
    (form / "template.yaml").write_text(text.replace("\nchecks:", fields + "checks:"))
    template = load_template(form / "template.yaml")
    for box in (box for field in template.fields[-2:] for box in field.boxes):
        corners = [(round(box.left), round(box.top)), (round(box.right), round(box.bottom))]
        cv2.rectangle(page, *corners, color=(0, 0, 0), thickness=3)
    return template


def _make_page(template: FormTemplate, page: GreyImage, path: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    texts = {
        field.name: "".join(rng.choice(list("0123456789"), len(field.boxes)))
        for field in template.fields
    }
    layer = write_fields(template, texts, Writer.random(rng), Habit.random(rng), rng)
    lacking = [(0, page.shape[axis] - layer.shape[axis]) for axis in (0, 1)]
    written = apply_ink(page, np.pad(layer, lacking), INKS["blue"], rng)
    save_scan(degrade(written, SCAN, rng), path, "grey", DPI)
    return path


def in_turns(one: Callable[[], None], other: Callable[[], None]) -> tuple[float, float]:
    """Time two jobs alternately, after a first round that does not count.

    Returns:
        The median seconds of each.
    """
    times = [(_seconds(one), _seconds(other)) for _ in range(ROUNDS + 1)][1:]
    return statistics.median(a for a, _ in times), statistics.median(b for _, b in times)


def _seconds(job: Callable[[], None]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def read(folder: Path) -> None:
    """Do all that the command does, from finding the files to writing the CSVs."""
    prepare_output(folder / "out")
    extract_directly([folder / "scans"], folder / "form", folder / "out")


def decode(scans: list[Path]) -> None:
    """Decode the files, and nothing else."""
    cv2.setNumThreads(1)
    for path in scans:
        cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)


def first_result(folder: Path, scan: Path) -> float:
    """Time a job of one page as a process, from its start to its end, in seconds."""
    return _seconds(lambda: run_command(folder, scan))


def run_command(folder: Path, inputs: Path) -> None:
    """Run the command itself."""
    program = Path(sys.executable).with_name("formdigits")
    arguments = ["--templates", folder / "form", "--output", folder / "out", "--direct"]
    subprocess.run([program, "extract", inputs, *arguments], check=True, capture_output=True)


def peak_memory(folder: Path) -> float:
    """Give the most memory that a process reading all pages held, in MB."""
    # A forked child counts the pages of its parent until it becomes another program, so that the
    # children's maximum is asked for in a fresh process.
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, __file__, "--memory", str(folder)])
    os.wait()
    return float((folder / "memory").read_text())


def measure_memory(folder: Path) -> None:
    """Run the command on all pages, and write down what it held at most."""
    run_command(folder, folder / "scans")
    kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    (folder / "memory").write_text(str(kilobytes / 1000))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        measure_memory(Path(sys.argv[2]))
    else:
        main()
