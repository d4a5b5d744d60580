"""Whether a page has its form's markers where its frames say that they are."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Matrix, transform
from pipeline.quantiles import median, quantile
from pipeline.records import Floats, GreyImage, Points
from pipeline.template import Markers

DARKER = 0.75
"""A marker is at most this bright, against the paper around it."""
MARKER_SQUARES = (0.3, 0.42, 0.9)
"""Squares in a marker, at its rim and around it, as shares of its size from its middle to their
sides. Telephones that make a page black and white leave only the rim of what is large."""
RIM_DARKER = 0.4
"""So bright at most is the mean of the rim."""
MARKER_NEAR = 0.025
"""How far a lens or a bend may move a marker from where the frames put it, as a share of the page's
longer side."""
MARKER_STEPS = 5
"""In so many steps to its size it is looked for."""
RIM = 4
"""So many steps from its middle a marker's surroundings reach."""
MOST_SHIFT = 0.5
"""How far the markers may be moved in the mean, as a share of their size: less than a box."""


def see_markers(
    image: GreyImage, markers: Markers, size: tuple[float, float], homography: Matrix
) -> bool | None:
    """Tell whether a page has its form's markers where it is taken to lie.

    Args:
        image: Grey scan of shape (H, W).
        markers: Those of the form.
        size: Template (height, width).
        homography: (3, 3), template pixels to scan pixels.

    Returns:
        None where they say nothing: the scan shows at most one, or they are there but moved.
    """
    seen = _sees_markers(image, markers, homography)
    return None if seen is False and _are_near(image, markers, size, homography) else seen


def _sees_markers(image: GreyImage, markers: Markers, homography: Matrix) -> bool | None:
    """Tell whether half of the markers that the scan shows are dark.

    None if it shows none, or only the place of one: one that is covered says nothing.
    """
    seen = are_dark(image, markers, homography)
    return 2 * sum(seen) >= len(seen) if any(seen) or len(seen) > 1 else None


def are_dark(image: GreyImage, markers: Markers, homography: Matrix) -> list[bool]:
    """Tell for each marker whose place the scan shows whether it is dark; args as `see_markers`."""
    squares = markers.size * np.concatenate([share * _RING for share in MARKER_SQUARES])
    points = np.array(markers.centres)[:, None] + squares
    at = np.rint(transform(homography, points.reshape(-1, 2)) - 0.5).astype(np.intp)
    inside = ((at >= 0) & (at < image.shape[::-1])).all(axis=1)
    shown = inside.reshape(len(points), -1).all(axis=1)
    x, y = at.reshape(points.shape)[shown].transpose(2, 0, 1)
    levels = image[y, x].reshape(len(x), len(MARKER_SQUARES), len(_RING)).astype(np.float64)
    return [
        min(median(inner), median(rim)) < DARKER * quantile(outer, 0.75)
        for inner, rim, outer in levels
    ]


def _are_near(
    image: GreyImage, markers: Markers, size: tuple[float, float], homography: Matrix
) -> bool:
    """Tell whether all but one of the markers are near where they should be, on all sides of it.

    The page is then bent, or its scan is: far from the boxes no plane says where a marker is. Are
    they all moved the same way, then it is the boxes that were taken for others.
    """
    step = markers.size / MARKER_STEPS
    reach = round(MARKER_NEAR * max(size) / step) + RIM
    x, y = np.meshgrid(*2 * (step * np.arange(-reach, reach + 1),))
    around = np.column_stack([x.ravel(), y.ravel()])
    points = (np.array(markers.centres)[:, None] + around).reshape(-1, 2)
    at = np.rint(transform(homography, points) - 0.5).astype(np.intp)
    inside = np.asarray(((at >= 0) & (at < image.shape[::-1])).all(axis=1), np.bool_)
    at = np.where(inside[:, None], at, 0)
    levels = np.asarray(np.where(inside, image[at[:, 1], at[:, 0]], 255), np.uint8)
    found = [around[_are_squares(patch)] for patch in levels.reshape(-1, *x.shape)]
    moves = [near[np.hypot(*near.T).argmin()] for near in found if len(near)]
    if len(moves) < len(found) - 1:
        return False
    return bool(np.hypot(*np.mean(moves, axis=0)) < MOST_SHIFT * markers.size)


def _are_squares(patch: GreyImage) -> NDArray[np.bool_]:
    """Tell for each pixel whether it is the middle of a dark square on brighter ground, (H W,).

    The square's sides are MARKER_STEPS pixels long; at the rim nothing is looked for.
    """
    inner, ring = 2 * (MARKER_STEPS // 2) - 1, MARKER_STEPS + 4
    darkest = cv2.dilate(patch, np.ones((inner, inner), np.uint8))
    rim, around = _mean_of_ring(patch, MARKER_STEPS), _mean_of_ring(patch, ring)
    found = np.zeros(patch.shape, np.bool_)
    within = slice(RIM, -RIM), slice(RIM, -RIM)
    found[within] = ((darkest < DARKER * around) | (rim < RIM_DARKER * around))[within]
    return found.ravel()


def _mean_of_ring(patch: GreyImage, side: int) -> Floats:
    """The mean of the pixels of a square of this side around each that are at its edge."""
    wide, less = (cv2.blur(patch.astype(np.float32), (n, n)) * n**2 for n in (side, side - 2))
    return np.asarray((wide - less) / (side**2 - (side - 2) ** 2), np.float32)


def _ring() -> Points:
    """Points (N, 2) along the edge of a square about the origin that reaches 1 to each side."""
    side = np.linspace(-1, 1, 7)
    full = np.ones(7)
    pairs = (side, full), (side, -full), (full, side), (-full, side)
    return np.concatenate([np.column_stack(pair) for pair in pairs])


_RING = _ring()
