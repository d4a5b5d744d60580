"""Grey levels to ink: against the paper around, as dark as the pen, without printed lines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bands import level_bands, upright_bands
from pipeline.geometry import Edges
from pipeline.quantiles import median
from pipeline.records import Floats, GreyImage
from pipeline.strips import Groups, Strips

LEAST_PEN = 0.15
"""Darkness below which nothing is ink, on any paper."""
STROKE_MASS = 1.0
"""A stroke covers a line where the darkness across it is this many pen pixels more than usual."""
LINE_REACH = 1 / 12
"""How far to each side of its middle a frame line may go, as a share of the height of a box."""
INSET = 0.12
"""What is not looked at inside a box beside its frame, likewise."""
ROUGH = 0.06
"""How much darker than its brightest fifth most of a box's paper may be, however smooth that is."""


def darkness(image: GreyImage, reach: int) -> GreyImage:
    """Measure ink against the local paper, so that shade and tint do not count.

    Args:
        image: Grey uint8 of shape (H, W), 0 ink, 255 paper.
        reach: How far away the paper is looked for, in pixels; more than half the width of the
            widest stroke.

    Returns:
        uint8 of shape (H, W): 0 where as bright as the paper nearby, 255 where black.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))
    smooth = cv2.blur(image, (3, 3))
    closed = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    paper = cv2.blur(closed, (reach, reach))
    return np.asarray(cv2.bitwise_not(cv2.divide(image, paper, scale=255)), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """How dark each field's paper, its noise at the most, and its pen are: (F,), 1 is black."""

    paper: NDArray[np.float64]
    noise: NDArray[np.float64]
    pen: NDArray[np.float64]


def measure_levels(
    dark: GreyImage, edges: Edges, groups: Groups, line: NDArray[np.float64]
) -> Levels:
    """Measure paper and pen in the boxes of each field.

    Paper and its noise are taken from the brighter part of the boxes, which no writing reaches;
    the pen from the second darkest hundredth of each box that has ink, and of those the upper
    quartile.

    Args:
        dark: Darkness, uint8 of shape (H, W).
        edges: The boxes (N, 4) in its pixels.
        groups: Their fields.
        line: Darkness of each field's printed frames, (F,); a pen is at least half as dark, or
            faint remains in empty boxes would pass for writing.
    """
    brightest, bright, paper, darkest = _quantiles(dark, edges, (0.05, 0.2, 0.4, 0.98))
    brightest, bright, paper = (groups.middle(each) for each in (brightest, bright, paper))
    # Bold digits fill more than half of their boxes: what is far darker than the rest is no paper.
    paper = np.minimum(paper, bright + np.maximum(2 * (bright - brightest), ROUGH))
    noise = 4 * np.maximum(paper - bright, bright - brightest)
    least = paper + np.maximum(np.maximum(LEAST_PEN, line / 2), noise)
    inked = groups.total((darkest > least[groups.of_box]).astype(np.intp))
    ordered = darkest[np.lexsort((darkest, groups.of_box))]
    usual = groups.starts + groups.counts - inked + (0.75 * (inked - 1)).astype(np.intp)
    pen = np.where(inked > 0, ordered[np.minimum(usual, len(ordered) - 1)], least)
    return Levels(paper, noise, pen)


def _quantiles(
    dark: GreyImage, edges: Edges, shares: tuple[float, ...]
) -> list[NDArray[np.float64]]:
    """How dark the pixels well inside each box are, at these shares from the brightest: (N,)."""
    rim = INSET * (edges[:, 3:] - edges[:, 1:2])
    inner = edges + np.hstack([rim, rim, -rim, -rim])
    width, height = (median(inner[:, side + 2] - inner[:, side]) for side in (0, 1))
    rows = _spread(inner[:, [1, 3]], round(height), dark.shape[0])
    columns = _spread(inner[:, [0, 2]], round(width), dark.shape[1])
    values = dark.ravel().take(rows[:, :, None] * dark.shape[1] + columns[:, None, :])
    box = 256 * np.arange(len(edges))[:, None, None]
    counts = np.bincount((values + box).ravel(), minlength=256 * len(edges)).reshape(-1, 256)
    below = counts.cumsum(axis=1)
    total = rows.shape[1] * columns.shape[1]
    return [(below <= int(share * total)).sum(axis=1) / 255 for share in shares]


def _spread(spans: NDArray[np.float64], count: int, size: int) -> NDArray[np.intp]:
    """So many pixels spread evenly over each span (N, 2) of an image of that size: (N, count)."""
    shares = (np.arange(max(count, 1)) + 0.5) / max(count, 1)
    places = spans[:, :1] + (spans[:, 1:] - spans[:, :1]) * shares
    return np.asarray(np.minimum(np.maximum(places, 0), size - 1), np.intp)


def pen_ink(dark: GreyImage, levels: Levels, strips: Strips) -> GreyImage:
    """Scale darkness so that paper with its noise is 0 and the pen is 255.

    Args:
        dark: Darkness of the strips, uint8 of shape (H, W).
        levels: Those of the fields.
        strips: Which are whose.

    Returns:
        uint8 of shape (H, W).
    """
    contrast = levels.pen - levels.paper
    low = levels.paper + np.maximum(np.maximum(levels.noise, 0.25 * contrast), LEAST_PEN / 2)
    high = np.maximum(levels.paper + 0.8 * contrast, low + 0.02)
    steps = (np.arange(256) / 255 - low[:, None]) / (high - low)[:, None]
    tables = np.rint(255 * np.minimum(np.maximum(steps, 0), 1)).astype(np.uint8)
    ink = np.zeros_like(dark)
    for (start, end, height), table in zip(strips.spans, tables, strict=True):
        ink[:height, start:end] = cv2.LUT(dark[:height, start:end], table)
    return ink


def remove_lines(
    ink: GreyImage, dark: GreyImage, edges: Edges, groups: Groups, levels: Levels
) -> GreyImage:
    """Take printed frames out of the ink and leave the strokes that cross or follow them.

    A line is as dark and as wide all along as it is in most places. What is clearly darker is
    pen on top of it, and where there is clearly more darkness across it, a stroke covers it; a
    gap with ink on both sides is a stroke that crosses.

    Args:
        ink: uint8 of shape (H, W), 0 paper, 255 pen.
        dark: Darkness, likewise.
        edges: The frames as printed (N, 4); edges are the middles of lines.
        groups: Their fields.
        levels: Those of the fields.

    Returns:
        The ink without the frames.
    """
    clean = ink.copy()
    reach = round(LINE_REACH * median(edges[:, 3] - edges[:, 1]))
    lines = Groups.of_sizes(2 * groups.counts)
    pen = (levels.pen - levels.paper)[lines.of_box]
    for bands in (
        upright_bands(dark.shape, edges, reach, beyond=2),
        level_bands(dark.shape, edges, reach, beyond=2),
    ):
        bare = ~_is_covered(bands.of(dark), lines, pen)
        clean.ravel()[bands.pixels[bare]] = 0
    return _bridge(clean, ink, reach)


def _bridge(clean: GreyImage, ink: GreyImage, reach: int) -> GreyImage:
    """Give back erased ink that joins what is left on both its sides."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (reach // 2) + 3,) * 2)
    closed = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, kernel)
    return np.asarray(cv2.min(closed, ink), np.uint8)


def _is_covered(bands: Floats, lines: Groups, pen: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell the pixels of lines (and what is beside them) that a stroke covers.

    Args:
        bands: Darkness across and along each line, float32 of shape (lines, width, length).
        lines: The fields of the lines.
        pen: How much darker than paper the pen is, (lines,).
    """
    usual = bands.shape[2] // 4
    line = np.sort(bands, axis=2)[:, :, usual]
    # A broken line looks fainter than it is; the others of its field tell.
    line = np.maximum(line, lines.middles(line)[lines.of_box])
    around = cv2.dilate(line, np.ones((1, 5), np.uint8))
    darker = bands > (around + np.maximum(0.08, 0.3 * around))[:, :, None]
    core = (line > 0.25 * line.max(axis=1, keepdims=True)).astype(np.float32)
    core = cv2.dilate(core, np.ones((1, 3), np.uint8))
    across = cv2.blur(np.einsum("lwn,lw->ln", bands, core), (3, 1))
    mass = np.sort(across, axis=1)[:, usual]
    mass = np.maximum(mass, lines.middle(mass)[lines.of_box]) + STROKE_MASS * pen
    return np.asarray(darker | (across > mass[:, None])[:, None, :], np.bool_)
