"""Geometry: what goes through a homography comes back, and a mark stays where it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.geometry import (
    Matrix,
    Strip,
    bounding_box,
    corners,
    local_scale,
    sample_strip,
    scaling,
    transform,
    translation,
)
from pipeline.records import Box
from tests.pipeline.forms import draw_frames, lay, row, scan

SIZE = (400.0, 600.0)
lies = st.builds(
    lay,
    st.just(SIZE),
    quarters=st.integers(0, 3),
    degrees=st.floats(-8, 8),
    scale=st.floats(0.9, 1.1),
    shift=st.tuples(st.floats(-30, 30), st.floats(-30, 30)),
    resolution=st.floats(0.5, 3),
)
leans = st.tuples(st.floats(-1e-4, 1e-4), st.floats(-1e-4, 1e-4))
places = st.tuples(st.floats(0, SIZE[1]), st.floats(0, SIZE[0]))


def tilt(lie: Matrix, lean: tuple[float, float]) -> Matrix:
    """Look at a page from the side a little."""
    return lie @ np.array([[1, 0, 0], [0, 1, 0], [*lean, 1]])


@settings(max_examples=60, deadline=None)
@given(lies, leans, st.lists(places, min_size=1, max_size=6))
def test_the_inverse_undoes_a_homography(laid, lean, points) -> None:
    """There and back again is where one started."""
    matrix = tilt(laid[0], lean)
    back = transform(np.linalg.inv(matrix), transform(matrix, np.array(points)))
    assert np.allclose(back, points, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(lies, places)
def test_local_scale_is_that_of_the_page(laid, place) -> None:
    """A page that is only turned, moved and enlarged has one scale everywhere."""
    matrix, _ = laid
    length = np.linalg.norm(np.diff(transform(matrix, np.array([(0, 0), (0, 100)])), axis=0)) / 100
    assert local_scale(matrix, place) == pytest.approx(length)


def test_the_order_of_corners_is_clockwise() -> None:
    """From the top left: markers and corners of frames rely on it."""
    assert corners(Box(1, 2, 5, 9)).tolist() == [[1, 2], [5, 2], [5, 9], [1, 9]]


def test_a_bounding_box_holds_all_boxes() -> None:
    """With its margin on each side."""
    assert bounding_box([Box(3, 4, 5, 6), Box(1, 5, 2, 9)], 1.0) == Box(0, 3, 6, 10)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.floats(-50, 50)] * 2), st.floats(0.1, 5), places)
def test_a_strip_and_the_template_are_two_views_of_one_place(origin, scale, place) -> None:
    """What is located in a strip is sent back to where it was."""
    strip = Strip(np.zeros((1, 1), np.uint8), origin, scale)
    box = Box(*place, place[0] + 10, place[1] + 20)
    assert np.allclose(strip.to_template(corners(strip.locate(box))), corners(box), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(lies, leans, st.tuples(st.integers(80, 520), st.integers(80, 320)), st.floats(0.3, 3))
def test_a_mark_is_found_where_it_was_put(laid, lean, place, scale) -> None:
    """A dot at a known template pixel is there in the strip, at whatever scale it is sampled."""
    lie, size = laid
    lie = tilt(lie, lean)
    x, y = place
    page = np.full([round(length) for length in SIZE], 255, np.uint8)
    page[y - 8 : y + 8, x - 8 : x + 8] = 0
    strip = sample_strip(scan(page, lie, size), lie, Box(40, 30, 560, 370), scale)
    ink = 255.0 - strip.image
    rows, columns = (np.arange(length) + 0.5 for length in ink.shape)
    middle = np.array([(ink.sum(axis=0) @ columns, ink.sum(axis=1) @ rows)]) / ink.sum()
    # Half a pixel of whatever is coarser: the template, the scan, or half of one of the strip.
    pixel = max(1.0, 1 / local_scale(lie, place), 0.5 / scale)
    assert np.abs(strip.to_template(middle) - place).max() < 0.5 * pixel


@settings(max_examples=30, deadline=None)
@given(st.floats(20, 180), st.floats(0.12, 0.66))
def test_a_thin_line_is_never_skipped(x, scale) -> None:
    """A line one pixel wide grows fainter when the strip is half as fine, but keeps its amount."""
    page = np.full((200, 200), 255, np.uint8)
    draw_frames(page, [Box(x, -50, 900, 900)], thickness=1.0, level=0)
    strip = sample_strip(page, np.eye(3), Box(0, 0, 200, 200), scale)
    amount = (255.0 - strip.image).sum(axis=1) / 255
    assert amount[3:-3] == pytest.approx(scale, rel=0.25)


def test_averaging_takes_in_every_pixel() -> None:
    """A page of one dark pixel in 25 is everywhere grey alike, wherever the dark ones are."""
    for first in range(5):
        page = np.full((200, 200), 255, np.uint8)
        page[first::5, first::5] = 0
        strip = sample_strip(page, np.eye(3), Box(0, 0, 200, 200), 0.2)
        assert np.abs(strip.image - 255 * 24 / 25).max() < 2


def test_an_area_beyond_the_scan_has_the_size_asked_for() -> None:
    """A field at the edge can be cut although its margin is not on the scan."""
    page = np.full((100, 100), 200, np.uint8)
    strip = sample_strip(page, scaling(2, 2) @ translation(3, 3), Box(-30, -40, 90, 60), 1.5)
    assert strip.image.shape == (150, 180)
    assert (strip.image == 200).all()


def test_sampling_leaves_the_scan_alone() -> None:
    """Arguments are never modified."""
    page = np.full((120, 300), 255, np.uint8)
    draw_frames(page, row(20, 20, 5))
    before = page.copy()
    sample_strip(page, np.eye(3), Box(10, 10, 200, 100), 0.5)
    assert np.array_equal(page, before)


@pytest.mark.parametrize("scale", [1e3, 1e9, 1e15])
def test_a_guess_that_enlarges_without_end_costs_no_memory(scale: float) -> None:
    """A page of another form may be laid on a template so; that must not cost the run."""
    page = np.full((100, 100), 200, np.uint8)
    strip = sample_strip(page, scaling(scale, scale), Box(0, 0, 80, 40), 1.0)
    assert strip.image.shape == (40, 80)
