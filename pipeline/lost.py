"""Strokes that may have gone with the frame: what is left of the digit may be another one.

The bar of a 7 on the upper line, taken for the line, leaves a 1, and no network can tell. But
where the bar was, the line is darker or wider than elsewhere, and no ink there is the digit's.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.ink import LINE_REACH, Levels
from pipeline.ownership import Labels
from pipeline.records import Box, Floats

LOST_STROKE = 0.3
"""How long a stroke must be to be missed, as a share of the height of a box."""
MORE = 1.0
"""How much more darkness across a line shows a stroke on it, in pen pixels."""


def find_lost_strokes(
    dark: Floats, owners: Labels, boxes: Sequence[Box], levels: Levels
) -> NDArray[np.bool_]:
    """Tell the boxes that have, on a line of their frame, the look of a stroke that is nobody's.

    Args:
        dark: Darkness, float32 of shape (H, W).
        owners: For each pixel the position of the box that its ink belongs to, (H, W).
        boxes: The frames as printed, in these pixels.
        levels: Those of the field.

    Returns:
        (N,), one a box.
    """
    upright = [(x, box.top, box.bottom) for box in boxes for x in (box.left, box.right)]
    level = [(y, box.left, box.right) for box in boxes for y in (box.top, box.bottom)]
    height = boxes[0].height
    return _has_run(dark, owners, upright, height, levels) | _has_run(
        dark.T, owners.T, level, height, levels
    )


def _has_run(
    dark: Floats,
    owners: Labels,
    lines: Sequence[tuple[float, float, float]],
    height: float,
    levels: Levels,
) -> NDArray[np.bool_]:
    """Tell the boxes on one of whose two upright lines a long stroke is: (N,)."""
    reach = round(LINE_REACH * height)
    length = int(min(end - start for _, start, end in lines)) - 2 * reach - 2
    starts = np.array([round(start) + reach + 1 for _, start, _ in lines])
    middles = np.array([round(middle) for middle, _, _ in lines])
    rows = np.clip(starts[:, None] + np.arange(max(length, 1)), 0, dark.shape[0] - 1)[:, :, None]
    across = np.arange(-reach, reach + 1)
    columns = np.clip(middles[:, None] + across, 0, dark.shape[1] - 1)[:, None, :]
    amount = np.maximum(dark[rows, columns] - levels.paper, 0).sum(axis=2)
    amount = cv2.blur(amount.astype(np.float32), (3, 1))
    own = np.sort(amount, axis=1)[:, amount.shape[1] // 4]
    usual = np.minimum(own, 1.15 * np.median(own))[:, None]
    covered = amount > usual + MORE * (levels.pen - levels.paper)
    position = np.repeat(np.arange(len(lines) // 2), 2)[:, None, None]
    covered &= ~(owners[rows, columns] == position).any(axis=2)
    run = np.ones((1, round(LOST_STROKE * height) + 1), np.uint8)
    outside = cv2.BORDER_CONSTANT
    found = cv2.erode(covered.astype(np.uint8), run, borderType=outside, borderValue=0)
    return np.asarray(found.any(axis=1).reshape(-1, 2).any(axis=1), np.bool_)
