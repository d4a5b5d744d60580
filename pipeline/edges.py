"""Where the edges of the page are in a scan: the paper's outline, or those of the scan itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Matrix, reduce, scaling, translation
from pipeline.ink import darkness
from pipeline.records import Floats, GreyImage, Points

SMALL_PX = 700
"""Edges and skew are measured on a scan of about this longer side."""
MOST_SKEW = 10.0
OUTLINE_SHARE = (0.2, 0.97)
"""How much of a picture its paper may take up; more, and it has no outline."""
OTHER_FORMAT = 1.3
"""A scan that is this many times as long or as wide, for its page, shows something else."""
CONVEXITY = 0.93
"""How well four straight edges must fit the paper's outline, as a share of areas."""


def find_page_edges(
    shape: tuple[int, ...],
    size: tuple[float, float],
    outline: Points | None,
    measure_skew: Callable[[], float],
) -> Iterator[Matrix]:
    """Guess how a page lies from the outline of its paper, or from the scan's edges and its skew.

    Args:
        shape: The scan's (height, width).
        size: Template (height, width).
        outline: Corners of the paper, (4, 2), or nothing.
        measure_skew: Gives the page's skew in degrees; asked only where it is needed.

    Yields:
        (3, 3) homographies, template pixels to scan pixels, for each way the page could be
        turned; the likelier first.
    """
    for turn in _turns(shape, size):
        if outline is not None:
            yield _from_outline(outline, size, turn)
        if _is_alike(shape, size, turn):
            yield _from_scan(shape, size, turn, measure_skew())


def find_outline(image: GreyImage) -> Points | None:
    """Find the corners of a bright page on a darker ground.

    Returns:
        Corners (4, 2) as x, y, clockwise from the one nearest the top left, or nothing.
    """
    factor = max(1, round(max(image.shape) / SMALL_PX))
    small = cv2.blur(reduce(image, factor), (3, 3))
    _, bright = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    # Print and writing are holes in the paper, and may reach its edge.
    closed = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    area = cv2.contourArea(hull)
    if not OUTLINE_SHARE[0] * small.size < area < OUTLINE_SHARE[1] * small.size:
        return None
    corners = np.asarray(cv2.approxPolyN(hull, 4), np.float64).reshape(-1, 2)
    if len(corners) != 4 or area < CONVEXITY * cv2.contourArea(corners.astype(np.float32)):
        return None
    return np.asarray(_order(corners) * factor + factor / 2, np.float64)


def _order(corners: Points) -> Points:
    """Sort corners clockwise, from the one nearest the top left."""
    middle = corners - corners.mean(axis=0)
    clockwise = corners[np.argsort(np.arctan2(middle[:, 1], middle[:, 0]))]
    return np.roll(clockwise, -int(np.argmin(clockwise.sum(axis=1))), axis=0)


def measure_skew(image: GreyImage) -> float:
    """Measure how far lines of print are from level or upright, in degrees, clockwise.

    The angle at which the rows' sums differ most (Postl, ICPR 1986).
    """
    small = reduce(image, max(1, round(max(image.shape) / SMALL_PX)))
    # Turning blurs, so that an image that is not turned would look the sharpest: none is.
    dark = darkness(small, reach=8).astype(np.float32)
    dark = np.asarray(cv2.GaussianBlur(dark, (0, 0), 1.0), np.float32)
    coarse = _steepest(dark, np.arange(-MOST_SKEW, MOST_SKEW + 0.1, 0.5) + 0.05)
    return _steepest(dark, np.arange(coarse - 0.4, coarse + 0.41, 0.1))


def _steepest(dark: Floats, angles: NDArray[np.float64]) -> float:
    height, width = dark.shape
    scores = []
    for angle in angles:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        level = cv2.warpAffine(dark, turn, (width, height))
        scores.append(sum(float(np.square(np.diff(level.sum(axis=a))).sum()) for a in (0, 1)))
    return float(angles[int(np.argmax(scores))])


def _turns(shape: tuple[int, ...], size: tuple[float, float]) -> tuple[int, ...]:
    """Quarter turns to try: those that fit the page's format first."""
    same_format = (shape[0] > shape[1]) == (size[0] > size[1])
    return (0, 2, 1, 3) if same_format else (1, 3, 0, 2)


def _from_outline(outline: Points, size: tuple[float, float], turn: int) -> Matrix:
    """Put the page's corners on those of the outline, turned by quarters."""
    height, width = size
    page = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    scan = np.roll(outline, -turn, axis=0).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(page, scan), np.float64)


def _is_alike(shape: tuple[int, ...], size: tuple[float, float], turn: int) -> bool:
    """Tell whether a scan has about the format of the page: it may show some of the bed."""
    height, width = size if turn % 2 == 0 else size[::-1]
    longer = shape[0] / shape[1] * width / height
    return 1 / OTHER_FORMAT < longer < OTHER_FORMAT


def _from_scan(shape: tuple[int, ...], size: tuple[float, float], turn: int, skew: float) -> Matrix:
    """Put the page's edges on the scan's, turned by quarters and skewed about the middle."""
    angle = np.deg2rad(90 * turn + skew)
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    height, width = size if turn % 2 == 0 else size[::-1]
    scale = min(shape[0] / height, shape[1] / width)
    to_middle = translation(-size[1] / 2, -size[0] / 2)
    back = translation(shape[1] / 2, shape[0] / 2)
    return cast(Matrix, back @ rotation @ scaling(scale, scale) @ to_middle)
