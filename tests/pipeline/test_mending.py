"""What scanners and faxes did to a page is undone; print and writing stay."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.classifier import load_classifier
from pipeline.errors import AlignmentError
from pipeline.mending import FAX_LINES, find_streaks, is_one_bit, mend, with_all_lines
from pipeline.page import cut_page, read_pages
from pipeline.records import GreyImage
from tests.pipeline.forms import CLAIM, as_page, hand_in, ink_on, lay, print_form, scan

TEXTS = {"number": "205463879", "day": "04072019", "amount": "__36924"}


def sheet(degrees: float = 0.4) -> GreyImage:
    """A filled page on a clean scanner."""
    page = ink_on(print_form(CLAIM), hand_in(CLAIM, TEXTS, seed=3))
    lie, size = lay(CLAIM.size, degrees=degrees)
    return scan(page, lie, size)


def paper(height: int = 1400, width: int = 1000) -> GreyImage:
    """Paper as a scanner sees it."""
    grain = np.random.default_rng(1).normal(244, 3, (height, width))
    return np.clip(grain, 0, 255).astype(np.uint8)


def needed() -> int:
    """How long the side of such a page must be."""
    return 1400


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 970), st.integers(1, 4), st.integers(20, 200), st.booleans())
def test_a_streak_is_found_where_it_is_and_gone(
    at: int, width: int, level: int, across: bool
) -> None:
    """A line from edge to edge of the scan, down it or across it, goes; the paper stays."""
    page = paper()
    streaked = page.copy()
    (streaked[:1000].T if across else streaked)[:, at : at + width] = level
    assert find_streaks(streaked.T if across else streaked) == [(at, at + width)]
    assert np.abs(mend(streaked, needed).astype(int) - page).max() < 30


def test_a_ruling_that_ends_at_the_margin_stays() -> None:
    """A printed line is not as long as the scan."""
    page = paper()
    page[60:1340, 500:503] = 20
    assert find_streaks(page) == []
    assert mend(page, needed) is page


def test_a_stroke_that_crosses_a_streak_stays() -> None:
    """What is on both sides of a streak is on it."""
    page = paper()
    page[700:710, 400:600] = 30
    page[:, 500:502] = 90
    assert mend(page, needed)[702:708, 400:600].max() < 60


def test_streaks_through_boxes_cost_nothing() -> None:
    """A page is read with streaks through its boxes as without them."""
    clean = sheet()
    streaked = clean.copy()
    for at in (205, 333, 590, 655, 790):
        streaked[:, at : at + 2] = 70
    network = load_classifier()
    (before, after) = read_pages([as_page(clean), as_page(streaked)], [CLAIM], network)
    raws = {field.field: field.raw for field in after.fields}
    assert all(raws[name] == text for name, text in TEXTS.items())
    assert [field.raw for field in before.fields] == [field.raw for field in after.fields]


def test_frames_of_a_dithered_page_are_not_read() -> None:
    """Lines that became dots are taken out with all their dots: empty boxes are empty."""
    dots = np.asarray(Image.fromarray(sheet()).convert("1").convert("L"), np.uint8)
    (result,) = read_pages([as_page(dots)], [CLAIM], load_classifier())
    raws = {field.field: field.raw for field in result.fields}
    assert raws["amount"] == TEXTS["amount"]
    assert raws["code"] == "______" and raws["phone"] == "__________"


def test_a_fax_of_half_the_lines_is_read_without_a_word_of_it() -> None:
    """Where the file does not say that its pixels are not square, the page is stretched."""
    page = sheet(0)
    squat = cv2.resize(page, None, fx=1, fy=1 / FAX_LINES, interpolation=cv2.INTER_AREA)
    fax = np.where(squat > 140, 255, 0).astype(np.uint8)
    (result,) = read_pages([as_page(fax)], [CLAIM], load_classifier())
    raws = {field.field: field.raw for field in result.fields}
    assert raws["day"] == TEXTS["day"]
    with pytest.raises(AlignmentError):
        cut_page(as_page(np.asarray(squat, np.uint8)), [CLAIM])


def test_only_pages_of_one_bit_are_stretched() -> None:
    """And only those that have their form's format then."""
    fax = np.where(sheet(0) > 140, 255, 0).astype(np.uint8)
    assert is_one_bit(fax) and not is_one_bit(sheet(0))
    assert with_all_lines(fax, [CLAIM.size]) is None
    assert with_all_lines(fax[::2], [CLAIM.size]) is not None
    assert with_all_lines(sheet(0)[::2], [CLAIM.size]) is None
