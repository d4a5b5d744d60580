"""Normalising: MNIST's geometry, whatever the size, place and shape of the ink.

That a digit of MNIST comes back unchanged, and a blank blank, is tested with the models.
"""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.authoring.pen import Writer, draw
from pipeline.normalize import FIT, SIDE, normalize, normalize_all
from pipeline.records import Floats

seeds = st.integers(0, 2**16)
digits = st.sampled_from("0123456789")


def drawn(seed: int, digit: str, height: int = 60) -> Floats:
    """Draw a digit by some hand."""
    rng = np.random.default_rng(seed)
    return draw(Writer.random(rng), digit, rng, height)


def centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    """Give column and row, counted from 0."""
    weights = image.astype(np.float64)
    x = weights.sum(axis=0) @ np.arange(weights.shape[1])
    y = weights.sum(axis=1) @ np.arange(weights.shape[0])
    return float(x / weights.sum()), float(y / weights.sum())


def extent(image: np.ndarray) -> tuple[int, int, int, int]:
    """Give left, top, right and bottom of what is inked."""
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


inks = st.tuples(st.integers(1, 90), st.integers(1, 90)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.sampled_from([0.0, 0.1, 0.6, 1.0]))
)


@settings(max_examples=80, deadline=None)
@given(inks)
def test_any_ink_has_the_shape_of_mnist(ink: Floats) -> None:
    """uint8 28x28, all 0 or its darkest pixel 255, the ink at most 20 pixels long."""
    image = normalize(ink)
    assert image.shape == (SIDE, SIDE)
    assert image.dtype == np.uint8
    assert image.any() == ink.any()
    if ink.any():
        left, top, right, bottom = extent(image)
        assert image.max() == 255
        assert max(right - left, bottom - top) <= FIT


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 600), st.integers(1, 600))
def test_extreme_aspects_stay_inside(height: int, width: int) -> None:
    """A hairline as long as the box is 20 pixels long and at least one wide."""
    left, top, right, bottom = extent(normalize(np.ones((height, width), np.float32)))
    shape = bottom - top, right - left
    assert max(shape) == FIT
    assert min(shape) == max(1, round(FIT * min(height, width) / max(height, width)))


@settings(max_examples=40, deadline=None)
@given(seeds, digits, st.integers(24, 200))
def test_the_aspect_is_kept_and_the_mass_centred(seed: int, digit: str, height: int) -> None:
    """The longer side is 20; the mass lies on pixel 14, 14 unless that would cut ink off."""
    ink = drawn(seed, digit, height)
    image = normalize(ink)
    left, top, right, bottom = extent(image)
    assert FIT - 1 <= max(right - left, bottom - top) <= FIT
    longer = max(ink.shape)
    assert (right - left) == pytest.approx(FIT * ink.shape[1] / longer, abs=1.01)
    assert (bottom - top) == pytest.approx(FIT * ink.shape[0] / longer, abs=1.01)
    x, y = centre_of_mass(image)
    clipped_x, clipped_y = left == 0 or right == SIDE, top == 0 or bottom == SIDE
    assert clipped_x or abs(x - SIDE / 2) <= 0.5
    assert clipped_y or abs(y - SIDE / 2) <= 0.5


@settings(max_examples=40, deadline=None)
@given(seeds, digits, st.tuples(*[st.integers(0, 40)] * 4))
def test_paper_around_the_ink_changes_nothing(seed: int, digit: str, margins) -> None:
    """Where in its crop a digit stands has no say."""
    ink = drawn(seed, digit)
    top, bottom, left, right = margins
    framed = np.pad(ink, ((top, bottom), (left, right)))
    assert np.array_equal(normalize(framed), normalize(ink))


@settings(max_examples=30, deadline=None)
@given(seeds, digits, st.floats(0.6, 4))
def test_size_changes_little(seed: int, digit: str, scale: float) -> None:
    """The same digit scanned finer or coarser looks the same, to a pixel."""
    ink = drawn(seed, digit, 100)
    size = round(ink.shape[1] * scale), round(ink.shape[0] * scale)
    other = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    image, finer = normalize(ink), normalize(np.clip(other, 0, 1).astype(np.float32))
    image, finer = cv2.blur(image, (3, 3)), cv2.blur(finer, (3, 3))
    moves = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    likeness = [np.corrcoef(image.ravel(), np.roll(finer, move, (1, 0)).ravel()) for move in moves]
    assert max(each[0, 1] for each in likeness) > 0.85


@settings(max_examples=30, deadline=None)
@given(seeds, digits, st.floats(0.2, 1))
def test_a_faint_pen_is_as_dark_as_a_strong_one(seed: int, digit: str, strength: float) -> None:
    """Only the shape of the greys counts, and they are kept: edges are not made black or white."""
    ink = drawn(seed, digit)
    image = normalize(ink)
    faint = normalize((ink * np.float32(strength)).astype(np.float32))
    assert np.abs(faint.astype(int) - image).max() <= 1
    assert ((image > 0) & (image < 255)).sum() > 20


def test_the_ink_is_left_alone() -> None:
    """Arguments are never modified."""
    ink = drawn(1, "5")
    before = ink.copy()
    normalize(ink)
    assert np.array_equal(ink, before)


def test_many_at_once_are_as_one_by_one() -> None:
    """Blank ones among them; of none there are none."""
    rng = np.random.default_rng(7)
    shapes = rng.integers(1, 70, (40, 2))
    inks = [np.where((ink := rng.random(shape)) > 0.7, ink, 0) for shape in shapes]
    inks = [(ink * (place % 9 > 0)).astype(np.float32) for place, ink in enumerate(inks)]
    one_by_one = [normalize(ink) for ink in inks]
    assert np.array_equal(normalize_all(inks), one_by_one)
    assert normalize_all([]).shape == (0, SIDE, SIDE)
