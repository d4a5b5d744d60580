"""Boxes that a scan does not show: cut off, torn off, folded under or covered.

Of a field that lies half on what is missing the rest can be read, and looks like a shorter code.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from pipeline.frames import FieldsView
from pipeline.geometry import edge_corners, transform
from pipeline.records import AlignedPage, GreyImage

BEYOND = 0.1
"""How far a box may reach beyond the scan, as a share of its height."""
ANGLES = np.arange(0, 2 * np.pi, np.pi / 32)
"""The directions in which a part of a page may be missing."""
ALL_LINES = 4
MOST_LINES = 1
"""A box of which no more lines are seen, and that holds nothing, is not there."""
TORN_LINES = 2
"""The same on a page of which a part is known to be missing, whatever the box holds."""
WHOLE = 0.85
"""The share of a field's lines that must be seen there."""
BLACK, COVERED = 0.4, 0.75
"""What is less bright than this, against paper, is covered: on any page, and on one of which a part
is known to be missing."""
BRIGHT = 13
"""Of a spot's 16 pixels so many may be darker."""
MOST_SPOTS = 3
"""So many spots of eight along a box's edge show that it is; writing covers fewer."""
_SPOTS = np.delete(np.array(list(product((0.17, 0.5, 0.83), repeat=2))), 4, axis=0)
_PATCH = np.array(list(product((-0.06, -0.02, 0.02, 0.06), repeat=2)))
_PATCHES = _SPOTS[:, None] + _PATCH
"""(8, 16, 2): places in a box along its edge, as shares of its sides."""


def find_whole(
    view: FieldsView,
    aligned: AlignedPage,
    blank: NDArray[np.bool_],
    present: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], bool]:
    """Tell which fields the scan shows with all their boxes.

    Args:
        view: The fields as settled on their frames.
        aligned: The page.
        blank: (N,): the boxes that nothing was read in.
        present: (F,): the fields that are not known to be missing altogether.

    Returns:
        (F,), and whether the boxes that are not there lie together on one side of the page: then a
        part of it is missing, and else it may lie elsewhere.
    """
    groups, frames = view.strips.groups, view.frames
    lines = frames.seen.sum(axis=1)
    lacking = _beyond(view, aligned) | ((lines <= MOST_LINES) & blank)
    suspect = blank & (lines < ALL_LINES)
    if suspect.any():
        lacking |= find_covered(view) & suspect
    if present.all() and not lacking.any():
        return present, False
    edges, gone = view.printed(), lacking | ~present[groups.of_box]
    middles = (edges[:, :2] + edges[:, 2:]) / 2
    shown = ~gone & (lines > TORN_LINES)
    near = np.median(edges[:, 2:] - edges[:, :2]) / 2
    torn = not present.all() or is_parted(middles[gone], middles[shown], float(near))
    doubtful = lacking | _is_covered(view, COVERED)
    if torn:  # else frames are broken here and there, and a box without lines is one of them
        doubtful |= lines <= TORN_LINES
        present = present & (frames.support >= WHOLE)
    return present & (groups.total(doubtful) == 0), torn


def _beyond(view: FieldsView, aligned: AlignedPage) -> NDArray[np.bool_]:
    """Tell which boxes reach beyond the scan."""
    edges = view.printed()
    inwards = BEYOND * np.median(edges[:, 3] - edges[:, 1]) * np.array([1, 1, -1, -1])
    corners = transform(aligned.homography, edge_corners(edges + inwards))
    outside = (corners < 0) | (corners > aligned.page.image.shape[::-1])
    return np.asarray(outside.any(axis=1).reshape(-1, 4).any(axis=1), np.bool_)


def find_covered(view: FieldsView) -> NDArray[np.bool_]:
    """Tell which boxes, (N,), are black where nobody writes."""
    return _is_covered(view, BLACK)


def _levels(view: FieldsView) -> GreyImage:
    """How bright spots along the edge of each box are, where hardly anybody writes: (N, 8)."""
    edges = view.frames.edges
    sides = edges[:, 2:] - edges[:, :2]
    places = (edges[:, None, None, :2] + sides[:, None, None] * _PATCHES).astype(np.intp)
    height, width = view.image.shape
    x = np.minimum(np.maximum(places[..., 0], 0), width - 1)
    y = np.minimum(np.maximum(places[..., 1], 0), height - 1)
    return np.asarray(np.partition(view.image[y, x], BRIGHT, axis=2)[..., BRIGHT], np.uint8)


def _is_covered(view: FieldsView, share: float) -> NDArray[np.bool_]:
    levels = _levels(view)
    dark = levels < share * float(np.quantile(levels, 0.9))
    return np.asarray(dark.sum(axis=1) >= MOST_SPOTS, np.bool_)


def is_parted(lacking: NDArray[np.float64], shown: NDArray[np.float64], near: float = 0.0) -> bool:
    """Tell whether a line parts points (N, 2) that are not there from those that are, (M, 2).

    Some may lie so near to it on the other side.
    """
    if not len(lacking) or not len(shown):
        return not len(lacking)
    away = np.array([np.cos(ANGLES), np.sin(ANGLES)])
    gaps = (lacking @ away).min(axis=0) - (shown @ away).max(axis=0)
    return bool((gaps > -near).any())
