"""Rows of boxes: each box is joined to the next one, however many others are on the page."""

import tracemalloc

import numpy as np
import pytest

from pipeline.rows import find_rows

PITCH, SIDE = 45.0, 44.0
MOST_MB = 30


def squares(rows: int, columns: int, degrees: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres, right and down sides of the squares of a sheet turned by some degrees."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    y, x = np.mgrid[:rows, :columns]
    centres = np.column_stack([x.ravel(), y.ravel()]) * PITCH
    sides = (np.tile(side, (len(centres), 1)) for side in ([SIDE, 0.0], [0.0, SIDE]))
    return centres @ turn, *(side @ turn for side in sides)


@pytest.mark.parametrize("degrees", [0, 4, 90, 200])
def test_squared_paper_is_read_in_rows(degrees: float) -> None:
    """Thousands of squares: every row is whole, whichever way it lies, and no memory is needed."""
    page = squares(60, 50, degrees)
    tracemalloc.start()
    rows = find_rows(*page)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows.counts.tolist() == [50] * 60
    assert peak < MOST_MB * 1e6


def test_the_order_of_boxes_does_not_matter() -> None:
    """Squares in any order make the same rows."""
    page = squares(30, 20, 3)
    mixed = np.random.default_rng(0).permutation(len(page[0]))
    one, other = find_rows(*page).starts, find_rows(*(each[mixed] for each in page)).starts
    assert np.allclose(one[np.lexsort(one.round(3).T)], other[np.lexsort(other.round(3).T)])


def test_a_page_without_boxes_has_no_rows() -> None:
    """Nor has one with a single box."""
    for count in (0, 1):
        assert len(find_rows(*(each[:count] for each in squares(1, 1, 0)))) == 0
