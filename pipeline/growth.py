"""A match of boxes and cells spread from one row over the whole page, and made exact."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Matrix, transform, translation
from pipeline.matching import BoxLayout, PageRows, Place, cell_at
from pipeline.quantiles import median, quantile
from pipeline.records import Points
from pipeline.rows import is_lone

CLOSE = 0.15
"""How far off a cell may be to be a box's at last, as a share of the box's smaller side."""
ALL = 0.9
"""With this share of the boxes so close, a match has spread over the page."""
EXACT = 0.02
"""A map that leaves less than this share of a box's side is near enough: cells are not measured
more finely, and the frames of each field say the rest."""
FIRST_REACH = 6.0
"""A match is grown at first over boxes this near, in sides of a box, to the middle of its row."""
FURTHER = 1.7
"""And then over those so many times as far away."""
PLANE = 0.7
"""A homography must leave less than this of an affine map's misses to be believed."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """How a template's boxes lie on a page's cells."""

    homography: Matrix
    """(3, 3), template pixels to scan pixels."""
    boxes: NDArray[np.intp]
    """(M,): boxes of the template, in the order of its fields, that have a cell."""
    offsets: Points
    """(M, 2): how far, in template pixels, the cell is from where the homography puts the box."""
    share: float
    """Of the template's boxes."""


def grow(page: PageRows, layout: BoxLayout, place: Place) -> Match:
    """Spread a match from the row where it began over the whole page."""
    homography = place.homography
    if layout.lone:
        homography = _level(homography, layout.centres.mean(axis=0))
    distances = np.hypot(*(layout.centres - place.origin).T)
    reach = FIRST_REACH * layout.side
    while True:
        # What is a little wrong where it began is off by a whole box far from there.
        near = np.flatnonzero(distances < reach)
        of, offsets = _pair(page, layout.centres[near], layout.sizes[near], homography)
        homography = homography @ fit_correction(
            layout.centres[near[of]], offsets, side=layout.side, near=EXACT
        )
        boxes, offsets = _pair_closely(page, layout, homography)
        if len(boxes) >= ALL * len(distances) or reach > distances.max():
            break
        reach *= FURTHER
    homography = homography @ fit_correction(
        layout.centres[boxes], offsets, side=layout.side, near=EXACT
    )
    boxes, offsets = _pair_closely(page, layout, homography)
    return Match(homography, boxes, offsets, len(boxes) / len(layout.centres))


def _pair_closely(
    page: PageRows, layout: BoxLayout, homography: Matrix
) -> tuple[NDArray[np.intp], Points]:
    """Boxes (M,) that have a cell very near, and how far off it is (M, 2)."""
    boxes, offsets = _pair(page, layout.centres, layout.sizes, homography)
    close = np.hypot(*offsets.T) < CLOSE * layout.sizes[boxes].min(axis=1)
    return boxes[close], offsets[close]


def _pair(
    page: PageRows, places: Points, sizes: Points, homography: Matrix
) -> tuple[NDArray[np.intp], Points]:
    """Boxes (M,) that have a cell of about their size, and how far off it is (M, 2)."""
    found = cell_at(page, transform(homography, places))
    boxes = np.flatnonzero(found >= 0)
    cells = found[boxes]
    back = np.asarray(np.linalg.inv(homography), np.float64)
    centres = page.cells.centres[cells]
    ends = [centres, centres + page.cells.rights[cells], centres + page.cells.downs[cells]]
    there, right, down = transform(back, np.concatenate(ends)).reshape(3, -1, 2)
    # Turned by a quarter, what is right on the scan is up or down in the template.
    sides = np.abs(right - there) + np.abs(down - there)
    alike = np.abs(np.log(np.maximum(sides, 1e-6) / sizes[boxes])).max(axis=1) < 0.4
    return boxes[alike], (there - places[boxes])[alike]


def fit_correction(
    expected: Points, offsets: Points, *, side: float, lone: bool = False, near: float = 0.0
) -> Matrix:
    """The simplest map, (3, 3), from where centres should be to where they are.

    A similarity for a single row (`lone`), else an affine map, or a homography where that is
    clearly better: a flat scan needs none, and does harm with one where nothing was matched. None
    is asked for where the affine map leaves less than `near`, a share of a box's side.
    """
    printed = expected + offsets
    if len(expected) < 2:
        return np.eye(3) if not len(expected) else translation(*offsets[0])
    threshold = 0.5 * median(np.abs(offsets)) + 1.0
    if lone or len(expected) < 4 or is_lone(expected, side):
        return _as_matrix(
            cv2.estimateAffinePartial2D(expected, printed, ransacReprojThreshold=threshold)[0]
        )
    affine = _as_matrix(cv2.estimateAffine2D(expected, printed, ransacReprojThreshold=threshold)[0])
    left = _misses(affine, expected, printed)
    if len(expected) < 8 or left < near * side:
        return affine
    found = cv2.findHomography(expected, printed, cv2.RANSAC, ransacReprojThreshold=threshold)[0]
    if found is None:
        return affine
    plane: Matrix = np.asarray(found, np.float64)
    return plane if _misses(plane, expected, printed) < PLANE * left else affine


def _level(affine: Matrix, middle: Points) -> Matrix:
    """The similarity that agrees with an affine map along the x axis through a point.

    A single row says little about the other direction.
    """
    (x, y), fixed = affine[:2, 0], transform(affine, middle[None])[0]
    level = np.array([[x, -y, 0.0], [y, x, 0.0], [0.0, 0.0, 1.0]])
    back = translation(*(fixed - transform(level, middle[None])[0]))
    return np.asarray(back @ level, np.float64)


def is_cell_at(
    page: PageRows, places: Points, sizes: Points, homography: Matrix
) -> NDArray[np.bool_]:
    """Tell at which places (N, 2), in template pixels, there is a cell of about that size."""
    return np.isin(np.arange(len(places)), _pair(page, places, sizes, homography)[0])


def _as_matrix(affine: cv2.typing.MatLike | None) -> Matrix:
    return np.eye(3) if affine is None else np.vstack([affine, (0.0, 0.0, 1.0)])


def _misses(matrix: Matrix, expected: Points, printed: Points) -> float:
    """The 80th percentile of what a map leaves."""
    return quantile(np.hypot(*(transform(matrix, expected) - printed).T), 0.8)
