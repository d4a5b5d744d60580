"""How fast reading is, against decoding the same files: `python tests/benchmarks/bench_extract.py`.

A4 at 300 dpi, grey, 60 boxes, --direct; JPEG and PNG, of clean pages and of such whose paper has
the grain that scanners see. Reading and decoding take turns and are measured by the time on the
processor, so that whatever else the machine does matters less. Decoding is measured in a process of
its own, as a program does it that does nothing else, and again in the one that reads, where the
memory that reading keeps makes it faster. Two workers are measured by the clock, and need two idle
cores. Each run begins with an empty output folder, so that what a run costs once is shared by the
pages of that run alone. `--pages 5000` measures instead how memory grows over one run of so many
pages.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from flows.batch import equip
from flows.direct import extract_directly
from flows.order import Handling, Order
from flows.round import begun
from flows.workers import Workers
from pipeline.authoring.degrade import degrade
from pipeline.authoring.fill import INKS, Habit, apply_ink, write_fields
from pipeline.authoring.pen import Writer
from pipeline.authoring.samples import make_blank
from pipeline.authoring.scan_files import save_scan
from pipeline.export import prepare_output
from pipeline.inbox import find_documents
from pipeline.ingest import list_pages
from pipeline.records import GreyImage
from pipeline.template import FormTemplate, load_template

HANDS, COPIES_EACH, ROUNDS, STARTS, DPI = 16, 4, 3, 5, 300
PAGES = HANDS * COPIES_EACH
"""Each page is there several times, and differs in what stands behind its end: reading takes no
document twice."""
COPIES = 3
"""How often two workers read the pages, so that their start counts little."""
FURTHER = """
  - name: further_{number}
    boxes: {{x: 126, y: {top}, width: 7, height: 8.5, count: 8, pitch: 7}}
"""
SCAN = {"skew": 0.3, "blur": 0.3, "noise": 0.3}
AT_ONCE = Handling(settle_s=0)
GRAIN = 6.0
"""Standard deviation of the grain of paper, in grey levels."""
TIMES = {".jpg": 2.0, ".png": 1.5}
"""The aims: how many times as long as decoding reading may take."""
EARLY = 500
"""Pages after which a run's memory is first taken."""
FORMS = 50
OTHER = """
template: form-{number}
version: 1
page: {{width: 210, height: 297, unit: mm}}
align:
  markers: {{shape: square, size: 5, centres: [[10, 10], [200, 10], [200, 287], [10, 287]]}}
fields:
"""
FIELD = """\
  - name: field_{number}
    boxes: {{x: {left:.1f}, y: {top:.1f}, width: {width:.1f}, height: 8.5, count: {count}, \
pitch: {width:.1f}}}
"""


def main() -> None:
    """Make pages, measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=0, help="measure memory over so many pages")
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--decode", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.decode:
        print(decoding(asked.decode))
        return
    if asked.memory:
        measure_memory(asked.memory)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = make_pages(folder)
        Console().print(memory_over(folder, asked.pages) if asked.pages else speed(folder, kinds))


def speed(folder: Path, kinds: dict[str, list[Path]]) -> Table:
    """Measure how long everything takes."""
    table = Table("figure", "measured", "aim")
    for kind, scans in kinds.items():
        reads = partial(_seconds, partial(read, folder, kind))
        apart, within = partial(decoding_apart, folder / kind), partial(decoding, folder / kind)
        reading, alone, kept = in_turns(reads, apart, within)
        each = 1000 / PAGES
        table.add_row(f"{kind}: decoding alone, ms a page", f"{alone * each:.1f}", "")
        table.add_row(f"{kind}: decoding with memory kept", f"{kept * each:.1f}", "")
        table.add_row(f"{kind}: reading, ms a page", f"{reading * each:.1f}", "")
        aim = TIMES[scans[0].suffix]
        table.add_row(f"{kind}: reading against decoding", f"{reading / alone:.2f}", f"{aim}")
    make_forms(folder)
    many, one = in_turns(
        partial(_seconds, partial(read, folder, "jpeg", "forms")),
        partial(_seconds, partial(read, folder, "jpeg")),
    )
    table.add_row(f"{FORMS} templates against one", f"{many / one:.2f}", "1.3")
    table.add_row("two workers against one", f"{two_workers(folder):.2f}", "1.8")
    first = statistics.median(first_result(folder, kinds["jpeg"][0]) for _ in range(STARTS))
    table.add_row("first result of one page, s", f"{first:.2f}", "2.0")
    table.add_row("peak memory of a worker, MB", f"{peak_memory(folder):.0f}", "500")
    return table


def memory_over(folder: Path, pages: int) -> Table:
    """Measure how much memory a run holds after its first pages, and when all are filed."""
    inbox = folder / "many"
    inbox.mkdir()
    scans = [scan.read_bytes() for scan in sorted((folder / "jpeg").iterdir())]
    for number in range(pages):
        data = scans[number % len(scans)]
        (inbox / f"{number:06}.jpg").write_bytes(data + number.to_bytes(4))
    done, early, held = 0, 0.0, 0.0
    order = Order([inbox], folder / "form", prepared(folder / "out"), handling=AT_ONCE)
    with begun(order) as this, Workers(1) as reader:
        for batch in reader.read_all(this.jobs):
            this.keep(batch)
            done += len(batch)
            held = resident_mb()
            early = early or (held if done >= min(EARLY, pages // 2) else 0.0)
        this.finish()
    table = Table("pages", "MB held", "against the early ones")
    table.add_row(f"{min(EARLY, pages // 2)}", f"{early:.1f}", "")
    table.add_row(f"{done}", f"{held:.1f}", f"{held / early:.3f}")
    table.add_row("all written", f"{resident_mb():.1f}", f"{resident_mb() / early:.3f}")
    return table


def resident_mb() -> float:
    """How much memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


KINDS = ("jpeg", "grainy jpeg", "png", "grainy png")


def make_pages(folder: Path, wanted: Sequence[str] = KINDS) -> dict[str, list[Path]]:
    """Fill and scan the admission form, with two rows of boxes more to make them 60.

    Returns:
        The files of each kind of scan; each kind in a folder of its name.
    """
    form = folder / "form"
    _, page = make_blank("admission-form", form)
    template = _with_further_boxes(form, page)
    assert sum(len(field.boxes) for field in template.fields) == 60
    kinds: dict[str, list[Path]] = {kind: [] for kind in wanted}
    for kind in kinds:
        (folder / kind).mkdir()
    for seed in range(HANDS):
        clean = _make_page(template, page, seed)
        grainy = _with_grain(clean, seed)
        for kind, paths in kinds.items():
            suffix = ".jpg" if kind.endswith("jpeg") else ".png"
            image = grainy if kind.startswith("grainy") else clean
            first = folder / kind / f"{seed:02}-0{suffix}"
            save_scan(image, first, "grey", DPI)
            paths.append(first)
            for copy in range(1, COPIES_EACH):
                paths.append(first.with_name(f"{seed:02}-{copy}{suffix}"))
                paths[-1].write_bytes(first.read_bytes() + copy.to_bytes())
    return kinds


def make_forms(folder: Path) -> None:
    """Put the form among others like it, of rows of boxes that no other has."""
    shutil.copytree(folder / "form", folder / "forms" / "form")
    rng = np.random.default_rng(5)
    for form in range(FORMS - 1):
        text, top, number = OTHER.format(number=form), rng.uniform(30, 50), 0
        while top < 265:
            count, width = int(rng.integers(3, 11)), rng.uniform(6.5, 8.5)
            left = rng.uniform(20, 185 - width * count)
            text += FIELD.format(number=number, left=left, top=top, width=width, count=count)
            top, number = top + rng.uniform(15, 45), number + 1
        (folder / "forms" / f"form-{form}.yaml").write_text(text)


def _with_grain(scan: GreyImage, seed: int) -> GreyImage:
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(0, GRAIN, scan.shape[:2]), (0, 0), 0.6)
    # Blur takes most of the noise's strength; paper is not all white, or grain would be cut off.
    grain *= GRAIN / grain.std() / 2
    levels = scan.astype(np.float64) - GRAIN + (grain[..., None] if scan.ndim == 3 else grain)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _with_further_boxes(form: Path, page: GreyImage) -> FormTemplate:
    text = (form / "template.yaml").read_text()
    fields = "".join(FURTHER.format(number=i, top=top) for i, top in enumerate((70, 107)))
    (form / "template.yaml").write_text(text.replace("\nchecks:", fields + "checks:"))
    template = load_template(form / "template.yaml")
    for box in (box for field in template.fields[-2:] for box in field.boxes):
        corners = [(round(box.left), round(box.top)), (round(box.right), round(box.bottom))]
        cv2.rectangle(page, *corners, color=(0, 0, 0), thickness=3)
    return template


def _make_page(template: FormTemplate, page: GreyImage, seed: int) -> GreyImage:
    rng = np.random.default_rng(seed)
    texts = {
        field.name: "".join(rng.choice(list("0123456789"), len(field.boxes)))
        for field in template.fields
    }
    layer = write_fields(template, texts, Writer.random(rng), Habit.random(rng), rng)
    lacking = [(0, page.shape[axis] - layer.shape[axis]) for axis in (0, 1)]
    written = apply_ink(page, np.pad(layer, lacking), INKS["blue"], rng)
    return degrade(written, SCAN, rng)


def in_turns(*jobs: Callable[[], float]) -> list[float]:
    """Do jobs that say how many seconds they took in turns, a first round not counted.

    Returns:
        The median seconds of each.
    """
    times = [[job() for job in jobs] for _ in range(ROUNDS + 1)][1:]
    return [statistics.median(each) for each in zip(*times, strict=True)]


def _seconds(job: Callable[[], None], clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    job()
    return clock() - start


def read(folder: Path, kind: str, forms: str = "form") -> None:
    """Do all that the command does, from finding the files to writing the CSVs."""
    output = prepared(folder / "out")
    extract_directly([folder / kind], folder / forms, output, handling=AT_ONCE)


def prepared(output: Path) -> Path:
    """Empty an output folder."""
    shutil.rmtree(output, ignore_errors=True)
    prepare_output(output)
    return output


def two_workers(folder: Path) -> float:
    """How many times as many pages two workers read as one in the same time."""
    documents = find_documents([folder / "jpeg"]).documents
    pages = [page for document in documents for page in list_pages(document)]
    jobs = equip(folder / "form").jobs(pages) * COPIES
    times = []
    for count in (1, 2):
        with Workers(count) as workers:
            results = workers.read_all(jobs)
            next(results)  # until then workers start, and load the network
            times.append(_seconds(partial(deque, results, maxlen=0), time.perf_counter))
    return times[0] / times[1]


def decoding(scans: Path) -> float:
    """Decode the files of a folder, and nothing else: in how many seconds, after a first time."""
    cv2.setNumThreads(1)

    def decode() -> None:
        for path in sorted(scans.iterdir()):
            cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)

    decode()
    return _seconds(decode)


def decoding_apart(scans: Path) -> float:
    """Do the same in a process of its own."""
    command = [sys.executable, __file__, "--decode", str(scans)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def first_result(folder: Path, scan: Path) -> float:
    """Time a job of one page as a process, from its start to its end, in seconds."""
    return _seconds(lambda: run_command(folder, scan), time.perf_counter)


def run_command(folder: Path, inputs: Path) -> None:
    """Run the command itself."""
    program = Path(sys.executable).with_name("formdigits")
    arguments = ["--templates", folder / "form", "--output", folder / "out", "--direct", "--force"]
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
    run_command(folder, folder / "jpeg")
    kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    (folder / "memory").write_text(str(kilobytes / 1000))


if __name__ == "__main__":
    main()
