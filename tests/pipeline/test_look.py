"""Looking: a picture of each stage for people, which fits whatever the form holds."""

import cv2
import numpy as np
import pytest

from pipeline.look import draw_stages
from pipeline.page import CutPage, cut_page
from tests.pipeline.forms import CLAIM, as_page, field, form, hand_in, ink_on, print_form, row


@pytest.fixture(scope="module")
def page() -> CutPage:
    """A filled page, cut."""
    sheet = ink_on(print_form(CLAIM), hand_in(CLAIM, {"number": "205463879"}))
    return cut_page(as_page(sheet), [CLAIM])


def test_every_field_is_drawn_in_colour(page: CutPage) -> None:
    """One above the other, as wide as the widest."""
    picture = draw_stages(page)
    spans = page.cut.view.strips.spans
    widest = max(end - start for start, end, _ in spans)
    tallest = sum(height for _, _, height in spans)
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (3 * widest, 3)
    assert picture.shape[0] > 2 * 3 * tallest


def test_captions_are_shown(page: CutPage) -> None:
    """Another text gives another picture, and only where the text stands."""
    captions = ["12345", *(spec.name for spec in CLAIM.fields[1:])]
    changed = (draw_stages(page, captions) != draw_stages(page)).any(axis=(1, 2))
    assert changed.any()
    assert not changed[18:].any()


def test_a_caption_is_needed_for_each_field(page: CutPage) -> None:
    """Otherwise they would stand at the wrong fields."""
    with pytest.raises(ValueError, match="zip"):
        draw_stages(page, ["only one"])


def test_a_digit_is_shown_as_the_network_gets_it(page: CutPage) -> None:
    """Its ink, white on black, is in the row of a field that was written in; blanks are black."""
    written, blank = (draw_digits(page, number) for number in (0, 1))
    assert (written == 255).sum() > 9 * 20
    assert (blank == 255).sum() == 0


def draw_digits(page: CutPage, number: int) -> np.ndarray:
    """Give the row of normalised boxes of one field."""
    picture = draw_stages(page)
    heights = [18 + 2 * 3 * height + 28 * 3 + 8 for _, _, height in page.cut.view.strips.spans]
    end, width = sum(heights[: number + 1]) - 8, page.cut.view.strips.spans[number]
    return picture[end - 28 * 3 : end, : 3 * (width[1] - width[0])]


def test_a_field_of_one_narrow_box_can_be_drawn() -> None:
    """A tick box is narrower than what the network gets."""
    template = form("ticks", field("tick", row(300, 300, 1, width=18, height=56)), CLAIM.fields[0])
    sheet = print_form(template)
    cv2.line(sheet, (309, 310), (309, 345), 20, 4)
    picture = draw_stages(cut_page(as_page(sheet), [template]))
    assert picture.ndim == 3
