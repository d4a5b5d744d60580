"""The figures of the README on real paper; the scans are not the project's to publish."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.score import Score, score

DATA = Path(__file__).parents[3] / "shared" / "data"
TEMPLATES = Path(__file__).parent / "templates"
BLANK = "_"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"real scans are not published; put them into {DATA.name}/ to run"
)

Row = tuple[str, str, str]


@pytest.fixture
def read(tmp_path: Path, formdigits: Callable[..., Any]) -> Callable[..., Score]:
    """Read scans by the real command and score them against rows of document, field, raw."""

    def run(scans: list[Path], templates: Path, truth: Iterator[Row]) -> Score:
        inbox, output = tmp_path / "inbox", tmp_path / "output"
        inbox.mkdir()
        for scan in scans:
            (inbox / scan.name).symlink_to(scan)
        with (tmp_path / "truth.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("document", "page", "field", "raw"))
            writer.writerows((document, 1, field, raw) for document, field, raw in truth)
        formdigits("extract", inbox, "--templates", templates, "--output", output, "--direct")
        return score(output, tmp_path / "truth.csv")

    return run


def labels(folder: str) -> list[dict[str, str]]:
    """The labels that people gave a set of scans."""
    with (DATA / folder / "labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_cheque_dates(read: Callable[..., Score]) -> None:
    """Date boxes are found on each cheque; with the calendar 99.4 % of them are right."""
    rows = labels("cheques_axis")
    scans = [DATA / "cheques_axis" / row["image"] for row in rows]
    truth = ((Path(row["image"]).name, "date", row["date_digits"]) for row in rows)
    result = read(scans, TEMPLATES / "axis-cheque.yaml", truth)
    assert result.boxes.count == 240
    assert (result.boxes.accuracy or 0) >= 0.994
    assert result.wrong_accepted == 0
    assert result.accepted >= 24  # 85 % of the 28 that people can read


def test_proposal_form(read: Callable[..., Score], tmp_path: Path) -> None:
    """Two pages are told apart, aligned by their blank pages, and 99.4 % of digits are right."""
    templates, source = tmp_path / "templates", DATA / "sbi_proposal_form"
    for page in (1, 2):
        folder = templates / f"sbi-proposal-{page}"
        folder.mkdir(parents=True)
        shutil.copy(TEMPLATES / f"sbi-proposal-{page}.yaml", folder / "template.yaml")
        shutil.copy(source / f"template_000{page}.jpg", folder / "blank.jpg")
    rows = [row for row in labels("sbi_proposal_form") if row["per_digit_boxes"] == "1"]
    scans = [source / f"scan_{page}_page.jpg" for page in (1, 2)]
    truth = ((row["image"], row["field"], row["value"]) for row in rows)
    result = read(scans, templates, truth)
    assert result.states["digit"].count == 373
    assert (result.states["digit"].accuracy or 0) >= 0.994
    assert result.wrong_accepted == 0


def test_customer_form(read: Callable[..., Score]) -> None:
    """A European hand in boxes of uneven width, without markers or reference: 97 % are right."""
    rows = labels("customer_update_form")
    scans = [DATA / "customer_update_form" / "form_example1.png"]
    truth = (
        (row["image"], row["field"], row["value"].ljust(int(row["n_boxes"]), BLANK)) for row in rows
    )
    result = read(scans, TEMPLATES / "customer-update.yaml", truth)
    assert result.states["digit"].count == 73
    assert (result.states["digit"].accuracy or 0) >= 0.97
    assert result.wrong_accepted == 0


SHEETS = {
    "tally-data": "c.hasil_data.png",
    "tally-candidates": "c.hasil_dpr_s10_v2.png",
    "tally-pairs": "c.hasil_pwp_3.png",
}


def test_photographed_tally_sheets(read: Callable[..., Score], tmp_path: Path) -> None:
    """Six phone photos find their three forms; frames too pale to be seen never mislead."""
    templates, source = tmp_path / "templates", DATA / "cdigital_forms"
    for name, blank in SHEETS.items():
        folder = templates / name
        folder.mkdir(parents=True)
        shutil.copy(TEMPLATES / f"{name}.yaml", folder / "template.yaml")
        shutil.copy(source / "templates" / blank, folder / "blank.png")
    rows = labels("cdigital_forms")
    scans = sorted({source / row["image"] for row in rows})
    truth = ((Path(row["image"]).name, row["field"], row["value"]) for row in rows)
    result = read(scans, templates, truth)
    assert result.boxes.count == 309
    assert (result.boxes.accuracy or 0) >= 0.96
    assert result.wrong_accepted == 0
