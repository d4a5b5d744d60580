"""What a scan shows of a page: the boxes before the tear, and how far the page's sides are off."""

import numpy as np
import pytest

from pipeline.geometry import Matrix, translation
from pipeline.records import GreyImage
from pipeline.remnant import find_shown, part_of, print_points, sides_off, unexplained
from pipeline.sketch import Sketch
from tests.pipeline.forms import CLAIM, ORDER, as_page, lay, print_form

BOXES = [box for spec in CLAIM.fields for box in spec.boxes]


def sketch(image: GreyImage) -> Sketch:
    """Take an image for a page of the form."""
    return Sketch(as_page(image), [CLAIM])


@pytest.mark.parametrize("column", [400, 520, 640])
def test_boxes_beyond_the_tear_are_not_shown(column: int) -> None:
    """And those before it are, all but a box or two beside it."""
    page = print_form(CLAIM)
    page[:, column:] = 255
    torn = sketch(page)
    shown = find_shown(torn, CLAIM, np.eye(3), print_points(torn.rows))
    assert shown is not None
    for box, each in zip(BOXES, shown.boxes, strict=True):
        assert each or box.right > column - 2 * box.width
        assert not each or box.right < column + 10


def test_a_part_keeps_what_is_shown() -> None:
    """Fields with all their boxes, or some; single boxes of longer fields say too little."""
    shown = np.array([box.right < 300 for box in BOXES])
    part = part_of(CLAIM, shown)
    counts = {spec.name: len(spec.boxes) for spec in part.fields}
    assert counts == {"number": 2, "code": 2}


@pytest.mark.parametrize("quarters", range(4))
def test_sides_are_off_by_what_a_page_was_moved(quarters: int) -> None:
    """However it was turned; one that is missing does not count."""
    lie, size = lay(CLAIM.size, quarters=quarters)
    assert sides_off(lie, CLAIM.size, size) < 1e-6
    half = (size[0] // 2, size[1])
    assert sides_off(lie, CLAIM.size, half) < 1e-6
    moved: Matrix = translation(70, 70) @ lie
    assert sides_off(moved, CLAIM.size, size) == pytest.approx(70 / 1400)


def test_rows_of_another_form_are_not_explained() -> None:
    """Those of its own are."""
    assert unexplained(sketch(print_form(CLAIM)).rows, CLAIM, np.eye(3)) == 0
    assert unexplained(sketch(print_form(ORDER)).rows, CLAIM, np.eye(3)) > 0.5
