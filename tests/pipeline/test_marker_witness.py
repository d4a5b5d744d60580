"""Markers speak for a form where they are, and against it only where there are none at all."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.geometry import scaling, translation
from pipeline.marker_witness import see_markers
from pipeline.page import cut_page, fields_found
from pipeline.records import GreyImage
from tests.pipeline.forms import (
    CLAIM,
    MARKERS,
    all_corners,
    as_page,
    aslant,
    draw_frames,
    field,
    form,
    hand_in,
    ink_on,
    misses,
    print_form,
    row,
    scan,
    write_line,
)

HERE = np.eye(3)
TEXTS = {"student": "31415926", "room": "2718", "q00": "_42", "q31": "907", "sum": "__77"}
MARKED = replace(CLAIM, markers=MARKERS)
RESULTS = form(
    "results",
    field("student", row(120, 220, 8)),
    field("room", row(640, 220, 4)),
    *(field(f"q{i}{c}", row(254 + 400 * c, 360 + 70 * i, 3)) for c in range(2) for i in range(9)),
    field("sum", row(680, 1060, 4)),
    markers=MARKERS,
)
"""Most of its boxes lie on boxes again when it is turned and moved by one of them."""


def results() -> GreyImage:
    """A filled page of it; its labels stand beside the boxes."""
    page = np.full((1400, 1000), 255, np.uint8)
    draw_frames(page, [box for spec in RESULTS.fields for box in spec.boxes])
    for x, y in MARKERS.centres:
        page[round(y) - 15 : round(y) + 15, round(x) - 15 : round(x) + 15] = 0
    for spec in RESULTS.fields[2:]:
        write_line(
            page, spec.name, (round(spec.boxes[-1].right) + 20, round(spec.boxes[0].bottom)), 1
        )
    return ink_on(page, hand_in(RESULTS, TEXTS))


def bend(image: GreyImage, lens: float) -> GreyImage:
    """See a page through a lens that draws its corners in, or out where less than 0."""
    height, width = image.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = x - width / 2, y - height / 2
    more = 1 + lens * (x**2 + y**2) / (width**2 + height**2) * 4
    places = (x * more + width / 2).astype(np.float32), (y * more + height / 2).astype(np.float32)
    return cv2.remap(image, *places, cv2.INTER_LINEAR, borderValue=90)


def test_markers_say_yes_where_they_are_and_no_where_none_is() -> None:
    """A page with markers elsewhere is another form."""
    page = print_form(MARKED)
    size = MARKED.size
    assert see_markers(page, MARKERS, size, HERE) is True
    assert see_markers(print_form(CLAIM), MARKERS, size, HERE) is False
    elsewhere = translation(500, 700) @ scaling(0.8, 0.8) @ translation(-500, -700)
    assert see_markers(page, MARKERS, size, elsewhere) is False


@pytest.mark.parametrize("scale", [1, 0.97])
def test_a_marker_of_which_only_the_rim_is_left_is_one(scale: float) -> None:
    """Telephones that make a page black and white do that."""
    page = print_form(MARKED)
    for x, y in MARKERS.centres:
        page[round(y) - 9 : round(y) + 9, round(x) - 9 : round(x) + 9] = 255
    lie = translation(500, 700) @ scaling(scale, scale) @ translation(-500, -700)
    assert see_markers(page, MARKERS, MARKED.size, lie) is (True if scale == 1 else None)


@pytest.mark.parametrize("scale", [0.97, 1.03])
def test_markers_that_are_near_on_all_sides_say_nothing(scale: float) -> None:
    """They are there, but not where the plane through the boxes has them."""
    wider = translation(500, 700) @ scaling(scale, scale) @ translation(-500, -700)
    assert see_markers(print_form(MARKED), MARKERS, MARKED.size, wider) is None


@pytest.mark.parametrize("shift", [(30, 0), (0, -28), (-20, 20)])
def test_markers_that_are_all_aside_say_no(shift: tuple[float, float]) -> None:
    """Boxes were taken for those beside them."""
    moved = translation(*shift)
    assert see_markers(print_form(MARKED), MARKERS, MARKED.size, moved) is False


@pytest.mark.parametrize("lens", [0.01, 0.025, 0.05, -0.01, -0.02])
def test_a_page_seen_through_a_lens_is_not_laid_upside_down(lens: float) -> None:
    """Its frames say which way up it is, though its markers lie aside."""
    framed = cv2.copyMakeBorder(results(), *4 * (60,), cv2.BORDER_CONSTANT, value=90)
    page = cut_page(as_page(bend(framed, lens)), [RESULTS])
    assert page.aligned.homography[0, 0] > 0.9
    assert all(fields_found(page))


@pytest.mark.parametrize("towards", range(0, 360, 45))
def test_a_page_taken_aslant_is_not_laid_upside_down(towards: int) -> None:
    """Most of its boxes have partners the other way up, the others have none."""
    lie, size = aslant(RESULTS.size, 20, towards, 0.8)
    page = cut_page(as_page(scan(results(), lie, size)), [RESULTS])
    assert misses(page.aligned.homography, lie, all_corners(RESULTS)).max() < 4
