"""Grey levels to ink: against the paper around, as dark as the pen, without printed lines."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.records import Box, Floats, GreyImage

LEAST_PEN = 0.15
"""Darkness below which nothing is ink, on any paper."""
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


def pen_ink(dark: Floats, boxes: Sequence[Box]) -> Floats:
    """Scale darkness so that paper with its noise is 0 and the pen is 1.

    Paper and its noise are taken from the brighter part of the boxes, which no writing reaches.
    The pen is taken from the boxes themselves: the second darkest hundredth of each, and of
    those the upper quartile, so that empty boxes do not count.

    Args:
        dark: Darkness, float32 of shape (H, W).
        boxes: The field's boxes in its pixels.

    Returns:
        float32 of shape (H, W).
    """
    inside = np.sort(_interiors(dark, boxes), axis=1)
    levels = np.median(inside, axis=0)
    brightest, bright, paper = (float(levels[int(q * len(levels))]) for q in (0.05, 0.2, 0.4))
    noise = max(paper - bright, bright - brightest)
    darkest = inside[:, int(0.98 * inside.shape[1])]
    pen = max(float(np.sort(darkest)[int(0.75 * (len(darkest) - 1))]), LEAST_PEN + paper)
    low = paper + max(4 * noise, 0.25 * (pen - paper), LEAST_PEN / 2)
    high = max(paper + 0.8 * (pen - paper), low + 0.02)
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


def remove_lines(ink: Floats, dark: Floats, boxes: Sequence[Box]) -> Floats:
    """Take printed frames out of the ink and leave the strokes that cross them.

    A line is as dark all along as it is in most places; what is clearly darker is pen on top of
    it. Where a line is as dark as the pen, a gap with ink on both sides is a stroke that crosses.

    Args:
        ink: float32 of shape (H, W), 0 paper, 1 pen.
        dark: Darkness, likewise.
        boxes: The frames as printed; their edges are the middles of the lines.

    Returns:
        The ink without the frames.
    """
    clean = ink.copy()
    reach = round(LINE_REACH * boxes[0].height)
    upright = {(round(x), round(b.top), round(b.bottom)) for b in boxes for x in (b.left, b.right)}
    level = {(round(y), round(b.left), round(b.right)) for b in boxes for y in (b.top, b.bottom)}
    for middle, start, end in upright:
        _erase_line(clean, dark, middle, slice(max(start - 2, 0), end + 3), reach)
    for middle, start, end in level:
        _erase_line(clean.T, dark.T, middle, slice(max(start - 2, 0), end + 3), reach)
    return _bridge(clean, ink, reach)


def _erase_line(ink: Floats, dark: Floats, middle: int, rows: slice, reach: int) -> None:
    """Set to 0 the pixels of one upright line that are no darker than the line is."""
    columns = slice(max(middle - reach, 0), middle + reach + 1)
    band = dark[rows, columns]
    if band.size == 0:
        return
    usual = int(0.4 * len(band))
    line = np.partition(band, usual, axis=0)[usual]
    line = cv2.dilate(np.ascontiguousarray(line)[None], np.ones((1, 5), np.uint8))[0]
    ink[rows, columns][band < line + np.maximum(0.08, 0.3 * line)] = 0


def _bridge(clean: Floats, ink: Floats, reach: int) -> Floats:
    """Give back erased ink that joins what is left on both its sides."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (reach // 2) + 3,) * 2)
    closed = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, kernel)
    return np.asarray(np.where(clean > 0, clean, np.minimum(closed, ink)), np.float32)
