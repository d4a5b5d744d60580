"""Grey levels to ink: against the paper around, as dark as the pen, without printed lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, Floats, GreyImage

LEAST_PEN = 0.15
"""Darkness below which nothing is ink, on any paper."""
STROKE_MASS = 1.0
"""A stroke covers a line where the darkness across it is this many pen pixels more than usual."""
LINE_REACH = 1 / 12
"""How far to each side of its middle a frame line may go, as a share of the height of a box."""


def darkness(image: GreyImage, reach: int) -> Floats:
    """Measure ink against the local paper, so that shade and tint do not count.

    Args:
        image: Grey uint8 of shape (H, W), 0 ink, 255 paper.
        reach: How far away the paper is looked for, in pixels; more than half the width of the
            widest stroke.

    Returns:
        float32 of shape (H, W): 0 where as bright as the paper nearby, 1 where black.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))
    smooth = cv2.blur(image, (3, 3))
    closed = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    paper = cv2.blur(closed, (reach, reach)).astype(np.float32)
    return np.clip(1.0 - image / np.maximum(paper, 1.0), 0.0, 1.0).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Levels:
    """How dark the paper, its noise at the most, and the pen of a field are."""

    paper: float
    noise: float
    pen: float


def measure_levels(dark: Floats, boxes: Sequence[Box], line: float) -> Levels:
    """Measure paper and pen in the boxes of a field.

    Paper and its noise are taken from the brighter part of the boxes, which no writing reaches;
    the pen from the second darkest hundredth of each box that has ink, and of those the upper
    quartile.

    Args:
        dark: Darkness, float32 of shape (H, W).
        boxes: The field's boxes in its pixels.
        line: Darkness of the printed frame; a pen is at least half as dark, or faint remains in
            empty boxes would pass for writing.
    """
    inside = np.sort(_interiors(dark, boxes), axis=1)
    usual = np.median(inside, axis=0)
    brightest, bright, paper = (float(usual[int(q * len(usual))]) for q in (0.05, 0.2, 0.4))
    noise = 4 * max(paper - bright, bright - brightest)
    least = paper + max(LEAST_PEN, line / 2, noise)
    darkest = np.sort(inside[:, int(0.98 * inside.shape[1])])
    inked = darkest[darkest > least]
    pen = float(inked[int(0.75 * (len(inked) - 1))]) if inked.size else least
    return Levels(paper, noise, pen)


def pen_ink(dark: Floats, levels: Levels) -> Floats:
    """Scale darkness so that paper with its noise is 0 and the pen is 1.

    Args:
        dark: Darkness, float32 of shape (H, W).
        levels: Those of the field.

    Returns:
        float32 of shape (H, W).
    """
    contrast = levels.pen - levels.paper
    low = levels.paper + max(levels.noise, 0.25 * contrast, LEAST_PEN / 2)
    high = max(levels.paper + 0.8 * contrast, low + 0.02)
    return np.asarray(np.clip((dark - low) / (high - low), 0, 1), np.float32)


def _interiors(image: Floats, boxes: Sequence[Box], inset: float = 0.12) -> Floats:
    """The pixels well inside the frame of each box: (N, pixels)."""
    height = min(round((1 - 2 * inset) * box.height) for box in boxes)
    width = min(round(box.width - 2 * inset * box.height) for box in boxes)
    parts = []
    for box in boxes:
        rim = inset * box.height
        top = int(np.clip(box.top + rim, 0, image.shape[0] - max(height, 1)))
        left = int(np.clip(box.left + rim, 0, image.shape[1] - max(width, 1)))
        parts.append(image[top : top + max(height, 1), left : left + max(width, 1)].ravel())
    return np.array(parts)


def remove_lines(ink: Floats, dark: Floats, boxes: Sequence[Box], levels: Levels) -> Floats:
    """Take printed frames out of the ink and leave the strokes that cross or follow them.

    A line is as dark and as wide all along as it is in most places. What is clearly darker is
    pen on top of it, and where there is clearly more darkness across it, a stroke covers it; a
    gap with ink on both sides is a stroke that crosses.

    Args:
        ink: float32 of shape (H, W), 0 paper, 1 pen.
        dark: Darkness, likewise.
        boxes: The frames as printed; their edges are the middles of the lines.
        levels: Those of the field.

    Returns:
        The ink without the frames.
    """
    clean = ink.copy()
    reach, pen = round(LINE_REACH * boxes[0].height), levels.pen - levels.paper
    upright = {(round(x), round(b.top), round(b.bottom)) for b in boxes for x in (b.left, b.right)}
    level = {(round(y), round(b.left), round(b.right)) for b in boxes for y in (b.top, b.bottom)}
    _erase_lines(clean, dark, upright, reach, pen)
    _erase_lines(clean.T, dark.T, level, reach, pen)
    return _bridge(clean, ink, reach)


def _erase_lines(
    ink: Floats, dark: Floats, lines: Collection[tuple[int, int, int]], reach: int, pen: float
) -> None:
    """Set to 0 what no stroke covers of upright lines, given as middle, start and end."""
    length = min(max(end - start for _, start, end in lines) + 5, ink.shape[0])
    rows = np.array([start - 2 for _, start, _ in lines])[:, None] + np.arange(length)
    columns = np.array([middle - reach for middle, _, _ in lines])[:, None] + np.arange(
        2 * reach + 1
    )
    rows = np.minimum(np.maximum(rows, 0), ink.shape[0] - 1)[:, :, None]
    columns = np.minimum(np.maximum(columns, 0), ink.shape[1] - 1)[:, None, :]
    bare = ~_is_covered(dark[rows, columns], pen)
    where = np.broadcast_to(rows, bare.shape)[bare], np.broadcast_to(columns, bare.shape)[bare]
    ink[where] = 0


def _bridge(clean: Floats, ink: Floats, reach: int) -> Floats:
    """Give back erased ink that joins what is left on both its sides."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (reach // 2) + 3,) * 2)
    closed = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, kernel)
    return np.asarray(np.where(clean > 0, clean, np.minimum(closed, ink)), np.float32)


def _is_covered(bands: Floats, pen: float) -> NDArray[np.bool_]:
    """Tell the pixels of upright lines (and what is beside them) that a stroke covers.

    Args:
        bands: Darkness along and across each line, float32 of shape (lines, length, width).
        pen: How much darker than paper the pen is.
    """
    usual = bands.shape[1] // 4
    line = np.partition(bands, usual, axis=1)[:, usual]
    # A broken line looks fainter than it is; the others of its field tell.
    line = np.maximum(line, np.median(line, axis=0, keepdims=True))
    around = cv2.dilate(line, np.ones((1, 5), np.uint8))[:, None]
    darker = bands > around + np.maximum(0.08, 0.3 * around)
    core = (line > 0.25 * line.max(axis=1, keepdims=True)).astype(np.uint8)
    core = cv2.dilate(core, np.ones((1, 3), np.uint8))
    across = cv2.blur((bands @ core[:, :, None].astype(np.float32))[:, :, 0], (3, 1))
    mass = np.partition(across, usual, axis=1)[:, usual]
    wider = across > np.maximum(mass, np.median(mass))[:, None] + STROKE_MASS * pen
    return np.asarray(darker | wider[:, :, None], np.bool_)
