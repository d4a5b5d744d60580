"""Ink: the paper's tint does not count, the pen is full, and printed lines go."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.geometry import as_edges
from pipeline.ink import Levels, darkness, measure_levels, pen_ink, remove_lines
from pipeline.records import Box, Floats, GreyImage
from tests.pipeline.forms import draw_frames, one_strip, row

BOX = 64
BOXES = row(40, 36, 6, width=54, height=BOX)
SHAPE = (136, 404)
EDGES, STRIP = as_edges(BOXES), one_strip(SHAPE, BOXES)
REACH = BOX // 4
papers = st.integers(130, 255)


def paper(level: float = 255.0, slope: float = 0.0, noise: float = 0.0) -> GreyImage:
    """Paper of a tint, darker by `slope` from left to right, with the scanner's noise."""
    light = np.full(SHAPE, level) - slope * np.linspace(0, 1, SHAPE[1])
    light += np.random.default_rng(4).normal(0, noise, SHAPE) if noise else 0
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


def middle(box: Box) -> tuple[int, int]:
    """Give the middle of a box in whole pixels."""
    return round((box.left + box.right) / 2), round((box.top + box.bottom) / 2)


def stroke(ink: Floats, start: tuple[int, int], end: tuple[int, int], width: int = 6) -> None:
    """Draw a stroke, changing the ink in place."""
    cv2.line(ink, start, end, 1.0, width, cv2.LINE_AA)


def upright_strokes(boxes: tuple[Box, ...]) -> Floats:
    """A stroke in the middle of each box, clear of its frame."""
    ink = np.zeros(SHAPE, np.float32)
    for box in boxes:
        x, y = middle(box)
        stroke(ink, (x, y - 18), (x, y + 18))
    return ink


def written(on: GreyImage, ink: Floats, pen: float) -> GreyImage:
    """Write with a pen that takes that share of the light."""
    return np.rint(on * (1 - pen * ink)).astype(np.uint8)


def test_digits_that_fill_their_boxes_are_not_taken_for_paper() -> None:
    """A field of bold digits, with more ink in its boxes than paper, keeps all of it."""
    ink = np.zeros(SHAPE, np.float32)
    for box in BOXES:
        cv2.ellipse(ink, middle(box), (14, 19), 0, 0, 360, 1.0, 12)
    dark = darkness(written(paper(), ink, 0.9), REACH)
    levels = measure_levels(dark, EDGES, STRIP.groups, np.array([0.5]))
    assert levels.paper[0] < 0.1
    assert (pen_ink(dark, levels, STRIP)[ink > 0.9] > 200).mean() > 0.95


@settings(max_examples=30, deadline=None, derandomize=True)
@given(papers, st.floats(0, 60), st.floats(0.2, 0.95))
def test_tint_and_shade_do_not_count(level: int, slope: float, pen: float) -> None:
    """A stroke is as dark on grey paper in the shade as on white paper in the light."""
    ink = upright_strokes(BOXES)
    here = darkness(written(paper(level, slope), ink, pen), REACH) / 255
    white = darkness(written(paper(), ink, pen), REACH) / 255
    assert np.abs(here - white).max() < 0.06
    assert here[ink == 1].mean() == pytest.approx(pen, abs=0.06)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(papers, st.floats(0, 60))
def test_empty_paper_is_not_dark(level: int, slope: float) -> None:
    """Whatever its tint and the light on it."""
    assert darkness(paper(level, slope), REACH).max() < 0.03 * 255


def inked(dark: GreyImage) -> GreyImage:
    """Measure a field's levels and scale its ink to them."""
    levels = measure_levels(dark, EDGES, STRIP.groups, np.array([0.3]))
    return pen_ink(dark, levels, STRIP)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.floats(0.3, 0.95), papers, st.integers(3, 6))
def test_a_light_pen_is_as_full_as_a_dark_one(pen: float, level: int, filled: int) -> None:
    """Paper with its noise is exactly 0 and strokes are 1, even where boxes are empty."""
    ink = upright_strokes(BOXES[:filled])
    dark = darkness(written(paper(level, 20, noise=2.0), ink, pen), REACH)
    found = inked(dark) / 255
    core = cv2.erode(ink, np.ones((3, 3), np.uint8)) == 1
    around = cv2.dilate(ink, np.ones((5, 5), np.uint8)) == 0
    assert found[core].mean() > 0.95
    assert (found[around] == 0).mean() > 0.999


@settings(max_examples=20, deadline=None, derandomize=True)
@given(papers, st.floats(0, 3))
def test_a_field_of_empty_boxes_has_no_ink(level: int, noise: float) -> None:
    """Where nobody wrote, noise is not taken for a pen."""
    dark = darkness(paper(level, 10, noise), REACH)
    assert (inked(dark) == 0).mean() > 0.999


def framed(ink: Floats, thickness: float, line: int, pen: float = 0.8) -> tuple[Floats, Floats]:
    """Print frames over ink: what is left after their removal, and what there was."""
    page = paper(250)
    draw_frames(page, BOXES, thickness=thickness, level=line)
    dark = darkness(written(page, ink, pen), REACH)
    levels = known_levels(pen)
    whole = pen_ink(dark, levels, STRIP)
    clean = remove_lines(whole, dark, EDGES, STRIP.groups, levels)
    return (clean / 255).astype(np.float32), (whole / 255).astype(np.float32)


def known_levels(pen: float) -> Levels:
    """White paper without noise, and a pen that dark."""
    return Levels(np.array([0.0]), np.array([0.02]), np.array([pen]))


def pieces(ink: Floats) -> list[int]:
    """Give the longer side of each piece of ink, dust left out."""
    stats = cv2.connectedComponentsWithStats((ink > 0).astype(np.uint8))[2]
    return [int(side) for side in stats[1:, 2:4].max(axis=1) if side > BOX / 16]


lines = st.tuples(st.floats(1, 4), st.integers(20, 190))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(lines)
def test_the_frame_goes(line: tuple[float, int]) -> None:
    """Thick or thin, black or pale, nothing but dust is left in empty boxes."""
    clean, _ = framed(np.zeros(SHAPE, np.float32), *line)
    assert pieces(clean) == []


@settings(max_examples=30, deadline=None, derandomize=True)
@given(lines)
def test_what_is_clear_of_the_frame_stays(line: tuple[float, int]) -> None:
    """Strokes inside the boxes lose nothing."""
    ink = upright_strokes(BOXES)
    clean, inked = framed(ink, *line)
    near = cv2.dilate(ink, np.ones((3, 3), np.uint8)) > 0
    assert clean[near].sum() == pytest.approx(float(inked[near].sum()))
    assert len(pieces(clean)) == len(BOXES)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(lines, st.floats(-20, 20), st.sampled_from(["level", "upright"]))
def test_a_stroke_that_crosses_the_frame_stays_whole(
    line: tuple[float, int], lean: float, across: str
) -> None:
    """It is one piece still, as long as it was, and about as wide where the line was."""
    ink = np.zeros(SHAPE, np.float32)
    box = BOXES[2]
    x, y = middle(box)
    if across == "level":
        edge = round(box.bottom)
        start, end = (x, edge - 22), (x + round(lean), edge + 18)
    else:
        edge = round(box.right)
        start, end = (edge - 22, y), (edge + 18, y + round(lean))
    stroke(ink, start, end, width=7)
    clean, _ = framed(ink, *line)
    length = abs(end[1] - start[1]) if across == "level" else abs(end[0] - start[0])
    (found,) = pieces(clean)
    assert found >= length
    assert clean[ink == 1].mean() > 0.85


def test_arguments_are_left_alone() -> None:
    """Arguments are never modified."""
    ink = np.rint(255 * upright_strokes(BOXES)).astype(np.uint8)
    before = ink.copy()
    remove_lines(ink, ink, EDGES, STRIP.groups, known_levels(0.8))
    pen_ink(ink, known_levels(0.8), STRIP)
    assert np.array_equal(ink, before)
