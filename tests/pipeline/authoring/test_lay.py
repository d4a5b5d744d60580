"""Where boxes are is known after everything that is done to a page, and all stay in view."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.authoring.degrade import DEGRADATIONS, degrade_picture
from pipeline.authoring.picture import Picture, box_corners
from pipeline.geometry import transform
from tests.pipeline.authoring.pages import CARD

HEIGHT, WIDTH = (round(length) for length in CARD.size)
MOVING = ("scale", "crop", "bed", "skew", "shift", "perspective", "turn", "resolution", "fax")


def spotted() -> np.ndarray:
    """Draw a page with a black spot in the middle of its first box, and nothing else."""
    page = np.full((HEIGHT, WIDTH), 255, np.uint8)
    box = CARD.fields[0].boxes[0]
    middle = round((box.left + box.right) / 2), round((box.top + box.bottom) / 2)
    cv2.circle(page, middle, 12, 0, thickness=-1)
    return page


def darkest(image: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Find the middle of what is dark within 40 pixels of a place."""
    x, y = np.rint(near).astype(int)
    top, left = max(y - 40, 0), max(x - 40, 0)
    rows, columns = np.nonzero(image[top : y + 40, left : x + 40] < 100)
    return np.array([columns.mean() + left + 0.5, rows.mean() + top + 0.5])


@settings(max_examples=15, deadline=None)
@given(
    strengths=st.dictionaries(st.sampled_from(MOVING), st.floats(0.05, 1), min_size=1),
    seed=st.integers(0, 2**31),
)
def test_a_spot_is_where_the_picture_says(strengths: dict[str, float], seed: int) -> None:
    """However pages are moved, `place` leads from a template's pixel to the scan's."""
    in_order = {name: strengths[name] for name in DEGRADATIONS if name in strengths}
    start = Picture.of(spotted(), CARD)
    seen = degrade_picture(start, in_order, np.random.default_rng(seed))
    box = CARD.fields[0].boxes[0]
    middle = np.array([[box.left + box.right, box.top + box.bottom]]) / 2
    expected = transform(seen.place, np.rint(middle) + 0.5)[0]
    assert darkest(seen.image, expected) == pytest.approx(expected, abs=1.5)


@settings(max_examples=15, deadline=None)
@given(
    strengths=st.dictionaries(st.sampled_from(list(DEGRADATIONS)), st.floats(0, 1.5)),
    skew=st.floats(0, 5),
    seed=st.integers(0, 2**31),
)
def test_boxes_stay_in_view(strengths: dict[str, float], skew: float, seed: int) -> None:
    """Whatever befalls a page, beyond the usual worst too, no box leaves the picture."""
    wanted = {**strengths, "skew": skew}
    in_order = {name: wanted[name] for name in DEGRADATIONS if name in wanted}
    start = Picture.of(np.full((HEIGHT, WIDTH), 255, np.uint8), CARD)
    seen = degrade_picture(start, in_order, np.random.default_rng(seed))
    assert seen.size == seen.image.shape[:2]
    points = box_corners(seen).reshape(-1, 2)
    assert (points > 0).all()
    assert (points < seen.image.shape[1::-1]).all()


@pytest.mark.parametrize(("strength", "dpi"), [(0.0, 300), (0.5, 200), (1.0, 150), (2.0, 100)])
def test_resolution_is_told(strength: float, dpi: int) -> None:
    """What is written into the file is the resolution that the page has."""
    start = Picture.of(spotted(), CARD)
    seen = degrade_picture(start, {"resolution": strength}, np.random.default_rng(1))
    assert seen.dpi == (dpi, dpi)


@pytest.mark.parametrize(("strength", "dpi"), [(0.5, (204, 196)), (1.0, (204, 98))])
def test_fax_has_its_own_resolutions(strength: float, dpi: tuple[int, int]) -> None:
    """One bit a pixel, in the fine and the standard mode of a fax."""
    start = Picture.of(spotted(), CARD)
    seen = degrade_picture(start, {"fax": strength}, np.random.default_rng(1))
    assert seen.dpi == dpi
    assert set(np.unique(seen.image)) <= {0, 255}


def test_turned_pages_are_not_upright() -> None:
    """All three ways occur, and upright does not."""
    ups = set()
    for seed in range(20):
        start = Picture.of(spotted(), CARD)
        seen = degrade_picture(start, {"turn": 1.0}, np.random.default_rng(seed))
        ups.add(tuple(np.rint(seen.place[:2, 1]).astype(int).tolist()))
    assert ups == {(1, 0), (-1, 0), (0, -1)}


def test_a_photo_shows_what_is_round_the_page() -> None:
    """The desk is darker than the paper, and is seen on all four sides."""
    start = Picture.of(np.full((HEIGHT, WIDTH), 255, np.uint8), CARD)
    image = degrade_picture(start, {"perspective": 1.0}, np.random.default_rng(2)).image
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert edge.mean() < 200
    assert image[image.shape[0] // 2, image.shape[1] // 2] > 240
