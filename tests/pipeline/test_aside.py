"""A form's rows fit a page one box aside too; a page is never read there."""

import cv2
import numpy as np
import pytest

from pipeline.aside import alike_shifts, is_beyond_doubt, places_aside
from pipeline.choose import choose
from pipeline.errors import AlignmentError
from pipeline.geometry import translation
from pipeline.records import GreyImage
from pipeline.sketch import Sketch
from tests.pipeline.forms import (
    CLAIM,
    all_corners,
    as_page,
    draw_frames,
    field,
    form,
    lay,
    misses,
    print_form,
    row,
    scan,
)

STEP = CLAIM.fields[0].boxes[1].left - CLAIM.fields[0].boxes[0].left
TABLE = form("table", *(field(f"row_{n}", row(200, 150 + 90 * n, 6)) for n in range(12)))


def test_rows_lie_upon_themselves_again_a_box_further_on() -> None:
    """A shift by a box is known with its share, and one by a row where rows are alike."""
    shifts, shares = alike_shifts(CLAIM)
    assert np.hypot(*(shifts - (STEP, 0)).T).min() < 4
    assert (shares < 1).all()
    down, _ = alike_shifts(TABLE)
    assert np.hypot(*(down - (0, 90)).T).min() < 1


def test_a_page_that_is_seen_whole_leaves_no_doubt_and_one_laid_aside_does() -> None:
    """The boxes at the ends of the rows tell."""
    page = Sketch(as_page(print_form(CLAIM)), [CLAIM])
    assert is_beyond_doubt(page.rows, CLAIM, np.eye(3))
    assert not is_beyond_doubt(page.rows, CLAIM, translation(STEP, 0))
    aside = places_aside(CLAIM, np.eye(3))
    assert not any(is_beyond_doubt(page.rows, CLAIM, place) for place in aside)


def broken(end: int) -> GreyImage:
    """The form with the outer line of each row broken at one end: no cells are seen there."""
    sheet = print_form(CLAIM)
    for spec in CLAIM.fields:
        box = spec.boxes[end]
        x = round(box.right if end else box.left)
        sheet[round(box.top) + 8 : round(box.top) + 22, x - 4 : x + 5] = 255
    return sheet


@pytest.mark.parametrize("end", [0, -1])
@pytest.mark.parametrize("degrees", [-5, 0, 4])
def test_rows_whose_ends_are_hard_to_see_are_not_taken_for_others(end: int, degrees: int) -> None:
    """The frames are asked where the cells leave a doubt."""
    lie, size = lay(CLAIM.size, degrees=degrees, shift=(20, 0))
    _, aligned = choose(as_page(scan(broken(end), lie, size)), [CLAIM])
    assert misses(aligned.homography, lie, all_corners(CLAIM)).max() < 2


@pytest.mark.parametrize("tint", [200, 225])
@pytest.mark.parametrize("degrees", [-5, 3])
def test_boxes_on_a_tinted_ground_are_not_taken_for_their_neighbours(
    tint: int, degrees: int
) -> None:
    """Shaded boxes are seen as cells less surely, and the one at the end least of all."""
    sheet = print_form(CLAIM)
    for box in (box for spec in CLAIM.fields for box in spec.boxes):
        edges = (round(each) for each in (box.left, box.top, box.right, box.bottom))
        left, top, right, bottom = edges
        cv2.rectangle(sheet, (left, top), (right, bottom), tint, thickness=-1)
    draw_frames(sheet, [box for spec in CLAIM.fields for box in spec.boxes])
    lie, size = lay(CLAIM.size, degrees=degrees, shift=(-25, 10))
    _, aligned = choose(as_page(scan(sheet, lie, size)), [CLAIM])
    assert misses(aligned.homography, lie, all_corners(CLAIM)).max() < 2


@pytest.mark.parametrize("rows_lost", [1, 3, 6])
def test_a_table_cut_off_above_is_not_accepted_a_row_aside(rows_lost: int) -> None:
    """Nobody can tell from the rows which are left: the page is found, refused, or doubted."""
    cut = 150 + 90 * rows_lost - 40
    rest = print_form(TABLE)[cut:].copy()
    try:
        _, aligned = choose(as_page(rest), [TABLE])
    except AlignmentError:
        return
    off = misses(aligned.homography, translation(0, -cut), all_corners(TABLE)).max()
    assert aligned.residual_px is None or off < 5
