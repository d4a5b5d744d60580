"""Makes the sample forms: `python -m pipeline.authoring.samples sample_forms`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.random import Generator

from pipeline.authoring import admission_form, bank_cheque, postal_card
from pipeline.authoring.degrade import DEGRADATIONS, degrade
from pipeline.authoring.fill import INKS, Habit, apply_ink, write_fields
from pipeline.authoring.pen import Writer
from pipeline.authoring.sample_texts import SCANS, Scan
from pipeline.authoring.scan_files import save_scan
from pipeline.authoring.sheet import DPI, Sheet, print_page, save_png
from pipeline.authoring.words import sign, write_line
from pipeline.records import Floats, GreyImage
from pipeline.template import FormTemplate, load_template

FORMS: Mapping[str, ModuleType] = {
    "admission-form": admission_form,
    "bank-cheque": bank_cheque,
    "postal-card": postal_card,
}


def main(arguments: list[str]) -> None:
    """Write every sample form below the folder that is the only argument."""
    for name in FORMS:
        make_form(name, Path(arguments[0]) / name)


def make_form(name: str, folder: Path) -> None:
    """Write one form: its template, its blank page, its scans, and their truth."""
    template, page = make_blank(name, folder)
    (folder / "scans").mkdir(exist_ok=True)
    for scan in SCANS[name]:
        image = fill_scan(name, template, page, scan)
        save_scan(image, folder / "scans" / scan.document, scan.colours, scan.dpi)
    write_truth(folder / "truth.csv", template, SCANS[name])


def make_blank(name: str, folder: Path) -> tuple[FormTemplate, GreyImage]:
    """Write a form's template.yaml, blank.pdf and blank.png.

    Returns:
        The template, and the blank page as uint8 (H, W, 3) at 300 dpi.
    """
    form = FORMS[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "template.yaml").write_text(form.TEMPLATE, encoding="utf-8")
    width, height = form.SIZE
    sheet = Sheet(folder / "blank.pdf", width, height, title=name)
    form.draw(sheet)
    sheet.save()
    page = print_page(folder / "blank.pdf")
    save_png(page, folder / "blank.png")
    return load_template(folder / "template.yaml"), page


def fill_scan(name: str, template: FormTemplate, page: GreyImage, scan: Scan) -> GreyImage:
    """Fill a blank page in one person's hand, and scan it.

    Args:
        name: Which form.
        template: Its template.
        page: Its blank page, uint8 (H, W, 3) at 300 dpi.
        scan: What is written, and how it is scanned.

    Returns:
        The scan as uint8 (h, w, 3), at the scan's own resolution.
    """
    rng = np.random.default_rng(scan.seed)
    writer = Writer.random(rng)
    habit = Habit.random(rng)
    layer = write_fields(template, scan.texts(template), writer, habit, rng)
    _write_words(layer, FORMS[name], scan, (writer, habit.pen_px), rng)
    written = apply_ink(page, _fit(layer, page), INKS[scan.ink], rng)
    strengths = {**scan.strengths, "resolution": DPI / scan.dpi - 1}
    in_order = {step: strengths[step] for step in DEGRADATIONS if step in strengths}
    return degrade(written, in_order, rng)


def _fit(layer: Floats, page: GreyImage) -> Floats:
    """Pad by the pixel by which the printed page is larger than the template."""
    lacking = [(0, page.shape[axis] - layer.shape[axis]) for axis in (0, 1)]
    return np.pad(layer, lacking)


def _write_words(
    layer: Floats, form: ModuleType, scan: Scan, hand: tuple[Writer, float], rng: Generator
) -> None:
    scale = DPI / 25.4
    for place, text in zip(form.LINES.values(), scan.words, strict=True):
        x, y, length = (scale * part for part in place)
        write_line(layer, text, (x, y, length), hand, rng)
    x, y, length = (scale * part for part in form.SIGNATURE)
    sign(layer, (x, y, length), hand, rng)


def write_truth(path: Path, template: FormTemplate, scans: tuple[Scan, ...]) -> None:
    """Write truth.csv: what stands in every box of every scan."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["document", "page", "field", "raw"])
        for scan in scans:
            for field, raw in scan.texts(template).items():
                writer.writerow([scan.document, 1, field, raw])


if __name__ == "__main__":
    main(sys.argv[1:])
