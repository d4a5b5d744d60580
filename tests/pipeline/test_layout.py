"""Layout: the skew is measured, and the boxes alone say how a page lies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.edges import measure_skew
from pipeline.layout import find_layout_homographies
from pipeline.records import GreyImage
from pipeline.sketch import Sketch
from tests.pipeline.forms import (
    CLAIM,
    all_corners,
    as_page,
    hand_in,
    ink_on,
    lay,
    misses,
    print_form,
    print_letter,
    scan,
)

TEXTS = {"number": "160483527", "phone": "9876501234", "amount": "_004711"}
angles = st.floats(-8, 8)


def sketch(image: GreyImage) -> Sketch:
    """What is found on a scan that may be the form."""
    return Sketch(as_page(image), [CLAIM])


@pytest.fixture(scope="module")
def sheet() -> GreyImage:
    """The form, filled in."""
    return ink_on(print_form(CLAIM), hand_in(CLAIM, TEXTS))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(angles)
def test_the_skew_of_a_form_is_measured(sheet: GreyImage, degrees: float) -> None:
    """To a fifth of a degree, clockwise."""
    lie, size = lay(CLAIM.size, degrees=degrees)
    assert measure_skew(scan(sheet, lie, size)) == pytest.approx(degrees, abs=0.2)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(angles)
def test_the_skew_of_text_is_measured(degrees: float) -> None:
    """Lines of text serve as well, to half a degree."""
    page = print_letter()
    lie, size = lay(page.shape, degrees=degrees)
    assert measure_skew(scan(page, lie, size)) == pytest.approx(degrees, abs=0.5)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    st.integers(0, 3),
    st.floats(-5, 5),
    st.floats(0.94, 1.05),
    st.tuples(st.floats(-40, 40), st.floats(-40, 40)),
)
def test_one_guess_is_within_half_a_box(sheet, quarters, degrees, scale, shift) -> None:
    """Near enough for the frames to decide, whichever way the page was turned."""
    lie, size = lay(CLAIM.size, quarters=quarters, degrees=degrees, scale=scale, shift=shift)
    image = scan(sheet, lie, size)
    for guesses in find_layout_homographies(sketch(image), CLAIM):
        off = [misses(guess, lie, all_corners(CLAIM)).max() for guess in guesses]
        if min(off) < 0.42 * 56:
            return
    pytest.fail("no guess was near")


def test_turns_that_fit_the_format_come_first() -> None:
    """Upright ones where the scan is upright, those on their side where it is not."""
    for shape, first in (((1400, 1000), {0, 2}), ((1000, 1400), {1, 3})):
        turns = []
        for guesses in find_layout_homographies(sketch(np.full(shape, 255, np.uint8)), CLAIM):
            y, x = guesses[0][1, 0], guesses[0][0, 0]
            turns.append(round(np.degrees(np.arctan2(y, x)) / 90) % 4)
        assert set(turns[:2]) == first
