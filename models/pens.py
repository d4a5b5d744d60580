"""Redraw a digit as another pen would have: from a hairline to a felt tip, pressed unevenly."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pipeline.records import Floats

NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)
"""Bit of each neighbour, clockwise from north: P2 to P9 in Zhang and Suen's naming."""


def _deletable(first_pass: bool) -> NDArray[np.uint8]:
    codes = np.arange(256)
    bits = (codes[:, None] >> np.arange(8)) & 1
    count = bits.sum(axis=1)
    crossings = ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)
    north, east, south, west = bits[:, 0], bits[:, 2], bits[:, 4], bits[:, 6]
    ends = (north * east * south, east * south * west)
    if not first_pass:
        ends = (north * east * west, north * south * west)
    gone = (count >= 2) & (count <= 6) & (crossings == 1) & (ends[0] == 0) & (ends[1] == 0)
    return np.asarray(gone, np.uint8)


PASSES = (_deletable(first_pass=True), _deletable(first_pass=False))


def thin(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Thin strokes to one pixel, leaving ends and connections as they are.

    Source: Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", CACM 27
    (1984). The eight neighbours form a byte, so that each pass is a filter and a table look-up.

    Args:
        mask: uint8 (h, w), 1 where there is ink; its outermost pixels are 0.

    Returns:
        The same shape and values.
    """
    skeleton = mask.copy()
    remaining = -1
    while remaining != (remaining := int(cv2.countNonZero(skeleton))):
        for table in PASSES:
            codes = cv2.filter2D(skeleton, cv2.CV_8U, NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            skeleton = np.where(cv2.LUT(codes, table), np.uint8(0), skeleton)
    return skeleton


def redraw(ink: Floats, rng: Generator, radius: float) -> Floats:
    """Draw the middle line of a digit anew with a pen of this radius.

    Args:
        ink: float32 (h, w), 0 paper, 1 pen.
        rng: Where the pen's unevenness comes from.
        radius: Half the stroke's width in pixels, 0.4 and more.

    Returns:
        float32 of the same shape, edges anti-aliased.
    """
    line = thin((ink > 0.45).astype(np.uint8))
    away = cv2.distanceTransform(1 - line, cv2.DIST_L2, cv2.DIST_MASK_5)
    width = radius * (1 + uneven(ink.shape, rng, 0.15))
    return np.asarray(np.clip(width + 0.5 - away, 0, 1), np.float32)


def press(ink: Floats, rng: Generator) -> Floats:
    """Let the ink run lighter and darker along the strokes; same shape and range."""
    floor = rng.uniform(0.25, 0.95)
    flow = 1 - (1 - floor) * np.abs(uneven(ink.shape, rng, 1.0))
    return np.clip(ink * flow, 0, 1).astype(np.float32)


def swell(ink: Floats, rng: Generator) -> Floats:
    """Widen or narrow all strokes by about a pixel; same shape and range."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    changed = cv2.erode(ink, kernel) if rng.random() < 0.4 else cv2.dilate(ink, kernel)
    share = rng.uniform(0.2, 1.0)
    return np.asarray((1 - share) * ink + share * changed, np.float32)


def uneven(shape: tuple[int, ...], rng: Generator, spread: float) -> Floats:
    """Give a smooth random field of this shape around 0, float32."""
    coarse = rng.normal(0, spread, (6, 6)).astype(np.float32)
    return np.asarray(
        cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32
    )
