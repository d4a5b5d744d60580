"""Markers: found however the page lies, three are enough, and other marks do no harm."""

from contextlib import suppress
from dataclasses import replace
from itertools import islice, product

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.choose import choose
from pipeline.errors import AlignmentError
from pipeline.geometry import Matrix
from pipeline.markers import find_marker_homographies
from pipeline.records import GreyImage
from tests.pipeline.forms import (
    CLAIM,
    MARKERS,
    all_corners,
    as_page,
    aslant,
    hand_in,
    ink_on,
    lay,
    misses,
    print_form,
    print_letter,
    scan,
)

MARKED = replace(CLAIM, markers=MARKERS)
CIRCLES = replace(CLAIM, markers=replace(MARKERS, shape="circle"))
TEXTS = {"number": "160483527", "phone": "9876501234", "amount": "_004711"}


@pytest.fixture(scope="module")
def sheet() -> GreyImage:
    """The form with square markers, filled in."""
    return ink_on(print_form(MARKED), hand_in(MARKED, TEXTS))


def nearest(image: GreyImage, lie: Matrix, among: int = 12) -> float:
    """How far off, in page pixels, boxes are by the best of the first guesses."""
    guesses = islice(find_marker_homographies(image, MARKERS, CLAIM.size), among)
    return min((misses(guess, lie, all_corners(CLAIM)).max() for guess in guesses), default=np.inf)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(0, 3),
    st.floats(-5, 5),
    st.floats(0.9, 0.96),
    st.sampled_from([0.7, 1.0, 1.6]),
)
def test_the_page_is_found_by_its_markers(sheet, quarters, degrees, scale, resolution) -> None:
    """However it is turned: one of the first guesses is right to a pixel or two."""
    lie, size = lay(
        CLAIM.size, quarters=quarters, degrees=degrees, scale=scale, resolution=resolution
    )
    assert nearest(scan(sheet, lie, size), lie) < 2.5


@pytest.mark.parametrize("lost", range(4))
def test_three_markers_are_enough(sheet: GreyImage, lost: int) -> None:
    """A stamp, a staple or a torn corner may take any one of them."""
    torn = sheet.copy()
    x, y = (round(length) for length in MARKERS.centres[lost])
    torn[y - 25 : y + 25, x - 25 : x + 25] = 255
    lie, size = lay(CLAIM.size, degrees=3, scale=0.97, shift=(6, -9))
    assert nearest(scan(torn, lie, size), lie) < 4


def test_round_markers_are_found_too() -> None:
    """As sharply as square ones."""
    page = print_form(CLAIM)
    for x, y in MARKERS.centres:
        cv2.circle(page, (round(x), round(y)), 15, 0, cv2.FILLED, cv2.LINE_AA)
    lie, size = lay(CLAIM.size, degrees=-4, scale=0.95)
    guesses = find_marker_homographies(scan(page, lie, size), CIRCLES.markers, CLAIM.size)
    assert min(misses(guess, lie, all_corners(CLAIM)).max() for guess in islice(guesses, 12)) < 2.5


def test_other_marks_do_not_hide_them(sheet: GreyImage) -> None:
    """Blots, ticked boxes and a logo of about their size."""
    spoilt = sheet.copy()
    for x, y in ((120, 330), (870, 520), (700, 1200), (330, 1280), (500, 60)):
        spoilt[y : y + 28, x : x + 30] = 20
    lie, size = lay(CLAIM.size, degrees=2, scale=0.98)
    assert nearest(scan(spoilt, lie, size), lie) < 2.5


def test_a_page_without_marks_gives_no_guess() -> None:
    """A blank sheet, and a letter of nothing but text."""
    blank = np.full((1400, 1000), 255, np.uint8)
    assert not list(find_marker_homographies(blank, MARKERS, CLAIM.size))
    assert not list(find_marker_homographies(print_letter(), MARKERS, CLAIM.size))


@pytest.mark.parametrize("focal", [0.65, 1.0])
def test_three_markers_mostly_do_on_a_photo_taken_aslant(sheet: GreyImage, focal: float) -> None:
    """Perspective puts the fourth elsewhere than the three say; broken frames close no cell.

    Most such pages are found, to a pixel or two; the others are refused.
    """
    broken = sheet.copy()
    for left, top in np.rint(all_corners(CLAIM)[::4]).astype(int):
        broken[top - 4 : top + 5, left + 14 : left + 24] = 255
        broken[top + 40 : top + 50, left - 4 : left + 5] = 255
    found = 0
    for lost, towards in product(range(4), (20, 110, 200, 290)):
        torn = broken.copy()
        x, y = np.rint(MARKERS.centres[lost]).astype(int)
        torn[max(y - 40, 0) : y + 40, max(x - 40, 0) : x + 40] = 255
        lie, size = aslant(CLAIM.size, 24, towards, focal)
        with suppress(AlignmentError):
            _, aligned = choose(as_page(scan(torn, lie, size)), [MARKED])
            assert misses(aligned.homography, lie, all_corners(CLAIM)).max() < 2.5
            found += 1
    assert found >= 9
