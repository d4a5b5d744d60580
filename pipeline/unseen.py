"""Frames that are not seen in the ink, drawn for the network, which learned from those that are.

They may be too pale, told by their tone alone, or taken out of the darkness already. Where the box
ends, and that a stroke may have gone with its side, is as true of them as of others.
"""

from __future__ import annotations

import numpy as np

from pipeline.bands import level_bands, upright_bands
from pipeline.geometry import Edges
from pipeline.records import GreyImage
from pipeline.strips import Groups

UNSEEN = 25
"""Most of a field's sides are this dark at the most if its frames are not seen."""
LINE_PX = 1
"""How far to each side of its middle a line is drawn, in strip pixels."""


def draw_unseen(ink: GreyImage, edges: Edges, groups: Groups) -> GreyImage:
    """Draw the frames of fields where the ink does not show them.

    Args:
        ink: uint8 of shape (H, W), 0 paper, 255 pen, with what is printed.
        edges: The boxes (N, 4) in its pixels; edges are the middles of lines.
        groups: Their fields.

    Returns:
        The ink with them.
    """
    unseen = groups.middle(_sides(ink, edges)) <= UNSEEN
    if not unseen.any():
        return ink
    drawn, boxes = ink.copy(), edges[unseen[groups.of_box]]
    for bands in (
        upright_bands(drawn.shape, boxes, LINE_PX, beyond=0),
        level_bands(drawn.shape, boxes, LINE_PX, beyond=0),
    ):
        drawn.ravel()[bands.pixels] = 255
    return drawn


def _sides(ink: GreyImage, edges: Edges) -> GreyImage:
    """The darkest pixel near the middle of each side of boxes: (N, 4)."""
    left, top, right, bottom = edges.T
    x, y = (left + right) / 2, (top + bottom) / 2
    middles = np.rint([[left, y], [x, top], [right, y], [x, bottom]]).astype(np.intp)
    near = np.array([-1, 0, 1])
    columns = np.minimum(np.maximum(middles[:, 0, :, None] + near, 0), ink.shape[1] - 1)
    rows = np.minimum(np.maximum(middles[:, 1, :, None] + near, 0), ink.shape[0] - 1)
    return np.asarray(ink[rows[..., :, None], columns[..., None, :]].max(axis=(2, 3)).T, np.uint8)
