"""The sample forms: committed whole, true to their template, and made again from their code."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.authoring.sample_texts import SCANS
from pipeline.authoring.samples import FORMS, fill_scan, make_blank, write_truth
from pipeline.authoring.scan_files import save_scan
from pipeline.template import FormTemplate, load_template

SAMPLES = Path(__file__).parents[3] / "sample_forms"


def truth_of(name: str) -> dict[str, dict[str, str]]:
    """Read a form's truth.csv as document -> field -> raw."""
    rows: dict[str, dict[str, str]] = {}
    with (SAMPLES / name / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert row["page"] == "1"
            rows.setdefault(row["document"], {})[row["field"]] = row["raw"]
    return rows


def quantity(raw: str) -> int:
    """Read a number whose empty boxes stand before it."""
    return int(raw.lstrip("_X"))


@pytest.fixture(scope="module", params=list(FORMS))
def name(request: pytest.FixtureRequest) -> str:
    """Each form in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def template(name: str) -> FormTemplate:
    """The form's committed template."""
    return load_template(SAMPLES / name / "template.yaml")


def test_truth_lists_every_box_of_every_scan(name: str, template: FormTemplate) -> None:
    """Six scans lie there, and truth.csv has a character for each box of each."""
    truth = truth_of(name)
    assert sorted(truth) == sorted(path.name for path in (SAMPLES / name / "scans").iterdir())
    assert len(truth) == 6
    for fields in truth.values():
        assert list(fields) == [field.name for field in template.fields]
        for field in template.fields:
            assert len(fields[field.name]) == len(field.boxes)
            assert set(fields[field.name]) <= set("0123456789_X")


def test_each_form_has_a_blank_and_a_struck_box(name: str) -> None:
    """Among its scans a box is left blank, and one is struck out."""
    everything = "".join(raw for fields in truth_of(name).values() for raw in fields.values())
    assert "_" in everything
    assert "X" in everything


def test_sums_hold(name: str, template: FormTemplate) -> None:
    """What the forms' own checks demand is true of what is written."""
    for check in template.checks:
        for fields in truth_of(name).values():
            *parts, total = check.fields
            assert sum(quantity(fields[part]) for part in parts) == quantity(fields[total])


def test_the_blank_has_the_templates_size(name: str, template: FormTemplate) -> None:
    """blank.png is the template at 300 dpi, and every box's frame is printed there."""
    with Image.open(SAMPLES / name / "blank.png") as picture:
        grey = np.asarray(picture.convert("L"))
    assert grey.shape == pytest.approx(template.size, abs=1.5)
    for field in template.fields:
        for box in field.boxes:
            left, top, right, bottom = (
                round(edge) for edge in (box.left, box.top, box.right, box.bottom)
            )
            for edge in (left, right):
                assert grey[top + 15 : bottom - 15, edge - 3 : edge + 4].min(axis=1).max() < 130
            assert grey[top + 8 : bottom - 8, left + 8 : right - 8].min() > 200


def test_a_form_is_made_again_alike(name: str, tmp_path: Path) -> None:
    """Code and seed give the same bytes twice, and the template, truth and a scan as committed."""
    template, page = make_blank(name, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    make_blank(name, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    write_truth(tmp_path / "truth.csv", template, SCANS[name])
    for text in ("template.yaml", "truth.csv"):
        assert (tmp_path / text).read_bytes() == (SAMPLES / name / text).read_bytes()
    scan = SCANS[name][2]
    images = [fill_scan(name, template, page, scan) for _ in range(2)]
    assert np.array_equal(*images)
    with Image.open(SAMPLES / name / "scans" / scan.document) as committed:
        assert committed.size == images[0].shape[1::-1]


def test_scans_vary_as_scanners_do() -> None:
    """Among a form's scans are four kinds of file, three resolutions, colour and grey."""
    scans = [scan for scans in SCANS.values() for scan in scans]
    assert {Path(scan.document).suffix for scan in scans} == {".jpg", ".png", ".tif", ".pdf"}
    assert {scan.dpi for scan in scans} == {150, 200, 300}
    assert {scan.colours for scan in scans} == {"colour", "grey", "grey16", "bilevel"}
    assert len({scan.seed for scan in scans}) == len(scans)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".pdf"])
@pytest.mark.parametrize("colours", ["colour", "grey", "grey16", "bilevel"])
def test_a_scan_is_written_alike_twice(suffix: str, colours: str, tmp_path: Path) -> None:
    """A file holds nothing of the clock, in any format."""
    image = np.full((40, 60, 3), 200, np.uint8)
    image[10:20, 5:50] = 30
    paths = [tmp_path / name / f"scan{suffix}" for name in ("first", "second")]
    for path in paths:
        path.parent.mkdir()
        save_scan(image, path, colours, 200)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_no_other_kind_of_file_is_written(tmp_path: Path) -> None:
    """A suffix that no scanner writes is refused."""
    with pytest.raises(ValueError, match="gif"):
        save_scan(np.zeros((4, 4, 3), np.uint8), tmp_path / "scan.gif", "grey", 200)
