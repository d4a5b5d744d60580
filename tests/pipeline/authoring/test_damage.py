"""Holes, folds and stains: seen on the page, and never in the way of a box."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.authoring.degrade import DEGRADATIONS, degrade_picture
from pipeline.authoring.picture import Picture
from pipeline.errors import TemplateError
from tests.pipeline.authoring.pages import CARD, CROWDED, box_windows
from tests.pipeline.forms import print_form

PAGE = print_form(CARD)


def damaged(name: str, strength: float, seed: int) -> np.ndarray:
    """Damage the card in one way."""
    rng = np.random.default_rng(seed)
    return degrade_picture(Picture.of(PAGE, CARD), {name: strength}, rng).image


@settings(max_examples=15, deadline=None)
@given(
    name=st.sampled_from(["holes", "corner"]),
    strength=st.floats(0.2, 1.5),
    seed=st.integers(0, 2**31),
)
def test_lost_paper_is_beside_the_boxes(name: str, strength: float, seed: int) -> None:
    """A hole or a fold changes the page, and a box at most by the edge of a fold's shadow."""
    image = damaged(name, strength, seed)
    assert not np.array_equal(image, PAGE)
    for box, before in zip(box_windows(image, CARD), box_windows(PAGE, CARD), strict=True):
        assert np.abs(box.astype(int) - before).max() <= 10


@settings(max_examples=15, deadline=None)
@given(strength=st.floats(0.2, 1.5), seed=st.integers(0, 2**31))
def test_writing_shows_through_stains(strength: float, seed: int) -> None:
    """In a stained box, what was white stays more than twice as bright as what was ink."""
    image = damaged("stains", strength, seed)
    for box, before in zip(box_windows(image, CARD), box_windows(PAGE, CARD), strict=True):
        assert box[before > 250].min() > 2 * box[before < 70].max(initial=0)


def test_a_fold_takes_one_marker_at_most() -> None:
    """Three markers of four are left, and the picture knows which is not."""
    rng = np.random.default_rng(3)
    lost = {DEGRADATIONS["corner"](Picture.of(PAGE, CARD), 1.0, rng).lost for _ in range(30)}
    assert max(map(len, lost)) == 1
    assert len(lost) > 2


@pytest.mark.parametrize("name", ["holes", "corner"])
def test_no_room(name: str) -> None:
    """Where boxes cover the page, the message says what to leave out."""
    page = np.full((1400, 1000), 255, np.uint8)
    with pytest.raises(TemplateError, match=rf"crowded.*'{name}'; leave it out"):
        DEGRADATIONS[name](Picture.of(page, CROWDED), 1.0, np.random.default_rng(1))
