"""What is around a digit is shown faintly, where it is; the digit itself stays as it was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.normalize import SIDE, fit_all, normalize
from pipeline.records import BoxCrop, Floats, GreyImage
from pipeline.surroundings import FAINT, show_around

STROKE = st.tuples(st.integers(6, 40), st.integers(6, 40))


def crop(ink: Floats, margin: int, around: GreyImage | None = None) -> BoxCrop:
    """A box of this ink, with that much around it."""
    if around is None:
        height, width = ink.shape
        around = np.zeros((height + 2 * margin, width + 2 * margin), np.uint8)
    return BoxCrop("code", 0, ink, around=around)


def show(box: BoxCrop) -> GreyImage:
    """The box as the network sees it."""
    return np.asarray(show_around(fit_all([box.ink]), [box])[0], np.uint8)


@given(STROKE, st.integers(2, 30))
def test_nothing_around_changes_nothing(size: tuple[int, int], margin: int) -> None:
    """Nor does not knowing what is around."""
    ink = np.ones(size, np.float32)
    assert np.array_equal(show(crop(ink, margin)), normalize(ink))
    assert np.array_equal(show(BoxCrop("code", 0, ink)), normalize(ink))


@given(STROKE)
def test_a_digit_is_never_hidden(size: tuple[int, int]) -> None:
    """Its own ink is shown as dark as without anything around, and the rest fainter."""
    ink = np.ones(size, np.float32)
    margin = 30
    around = np.full((size[0] + 60, size[1] + 60), 255, np.uint8)
    shown, alone = show(crop(ink, margin, around)), normalize(ink)
    assert (shown >= alone).all()
    assert (shown[alone == 0] <= np.ceil(FAINT * 255)).all()
    assert (shown > 0).all()


@given(st.integers(40, 60), st.integers(1, 4))
def test_a_line_is_shown_where_it_is(height: int, gap: int) -> None:
    """So far above the digit as it was, on the digit's own scale."""
    margin = height
    ink = np.ones((height, height // 2), np.float32)
    around = np.zeros((3 * height, height // 2 + 2 * margin), np.uint8)
    line = margin - gap - 2
    around[line : line + 2] = 255
    shown = show(crop(ink, margin, around)).astype(float)
    faint = np.where(normalize(ink) == 0, shown, 0)
    rows = faint.sum(axis=1)
    top = int(np.flatnonzero(normalize(ink).any(axis=1))[0])
    middle = (rows @ (np.arange(SIDE) + 0.5)) / rows.sum()
    expected = top - (gap + 1) * 20 / height
    assert abs(middle - expected) < 0.5


def test_a_box_without_ink_stays_empty() -> None:
    """Whatever is around: blank paper is not read."""
    around = np.full((41, 41), 255, np.uint8)
    assert not show(crop(np.zeros((1, 1), np.float32), 20, around)).any()
