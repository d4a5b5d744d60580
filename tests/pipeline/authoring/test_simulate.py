"""Simulated pages: repeatable, true to their truth, and read back where nothing befell them."""

import numpy as np
import pytest

from models.classifier import load_classifier
from pipeline.authoring.blank import blank_page
from pipeline.authoring.digit_hands import pen_hands
from pipeline.authoring.levels import LEVELS, parse_level
from pipeline.authoring.simulate import SimulatedPage, Simulation, simulate_page
from pipeline.page import read_pages
from pipeline.records import Page, PageId, Status
from tests.pipeline.authoring.pages import CARD

BLANK = blank_page(CARD)


def simulate(level: str, number: int = 0, **changes) -> SimulatedPage:
    """Make a page of the card."""
    parts = {"template": CARD, "blank": BLANK, "hands": pen_hands(), "level": parse_level(level)}
    return simulate_page(Simulation(**{**parts, **changes}), number)


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_seed_gives_the_same_page(level: str) -> None:
    """Whatever the level: same pixels, same truth; another number or seed gives another page."""
    page, again = simulate(level, 3), simulate(level, 3)
    assert np.array_equal(page.picture.image, again.picture.image)
    assert page.texts == again.texts
    assert simulate(level, 4).texts != page.texts
    assert simulate(level, 3, seed=2).texts != page.texts


def test_given_values_are_written_over_and_over() -> None:
    """Page after page, and again from the start; what is not named stays empty."""
    values = ({"pin": "12345"}, {"number": "6_X#7890", "pin": "54321"})
    texts = [simulate("clean", number, values=values).texts for number in range(3)]
    assert texts[0] == texts[2] == {"number": "________", "pin": "12345", "amount": "______"}
    assert texts[1] == {"number": "6_X#7890", "pin": "54321", "amount": "______"}


def test_a_blank_page_stays_blank() -> None:
    """With nothing to write and nothing that befalls it, the form comes back."""
    page = simulate("clean", values=({"pin": "_____"},))
    assert np.array_equal(page.picture.image, BLANK.image[:, :, 0])


def test_the_blank_is_not_written_on() -> None:
    """One page leaves nothing behind for the next."""
    before = BLANK.image.copy()
    simulate("mix")
    assert np.array_equal(BLANK.image, before)


def test_a_clean_page_reads_back() -> None:
    """What was written is read from a page that nothing befell, but for odd hands: 97 %."""
    pages = [simulate("clean", number) for number in range(6)]
    scans = [
        Page(PageId(f"{number}.png", 1, ""), page.picture.image)
        for number, page in enumerate(pages)
    ]
    right = boxes = 0
    for page, result in zip(pages, read_pages(scans, [CARD], load_classifier()), strict=True):
        assert result.status is Status.READ
        for field in result.fields:
            truth = page.texts[field.field]
            boxes += len(truth)
            right += sum(one == other for one, other in zip(field.raw, truth, strict=True))
    assert right / boxes >= 0.97
