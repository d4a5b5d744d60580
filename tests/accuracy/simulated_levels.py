"""How well simulated pages are read, level by level, as a table.

    python tests/accuracy/simulated_levels.py --pages 200 --digits MNIST/t10k-images-idx3-ubyte.gz

The form is the sample admission form with two rows of boxes more, 60 in all. Without --digits,
simulated pens write. `--keep DIR` leaves the form, the scans, what was read, and their truth there.
The level `other` is pages of other forms, damaged as in the mix: nothing of them may be accepted.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table

from flows.direct import extract_directly
from flows.simulate import Order, make_pages, prepare
from pipeline.authoring.samples import make_blank
from pipeline.authoring.sheet import save_png
from pipeline.export import prepare_output
from pipeline.score import score
from pipeline.tables import read_csv
from pipeline.template import load_template

LEVELS = ("300", "200", "150", "100", "fax", "turned", "photo", "marker+corner", "mix", "other")
OTHERS = ("bank-cheque", "postal-card")
FURTHER = """\
  - name: receipt
    boxes: {x: 126, y: 70, width: 7, height: 8.5, count: 8, pitch: 7}
    checks: [luhn]
  - name: member
    boxes: {x: 126, y: 107, width: 7, height: 8.5, count: 8, pitch: 7}
"""
ALIGN = {
    "markers": "",
    "both": "  reference: blank.png\n",
    "reference": "  reference: blank.png\n",
    "none": "",
}


def main() -> None:
    """Make pages, read them, and print a row for each level."""
    wanted = parse(sys.argv[1:])
    table = Table("level", "boxes", "right", "failed pages", "fields accepted", "wrong accepted")
    read = {"other": read_others}
    with tempfile.TemporaryDirectory() as scratch:
        folder = wanted.keep or Path(scratch)
        form = make_form(folder / "form", wanted.align)
        for level in wanted.levels:
            table.add_row(level, *read.get(level, measure)(form, folder / level, level, wanted))
    Console().print(table)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--levels", nargs="*", default=LEVELS)
    parser.add_argument("--digits", type=Path)
    parser.add_argument("--writers", type=Path)
    parser.add_argument("--align", choices=ALIGN, default="markers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    return parser.parse_args(arguments)


def make_form(folder: Path, align: str) -> Path:
    """Draw the form of 60 boxes, aligned as asked: the path of its template."""
    _, page = make_blank("admission-form", folder)
    path = folder / "template.yaml"
    text = path.read_text().replace("\nchecks:", "\n" + FURTHER + "checks:")
    markers = next(line for line in text.splitlines() if "markers:" in line) + "\n"
    kept = markers if align in {"markers", "both"} else ""
    lines = f"align:\n{kept}{ALIGN[align]}" if align != "none" else ""
    path.write_text(text.replace("align:\n" + markers, lines))
    template = load_template(path)
    assert sum(len(field.boxes) for field in template.fields) == 60
    for box in (box for field in template.fields[-2:] for box in field.boxes):
        corners = [(round(box.left), round(box.top)), (round(box.right), round(box.bottom))]
        cv2.rectangle(page, *corners, color=(26, 26, 26), thickness=3)
    save_png(page, folder / "blank.png")
    return folder


def measure(form: Path, folder: Path, level: str, wanted: argparse.Namespace) -> tuple[str, ...]:
    """Make a level's pages, read them, and compare with the truth: a row of figures."""
    make(form / "template.yaml", folder, level, wanted, page=str(form / "blank.png"))
    failed = read_scans(folder, form)
    figures = score(folder / "read", folder / "truth.csv")
    return (
        str(figures.boxes.count),
        f"{100 * (figures.boxes.accuracy or 0):.2f} %",
        f"{failed} of {wanted.pages}",
        f"{figures.accepted} of {figures.fields.count}",
        str(figures.wrong_accepted),
    )


def read_others(
    form: Path, folder: Path, level: str, wanted: argparse.Namespace
) -> tuple[str, ...]:
    """Read pages of other forms: a row in which all that is accepted is wrong."""
    failed = accepted = fields = 0
    for name in OTHERS:
        make_blank(name, folder / name)
        blank = str(folder / name / "blank.png")
        make(folder / name / "template.yaml", folder / name, "mix", wanted, page=blank)
        failed += read_scans(folder / name, form)
        flags = read_csv(folder / name / "read" / "fields.csv", ("flag",))["flag"]
        accepted, fields = accepted + int((flags == "accepted").sum()), fields + len(flags)
    return (
        "-",
        "-",
        f"{failed} of {len(OTHERS) * wanted.pages}",
        f"{accepted} of {fields}",
        str(accepted),
    )


def make(
    template: Path, folder: Path, level: str, wanted: argparse.Namespace, *, page: str
) -> None:
    """Make the pages of a level."""
    order = Order(
        template=template,
        output=folder,
        count=wanted.pages,
        degrade=level,
        digits=wanted.digits,
        writers=wanted.writers,
        values=None,
        page=page,
        dpi=300,
        seed=wanted.seed,
        force=True,
    )
    for _ in make_pages(prepare(order)):
        pass


def read_scans(folder: Path, form: Path) -> int:
    """Read a folder's scans, and count the pages that failed."""
    output = folder / "read"
    prepare_output(output)
    extract_directly([folder / "scans"], form, output)
    return int((read_csv(output / "pages.csv", ("status",))["status"] == "failed").sum())


if __name__ == "__main__":
    main()
