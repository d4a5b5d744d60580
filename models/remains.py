"""What an imperfect cut leaves in a box beside its digit, or takes from it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from pipeline.records import Floats

Extent = tuple[int, int, int, int]
"""top, bottom, left, right of the ink; bottom and right excluded."""


def extent(ink: Floats) -> Extent:
    """Find where the ink is; the whole image where there is none."""
    rows = np.flatnonzero(ink.max(axis=1) > 0.1)
    columns = np.flatnonzero(ink.max(axis=0) > 0.1)
    if rows.size == 0 or columns.size == 0:
        return 0, ink.shape[0], 0, ink.shape[1]
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def leave_frame(ink: Floats, rng: Generator) -> Floats:
    """Leave pieces of the printed frame on one side or two, thin and mostly partial."""
    marked = ink.copy()
    for _ in range(1 if rng.random() < 0.7 else 2):
        turns = int(rng.integers(4))
        turned = np.rot90(marked, turns)
        _draw_left_line(turned, extent(np.ascontiguousarray(turned)), rng)
    return marked


def _draw_left_line(ink: Floats, around: Extent, rng: Generator) -> None:
    """Draw into `ink`, which is this module's own copy."""
    top, bottom, left, _ = around
    size = max(bottom - top, 24)
    length = int(size * (rng.uniform(0.1, 0.5) if rng.random() < 0.6 else rng.uniform(0.5, 1.3)))
    start = int(rng.integers(top - 6, max(top - 5, bottom + 6 - length)))
    x = left - rng.uniform(-1.0, 6.0 if rng.random() < 0.75 else 12.0)
    lean = rng.normal(0, 0.02) * length
    line = np.zeros(ink.shape, np.uint8)
    cv2.line(
        line,
        (round(16 * x), 16 * start),
        (round(16 * (x + lean)), 16 * (start + length)),
        color=int(rng.integers(90, 256)),
        thickness=1 if rng.random() < 0.6 else int(rng.integers(2, 4)),
        lineType=cv2.LINE_AA,
        shift=4,
    )
    np.maximum(ink, line.astype(np.float32) / 255, out=ink)


def leave_neighbour(ink: Floats, neighbour: Floats, rng: Generator) -> Floats:
    """Let the next digit's outermost stroke reach in from the left or from the right.

    Args:
        ink: float32 (h, w), the digit.
        neighbour: float32 (h, w), the other digit, drawn at the same size.
        rng: Which side, and how far.
    """
    if rng.random() < 0.5:
        flipped = leave_from_left(ink[:, ::-1], neighbour[:, ::-1], rng)
        return np.ascontiguousarray(flipped[:, ::-1])
    return leave_from_left(ink, neighbour, rng)


def leave_from_left(ink: Floats, neighbour: Floats, rng: Generator) -> Floats:
    """Put the right end of the neighbour left of the digit, cut off at the box's edge."""
    _, _, left, _ = extent(ink)
    _, _, _, end = extent(neighbour)
    reach = int(rng.integers(2, 9))
    edge = max(0, left - int(rng.integers(0, 8)) - reach)
    piece = neighbour[:, max(0, end - reach) : end]
    marked = ink.copy()
    marked[:, edge : edge + piece.shape[1]] = np.maximum(
        marked[:, edge : edge + piece.shape[1]], np.roll(piece, int(rng.integers(-12, 13)), axis=0)
    )
    return marked


def cut_off(ink: Floats, rng: Generator) -> Floats:
    """Cut a little of the digit away at one side, where its stroke crossed the box."""
    top, bottom, left, right = extent(ink)
    depth = int(rng.integers(1, max(2, round(0.1 * max(bottom - top, right - left)))))
    cut = ink.copy()
    side = int(rng.integers(4))
    if side == 0:
        cut[: top + depth] = 0
    elif side == 1:
        cut[bottom - depth :] = 0
    elif side == 2 and right - left > 4 * depth:
        cut[:, : left + depth] = 0
    elif side == 3 and right - left > 4 * depth:
        cut[:, right - depth :] = 0
    return cut


def leave_specks(ink: Floats, rng: Generator) -> Floats:
    """Put one to three dots of dirt or stray ink near the digit."""
    marked = ink.copy()
    top, bottom, left, right = extent(ink)
    for _ in range(int(rng.integers(1, 4))):
        centre = int(rng.integers(left - 5, right + 6)), int(rng.integers(top - 5, bottom + 6))
        cv2.circle(marked, centre, int(rng.integers(1, 3)), float(rng.uniform(0.3, 1)), -1)
    return marked
