"""Strokes that may have gone with the frame: what is left of the digit may be another one.

The bar of a 7 on the upper line, taken for the line, leaves a 1, and no network can tell. But
where the bar was, the line is darker or wider than elsewhere, and no ink there is the digit's.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bands import level_bands, upright_bands
from pipeline.geometry import Edges
from pipeline.ink import INSET, LINE_REACH, Levels
from pipeline.ownership import Labels
from pipeline.quantiles import median
from pipeline.records import Floats, GreyImage
from pipeline.strips import Groups

LOST_STROKE = 0.3
"""How long a stroke must be to be missed, as a share of the height of a box."""
MORE = 1.0
"""How much more darkness across a line shows a stroke on it, in pen pixels."""
NARROW, TALL = 0.25, 0.5
"""A line that passes through a box is at most so wide there and at least so long, likewise."""
BEYOND = (0.12, 0.38)
"""Where it is looked for above and below the box, likewise."""
LEFT_OUT = 0.015
"""How much ink a box without any of its own may hold, as a share of the square of its height: less
than a dash, and more than dust."""


def find_lost_strokes(
    dark: GreyImage, owners: Labels, edges: Edges, groups: Groups, levels: Levels
) -> NDArray[np.bool_]:
    """Tell the boxes that have, on a line of their frame, the look of a stroke that is nobody's.

    Args:
        dark: Darkness, uint8 of shape (H, W).
        owners: For each pixel the box that its ink belongs to, (H, W).
        edges: The frames as printed (N, 4).
        groups: Their fields.
        levels: Those of the fields.

    Returns:
        (N,), one a box.
    """
    height = float(np.median(edges[:, 3] - edges[:, 1]))
    reach = round(LINE_REACH * height)
    run = np.ones((1, round(LOST_STROKE * height) + 1), np.uint8)
    lines = Groups.of_sizes(2 * groups.counts)
    lost = np.zeros(len(edges), bool)
    for bands in (
        upright_bands(dark.shape, edges, reach, beyond=-reach - 1),
        level_bands(dark.shape, edges, reach, beyond=-reach - 1),
    ):
        covered = _is_covered(bands.of(dark), lines, levels)
        covered &= ~_is_owned(owners.ravel().take(bands.pixels))
        outside = cv2.BORDER_CONSTANT
        found = cv2.erode(covered.astype(np.uint8), run, borderType=outside, borderValue=0)
        lost |= found.any(axis=1).reshape(-1, 2).any(axis=1)
    return lost


def find_left_out(
    dark: GreyImage, empty: NDArray[np.bool_], edges: Edges, groups: Groups, levels: Levels
) -> NDArray[np.bool_]:
    """Tell the boxes that are taken for blank although ink is in them, given to others or nobody.

    Args:
        dark: Darkness, uint8 of shape (H, W).
        empty: Which boxes have no ink of their own, (N,).
        edges: The frames as printed (N, 4).
        groups: Their fields.
        levels: Those of the fields.

    Returns:
        (N,), one a box.
    """
    left_out = np.zeros(len(edges), bool)
    half = 255 * (levels.paper + np.minimum(levels.pen, 1)) / 2
    for box in np.flatnonzero(empty).tolist():
        left, top, right, bottom = edges[box]
        rim = INSET * (bottom - top)
        rows = slice(round(top + rim), round(bottom - rim))
        inside = dark[rows, round(left + rim) : round(right - rim)]
        most = LEFT_OUT * (bottom - top) ** 2
        left_out[box] = (inside > half[groups.of_box[box]]).sum() > most
    return left_out


def find_passing(ink: GreyImage, extents: NDArray[np.intp], edges: Edges) -> NDArray[np.bool_]:
    """Tell the boxes whose ink is part of a line that goes on above and below them.

    So do folds of the paper and streaks of a scanner; in an empty box they look like a 1.

    Args:
        ink: With frames and what is around, uint8 of shape (H, W).
        extents: The columns and rows that each box's ink takes up, (N, 4).
        edges: The frames as printed (N, 4).

    Returns:
        (N,), one a box.
    """
    height = median(edges[:, 3] - edges[:, 1])
    width, tall = (extents[:, 2:] - extents[:, :2]).T
    passing = (width < NARROW * height) & (tall > TALL * height)
    start, end = (round(share * height) for share in BEYOND)
    for box in np.flatnonzero(passing).tolist():
        left, _, right, _ = extents[box].tolist()
        top, bottom = np.rint(edges[box, [1, 3]]).astype(int).tolist()
        around = slice(max(left - end, 0), right + end)
        column = slice(left - around.start, right - around.start)
        beyond = ink[max(top - end, 0) : top - start], ink[bottom + start : bottom + end]
        passing[box] = all(_goes_on(rows[:, around] > 64, column) for rows in beyond)
    return np.asarray(passing, np.bool_)


def _goes_on(inked: NDArray[np.bool_], column: slice) -> bool:
    """Tell whether many rows have ink in these columns, and few have any aside of them."""
    if not len(inked):
        return False
    near = slice(max(column.start - 2, 0), column.stop + 2)
    if not inked[:, near].any():
        return False
    aside = np.hstack([inked[:, : max(near.start - 2, 0)], inked[:, near.stop + 2 :]])
    return bool(inked[:, near].any(axis=1).mean() > 0.3 and aside.any(axis=1).mean() < 0.25)


def _is_covered(bands: Floats, lines: Groups, levels: Levels) -> NDArray[np.bool_]:
    """Tell where more than a line is on lines, whose bands are (lines, width, length)."""
    paper, pen = levels.paper[lines.of_box, None], levels.pen[lines.of_box, None]
    amount = np.maximum(bands - paper[:, :, None].astype(np.float32), 0).sum(axis=1)
    amount = cv2.blur(amount, (3, 1))
    own = np.sort(amount, axis=1)[:, amount.shape[1] // 4]
    usual = np.minimum(own, 1.15 * lines.middle(own)[lines.of_box])[:, None]
    return np.asarray(amount > usual + MORE * (pen - paper), np.bool_)


def _is_owned(owners: Labels) -> NDArray[np.bool_]:
    """Tell where the box of each two lines, (2 N, width, length), has ink of its own on them."""
    box = np.arange(len(owners)) // 2
    return np.asarray((owners == box[:, None, None]).any(axis=1), np.bool_)
