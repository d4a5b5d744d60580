"""Frames: boxes settle on the lines printed around them, whatever is written there."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.authoring.fill import Habit, write_box
from pipeline.authoring.pen import Writer
from pipeline.frames import settle, view_field
from pipeline.ink import darkness
from pipeline.records import Box, Floats, GreyImage
from tests.pipeline.forms import draw_frames, ink_on, lay, row, scan

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


def edges(boxes: tuple[Box, ...]) -> np.ndarray:
    """Give left, top, right and bottom of each box, (N, 4)."""
    return np.array([(box.left, box.top, box.right, box.bottom) for box in boxes])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows_of_boxes(), shifts, st.floats(1.2, 4), st.integers(20, 170), seeds)
def test_frames_are_found_under_handwriting(boxes, shift, thickness, level, seed) -> None:
    """Of any pitch, width and grey, up to a third of a box away: nearly all edges within 1.5 px.

    A stroke right beside a line may pull that one line; none is ever taken for a frame.
    """
    image = sheet(boxes)
    draw_frames(image, boxes, thickness=thickness, level=level)
    image = filled(image, boxes, seed)
    fit = settle(darkness(image, BOX // 4), moved(boxes, shift), 0.42 * BOX)
    off = np.abs(edges(fit.boxes) - edges(boxes))
    assert fit.support > 0.85
    assert (off < 1.5).mean() > 0.85
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
    fit = settle(darkness(image, BOX // 4), list(boxes), 0.35 * BOX)
    assert np.abs(edges(fit.boxes) - edges(boxes)).max() < 1.5


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
    fit = settle(darkness(image, BOX // 4), moved(equal, shift), 0.42 * BOX)
    off = np.abs(edges(fit.boxes) - edges(boxes))
    assert fit.support > 0.85
    assert (off < 1.5).mean() > 0.85
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
    fit = settle(darkness(image, BOX // 4), list(boxes), 0.42 * BOX)
    centre = np.array([(b.left + b.right, b.top + b.bottom) for b in boxes]) / 2
    there = np.column_stack([centre, np.ones(len(centre))]) @ lie[:2].T
    found = np.array([(b.left + b.right, b.top + b.bottom) for b in fit.boxes]) / 2
    assert np.abs(found - there).max() < 1.5


@settings(max_examples=20, deadline=None, derandomize=True)
@given(rows_of_boxes(), st.integers(150, 255), st.floats(0, 4), seeds)
def test_paper_without_frames_has_none(boxes, level, noise, seed) -> None:
    """A blank sheet supports nothing, wherever one looks."""
    rng = np.random.default_rng(seed)
    shape = sheet(boxes).shape
    image = np.clip(rng.normal(level, noise, shape), 0, 255).astype(np.uint8)
    assert settle(darkness(image, BOX // 4), list(boxes), 0.42 * BOX).support < 0.05


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
    fit = settle(darkness(image, BOX // 4), moved(boxes, shift), 0.42 * BOX)
    off = np.abs(edges(fit.boxes) - edges(boxes))
    assert fit.support > 0.8
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
    view = view_field(scan(page, lie, size), lie, boxes, reach=0.3, box_px=BOX)
    found = [view.strip.to_template(np.array([(b.left, b.top)]))[0] for b in view.frames.boxes]
    assert np.abs(np.array(found) - [(box.left, box.top) for box in boxes]).max() < 1.5
    assert cv2.minMaxLoc(view.dark)[1] > 0.5
