"""Paper, print and pen: what is done to one leaves the others as they were."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.authoring.blank import DRAWN, blank_page
from pipeline.authoring.fill import COLOURED_INKS, INKS, fill_boxes
from pipeline.authoring.material import MATERIALS, FilledPage
from tests.pipeline.authoring.pages import CARD, box_windows, hands

TEXTS = {"number": "01234567", "pin": "89012", "amount": "345678"}
BLANK = blank_page(CARD, DRAWN).image


@pytest.fixture(scope="module")
def page() -> FilledPage:
    """A card, filled in black."""
    rng = np.random.default_rng(4)
    return FilledPage(CARD, BLANK, fill_boxes(CARD, TEXTS, hands()(rng), rng), INKS["black"])


@pytest.mark.parametrize("name", MATERIALS)
def test_strength_0_changes_nothing(name: str, page: FilledPage) -> None:
    """At strength 0 print, writing and ink are as they were."""
    same = MATERIALS[name](page, 0.0, np.random.default_rng(1))
    assert np.array_equal(same.print, page.print)
    assert same.ink == page.ink


@pytest.mark.parametrize("name", MATERIALS)
def test_full_strength_is_seen(name: str, page: FilledPage) -> None:
    """At strength 1 the page looks different, alike for the same seed; the argument stays."""
    before = page.print.copy()
    pages = [MATERIALS[name](page, 1.0, np.random.default_rng(7)) for _ in range(2)]
    first, second = (one.unite(np.random.default_rng(1)).image for one in pages)
    assert np.array_equal(first, second)
    assert (first != page.unite(np.random.default_rng(1)).image).any()
    assert np.array_equal(page.print, before)


@pytest.mark.parametrize("name", ["frames", "marker", "tint", "pattern"])
def test_print_is_no_writing(name: str, page: FilledPage) -> None:
    """Worse print and paper leave what was written as it was."""
    assert MATERIALS[name](page, 1.0, np.random.default_rng(3)).writing is page.writing


@pytest.mark.parametrize("seed", range(12))
def test_one_marker_is_lost_and_no_box(seed: int, page: FilledPage) -> None:
    """Three markers are printed as before, the fourth is not; every box is whole."""
    worse = MATERIALS["marker"](page, 1.0, np.random.default_rng(seed))
    (lost,) = worse.lost
    half = round(CARD.markers.size / 2) + 2
    for number, (x, y) in enumerate(CARD.markers.centres):
        window = np.s_[y - half : y + half, x - half : x + half]
        assert np.array_equal(worse.print[window], BLANK[window]) == (number != lost)
    for box, before in zip(box_windows(worse.print, CARD), box_windows(BLANK, CARD), strict=True):
        assert np.array_equal(box, before)


def test_no_marker_is_lost_where_there_is_none(page: FilledPage) -> None:
    """A form without markers comes back as it was."""
    plain = replace(page, template=replace(CARD, markers=None))
    assert MATERIALS["marker"](plain, 1.0, np.random.default_rng(1)) is plain


@pytest.mark.parametrize("name", ["faint", "pens", "tint", "pattern"])
def test_writing_can_still_be_read(name: str, page: FilledPage) -> None:
    """On the grey page a pen's line is darker than the paper by an eighth of it, for any pen."""
    for seed, ink in enumerate(COLOURED_INKS.values()):
        written = replace(page, ink=ink)
        worse = MATERIALS[name](written, 1.0, np.random.default_rng(seed))
        image = worse.unite(np.random.default_rng(1)).image
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
        paper = np.median(grey[(page.writing == 0) & (BLANK.min(axis=2) == 255)])
        assert np.median(grey[page.writing > 0.9]) < 0.875 * paper
