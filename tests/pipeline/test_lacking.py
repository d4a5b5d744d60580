"""A field that lies half on what is missing of a page is never taken for a shorter one."""

import numpy as np
import pytest

from models.classifier import load_classifier
from pipeline.lacking import is_parted
from pipeline.page import read_pages
from pipeline.recognize import Classifier
from pipeline.records import Flag, GreyImage, PageResult
from tests.pipeline.forms import as_page, field, form, hand_in, ink_on, print_form, row

LEVELS = {"torn": 255, "grey": 150, "black": 0}
SHEET = form(
    "sheet",
    field("number", row(180, 240, 9)),
    field("day", row(90, 420, 6)),
    field("code", row(120, 640, 6, gap=14)),
    field("amount", row(460, 900, 9)),
    field("phone", row(240, 1120, 10)),
)
TEXTS = {"number": "160483527", "day": "040720", "code": "385146", "amount": "385104279"}


@pytest.fixture(scope="module")
def network() -> Classifier:
    """The committed network."""
    return load_classifier()


@pytest.fixture(scope="module")
def page() -> GreyImage:
    """The filled form; the phone number was left out."""
    return ink_on(print_form(SHEET), hand_in(SHEET, TEXTS))


def read(image: GreyImage, network: Classifier) -> PageResult:
    """Read a page."""
    return read_pages([as_page(image)], [SHEET], network)[0]


@pytest.mark.parametrize("column", [502, 560, 640])
@pytest.mark.parametrize("lack", ["cut", *LEVELS])
def test_a_field_cut_through_goes_to_a_person(
    page: GreyImage, network: Classifier, lack: str, column: int
) -> None:
    """Whatever is there instead of its last boxes; the fields beside it are read."""
    image = page.copy()
    if lack == "cut":
        image = np.ascontiguousarray(image[:, :column])
    else:
        image[:, column:] = LEVELS[lack]
    result = read(image, network)
    fields = {one.field: one for one in result.fields}
    ends = {spec.name: spec.boxes[-1].right for spec in SHEET.fields}
    for name, one in fields.items():
        if one.flag == Flag.ACCEPTED:
            assert ends[name] <= column + 6
            assert one.raw == TEXTS.get(name, "_" * len(one.raw))
        elif ends[name] > column + 6:
            assert "alignment" in one.reasons
    for name in ("day", "code"):
        assert "alignment" not in fields[name].reasons
    assert "part of the page is missing" in result.reason
    assert "phone" in result.reason


def test_of_a_whole_page_nothing_is_missing(page: GreyImage, network: Classifier) -> None:
    """Its blank fields are blank."""
    result = read(page, network)
    assert result.reason == ""
    assert result.fields[-1].flag == Flag.ACCEPTED
    assert not any("alignment" in one.reasons for one in result.fields)


def test_points_on_both_sides_are_not_parted() -> None:
    """Only what lies on one side of a line can be cut off."""
    grid = np.array([(x, y) for x in range(5) for y in range(5)], np.float64)
    beyond = grid @ (1, 1) > 4
    assert is_parted(grid[beyond], grid[~beyond])
    middle = (np.abs(grid - 2) < 1).all(axis=1)
    assert not is_parted(grid[middle], grid[~middle])
    assert not is_parted(grid[:3], grid[:0])


def test_broken_frames_are_no_tear(network: Classifier) -> None:
    """Only the field of a blank box without frame is missing, not one whose frames are broken."""
    texts = TEXTS | {"code": "38_146", "phone": "7302915846"}
    page = ink_on(print_form(SHEET), hand_in(SHEET, texts))
    boxes = {field.name: field.boxes for field in SHEET.fields}
    lost = boxes["code"][2]
    top, bottom, left, right = (
        round(each) for each in (lost.top - 5, lost.bottom + 6, lost.left - 5, lost.right + 6)
    )
    page[top:bottom, left:right] = 255
    for place, box in enumerate(boxes["amount"]):
        y = round((box.top, box.bottom)[place % 2])
        page[y - 4 : y + 5, round(box.left) + 6 : round(box.right) - 5] = 255
    result = read(page, network)
    missing = {field.field for field in result.fields if "alignment" in field.reasons}
    assert missing == {"code"}
    assert result.reason == ""
