"""Frames: boxes settle on the lines printed around them, whatever is written there."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.authoring.fill import Habit, write_box
from pipeline.authoring.pen import Writer
from pipeline.frames import FrameFit, settle, view_fields
from pipeline.geometry import Edges, as_edges, transform, translation
from pipeline.ink import darkness
from pipeline.records import Box, Floats, GreyImage, Points
from tests.pipeline.forms import draw_frames, ink_on, lay, one_strip, row, scan

BOX = 64
MARGIN = 40
seeds = st.integers(0, 2**16)
shifts = st.tuples(*[st.floats(-0.3 * BOX, 0.3 * BOX)] * 2)
gaps = st.one_of(st.just(0.0), st.floats(10, 24))


@st.composite
def rows_of_boxes(draw: st.DrawFn, drift: float = 0.0) -> tuple[Box, ...]:
    """Rows of 4 to 10 boxes, each a little off from where equal ones would be."""
    count, width = draw(st.integers(4, 10)), draw(st.floats(44, 66))
    boxes = row(MARGIN, MARGIN, count, width=width, height=BOX, gap=draw(gaps))
    steps = np.random.default_rng(draw(seeds)).normal(0, drift, count + 1).cumsum()
    return tuple(
        Box(box.left + a, box.top, box.right + b, box.bottom)
        for box, a, b in zip(boxes, steps, steps[1:], strict=False)
    )


def sheet(boxes: tuple[Box, ...]) -> GreyImage:
    """Paper that the boxes fit on, with a little noise."""
    shape = BOX + 2 * MARGIN, round(boxes[-1].right) + MARGIN
    return np.clip(np.random.default_rng(0).normal(248, 2, shape), 0, 255).astype(np.uint8)


def filled(image: GreyImage, boxes: tuple[Box, ...], seed: int, pen: float = 0.85) -> GreyImage:
    """Write a digit into each box, over its frame where the hand does so."""
    rng = np.random.default_rng(seed)
    layer: Floats = np.zeros(image.shape, np.float32)
    hand = Writer.random(rng), Habit.random(rng, pen_px=6)
    for box in boxes:
        write_box(layer, box, str(rng.integers(10)), hand, rng)
    return ink_on(image, layer, pen)


def moved(boxes: tuple[Box, ...], shift: tuple[float, float]) -> list[Box]:
    """Expect boxes elsewhere."""
    x, y = shift
    return [Box(b.left + x, b.top + y, b.right + x, b.bottom + y) for b in boxes]


def fit_to(image: GreyImage, boxes: Sequence[Box], reach: float) -> FrameFit:
    """Settle the boxes of one field."""
    dark = darkness(image, BOX // 4)
    return settle(dark, one_strip(dark.shape, boxes), reach * BOX)


def centres(edges: Edges) -> Points:
    """The middles of boxes, (N, 2)."""
    return (edges[:, :2] + edges[:, 2:]) / 2


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows_of_boxes(), shifts, st.floats(1.2, 4), st.integers(20, 120), seeds)
def test_frames_are_found_under_handwriting(boxes, shift, thickness, level, seed) -> None:
    """Of any pitch, width and grey, up to a third of a box away: nearly all edges within 1.5 px.

    A stroke right beside a line may pull that one line; none is ever taken for a frame.
    """
    image = sheet(boxes)
    draw_frames(image, boxes, thickness=thickness, level=level)
    image = filled(image, boxes, seed)
    fit = fit_to(image, moved(boxes, shift), 0.42)
    off = np.abs(fit.edges - as_edges(boxes))
    assert fit.support[0] > 0.85
    assert (off < 1.5).mean() > 0.8
    assert off.max() < 0.2 * BOX


@pytest.mark.parametrize("level", [40, 120, 170])
@pytest.mark.parametrize("count", [4, 6, 9])
def test_a_row_of_ones_is_no_row_of_frames(count: int, level: int) -> None:
    """Upright strokes half a box from the lines, darker than they, do not draw the boxes away."""
    boxes = row(MARGIN, MARGIN, count, width=42, height=BOX)
    image = sheet(boxes)
    draw_frames(image, boxes, level=level)
    for box in boxes:
        x = round((box.left + box.right) / 2)
        cv2.line(image, (x, round(box.top) + 9), (x, round(box.bottom) - 9), 30, 5, cv2.LINE_AA)
    fit = fit_to(image, list(boxes), 0.35)
    assert np.abs(fit.edges - as_edges(boxes)).max() < 1.5


@settings(max_examples=30, deadline=None, derandomize=True)
@given(rows_of_boxes(drift=1.2), shifts, seeds)
def test_boxes_that_are_not_equal_are_found_each(boxes, shift, seed) -> None:
    """Where a form was drawn by hand, every box is settled for itself."""
    widths = np.array([box.width for box in boxes])
    assume(np.abs(np.cumsum(widths - widths.mean())).max() < 5)
    count, pitch = len(boxes), (boxes[-1].left - boxes[0].left) / (len(boxes) - 1)
    equal = row(boxes[0].left, MARGIN, count, width=float(widths.mean()), height=BOX,
                gap=pitch - float(widths.mean()))  # fmt: skip
    image = sheet(boxes)
    draw_frames(image, boxes)
    image = filled(image, boxes, seed)
    fit = fit_to(image, moved(equal, shift), 0.42)
    off = np.abs(fit.edges - as_edges(boxes))
    assert fit.support[0] > 0.85
    assert (off < 1.5).mean() > 0.8
    assert off.max() < 0.2 * BOX


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(-0.9, 0.9), seeds)
def test_a_row_that_is_not_level_is_found(degrees, seed) -> None:
    """A tilt that alignment left over is followed from box to box."""
    boxes = row(60, 60, 8, width=54, height=BOX)
    page = np.full((190, 560), 255, np.uint8)
    draw_frames(page, boxes)
    lie, size = lay(page.shape, degrees=degrees)
    image = scan(filled(page, boxes, seed), lie, size)
    fit = fit_to(image, list(boxes), 0.42)
    there = transform(lie, centres(as_edges(boxes)))
    assert np.abs(centres(fit.edges) - there).max() < 1.5


@settings(max_examples=20, deadline=None, derandomize=True)
@given(rows_of_boxes(), st.integers(150, 255), st.floats(0, 4), seeds)
def test_paper_without_frames_has_none(boxes, level, noise, seed) -> None:
    """A blank sheet supports nothing, wherever one looks."""
    rng = np.random.default_rng(seed)
    shape = sheet(boxes).shape
    image = np.clip(rng.normal(level, noise, shape), 0, 255).astype(np.uint8)
    assert fit_to(image, list(boxes), 0.42).support[0] < 0.05


@settings(max_examples=30, deadline=None, derandomize=True)
@given(rows_of_boxes(), shifts, seeds, st.data())
def test_one_broken_line_does_not_matter(boxes, shift, seed, data) -> None:
    """Where print or scanner lost a side of a box, the others hold the row in place."""
    lost = data.draw(st.integers(0, len(boxes) - 1))
    side = data.draw(st.sampled_from(["left", "top", "right", "bottom"]))
    image = sheet(boxes)
    draw_frames(image, boxes)
    erase(image, boxes[lost], side)
    image = filled(image, boxes, seed)
    fit = fit_to(image, moved(boxes, shift), 0.42)
    off = np.abs(fit.edges - as_edges(boxes))
    assert fit.support[0] > 0.8
    assert (off < 1.5).mean() > 0.8
    assert off.max() < 0.2 * BOX


def erase(image: GreyImage, box: Box, side: str) -> None:
    """Lose one side of a box, but for its ends."""
    middle = round(getattr(box, side))
    across = slice(middle - 5, middle + 5)
    if side in ("left", "right"):
        image[round(box.top) + 6 : round(box.bottom) - 6, across] = 248
    else:
        image[across, round(box.left) + 6 : round(box.right) - 6] = 248


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 3), st.floats(-3, 3), st.floats(0.5, 2), seeds)
def test_a_view_is_the_same_however_the_page_lies(quarters, degrees, resolution, seed) -> None:
    """Frames in the strip's pixels do not depend on how the page was scanned."""
    boxes = row(100, 120, 7, height=BOX)
    page = np.full((320, 560), 255, np.uint8)
    draw_frames(page, boxes)
    page = filled(page, boxes, seed)
    lie, size = lay(page.shape, quarters=quarters, degrees=degrees, resolution=resolution)
    view = view_fields(scan(page, lie, size), lie, [boxes], reach=0.3, box_px=BOX)
    assert np.abs(view.printed() - as_edges(boxes)).max() < 1.5
    assert view.dark.max() > 127


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(rows_of_boxes(), min_size=2, max_size=4), shifts, seeds)
def test_fields_do_not_know_each_other(rows, shift, seed) -> None:
    """Each is settled as if it were alone, whatever stands beside it."""
    paper = [filled(framed(boxes), boxes, seed + place) for place, boxes in enumerate(rows)]
    width = max(image.shape[1] for image in paper)
    page = np.vstack([np.pad(image, ((0, 0), (0, width - image.shape[1]))) for image in paper])
    fields = [tuple(moved(boxes, (0, i * len(paper[0])))) for i, boxes in enumerate(rows)]
    lie = translation(-0.7 * shift[0], -0.7 * shift[1])
    together = view_fields(page, lie, fields, reach=0.42, box_px=32)
    alone = [view_fields(page, lie, [boxes], reach=0.42, box_px=32) for boxes in fields]
    printed = np.concatenate([view.printed() for view in alone])
    assert np.abs(together.printed() - printed).max() < 0.1
    seen = np.concatenate([view.frames.seen for view in alone])
    assert np.array_equal(together.frames.seen, seen)


def framed(boxes: tuple[Box, ...]) -> GreyImage:
    """A sheet with the frames printed on it."""
    image = sheet(boxes)
    draw_frames(image, boxes)
    return image


@settings(max_examples=40, deadline=None, derandomize=True)
@given(shifts, st.integers(3, 6), st.integers(130, 190), st.floats(0.15, 0.4), seeds)
def test_a_dark_ruling_is_no_side_of_a_pale_frame(shift, count, level, away, seed) -> None:
    """Boxes in a cell of a table that is printed darker than they settle on their own lines."""
    boxes = row(MARGIN, MARGIN, count, width=50, height=BOX, gap=11)
    image = sheet(boxes)
    draw_frames(image, boxes, thickness=3, level=level)
    room = away * BOX
    cell = Box(boxes[0].left - room, MARGIN - room, boxes[-1].right + room, MARGIN + BOX + room)
    draw_frames(image, [cell], thickness=4, level=20)
    fit = fit_to(filled(image, boxes, seed), moved(boxes, (shift[0] / 2, shift[1] / 2)), 0.35)
    assert np.abs(fit.edges - as_edges(boxes)).max() < 0.1 * BOX
    assert fit.support[0] > 0.85
