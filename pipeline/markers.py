"""Printed corner markers: where they are in a scan, and which is which."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Matrix
from pipeline.records import GreyImage, Points
from pipeline.template import Markers

MARKER_PX = 14
"""Markers are looked for in a scan reduced until they are about this large."""
SIZES = (0.35, 1.8)
"""Sizes accepted, against those of a scan that shows the page edge to edge."""
MOST_MISS = 0.12
"""How far a marker may be from where two others put it, as a share of the diagonal: this much
perspective is allowed."""
DIAGONALS = ((0, 2), (1, 3))
ALL_MARKERS = np.arange(4)[None]
MOST = 24
"""How many marker-like marks are tried."""


def find_marker_homographies(
    image: GreyImage, markers: Markers, size: tuple[float, float]
) -> Iterator[Matrix]:
    """Guess how a page lies from marks that look like its markers, likeliest first.

    Three markers suffice: a fourth that is missing is put where the others say.

    Args:
        image: Grey scan of shape (H, W).
        markers: The template's markers.
        size: Template (height, width).

    Yields:
        (3, 3) homographies, template pixels to scan pixels; wrong ones among them.
    """
    page_scale = max(image.shape) / max(size)
    marks = _find_marks(image, markers.size * page_scale)
    centres = np.array(markers.centres, np.float64)
    for places in _assignments(marks, centres, page_scale):
        yield cv2.getPerspectiveTransform(
            centres.astype(np.float32), places.astype(np.float32)
        ).astype(np.float64)


def _find_marks(image: GreyImage, expected_px: float) -> Points:
    """Centres (N, 2) of solid, compact, dark marks of about the expected size, best first."""
    factor = max(1, int(expected_px / MARKER_PX))
    # Markers are large against the grid of samples: no need to average, which costs ten times more.
    small = cv2.blur(
        np.ascontiguousarray(image[factor // 2 :: factor, factor // 2 :: factor]), (3, 3)
    )
    reach = 4 * MARKER_PX + 1
    dark = cv2.adaptiveThreshold(
        small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, reach, 30
    )
    contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [mark for contour in contours if (mark := _measure(contour, expected_px / factor))]
    found.sort(key=lambda mark: -mark[2])
    marks = np.array([(x, y) for x, y, _ in found[:MOST]]).reshape(-1, 2)
    return marks * factor + factor // 2 + 0.5


def _measure(contour: cv2.typing.MatLike, expected_px: float) -> tuple[float, float, float] | None:
    """Centre x, y and likeness (0 to 1) of a contour, or nothing if it is no marker."""
    _, _, across, down = cv2.boundingRect(contour)
    if not SIZES[0] / 2 < min(across, down) / expected_px < 2 * SIZES[1]:
        return None
    _, (width, height), _ = cv2.minAreaRect(contour)
    side = float(np.sqrt((width + 1) * (height + 1)))
    solid = (cv2.contourArea(contour) + cv2.arcLength(contour, closed=True) / 2 + 1) / (side * side)
    square = (min(width, height) + 1) / (max(width, height) + 1)
    moments = cv2.moments(contour)
    if not SIZES[0] < side / expected_px < SIZES[1] or square < 0.6 or solid < 0.7:
        return None
    likeness = square * min(solid, 1.0) * min(side / expected_px, expected_px / side)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"], likeness


def _assignments(marks: Points, centres: Points, page_scale: float) -> Iterator[Points]:
    """Which marks could be the four markers, as places (4, 2), the likeliest first.

    Each two marks are taken for opposite markers, and the other two looked for near where they
    must be then; one that is not there is put where the other three say.
    """
    if len(marks) < 3:
        return
    guesses = [_match_pairs(marks, centres, diagonal) for diagonal in DIAGONALS]
    misses = np.concatenate([miss for _, miss in guesses])
    found = np.concatenate([indices for indices, _ in guesses])
    cost = np.where(misses.max(axis=1) < MOST_MISS, misses.max(axis=1), 1 + misses.min(axis=1))
    cost[misses.min(axis=1) >= MOST_MISS] = np.inf
    cost += 0.2 * np.abs(np.log(_spans(marks, found) / _spans(centres, ALL_MARKERS) / page_scale))
    seen = set()
    for pick in np.argsort(cost, kind="stable")[: np.isfinite(cost).sum()]:
        places = _replace_lost(marks[found[pick]], misses[pick], pick < len(guesses[0][0]))
        key = tuple(np.rint(places.ravel()))
        if key not in seen and len({tuple(place) for place in places}) == 4:
            seen.add(key)
            yield places


def _spans(points: Points, markers: NDArray[np.int_]) -> NDArray[np.float64]:
    """How long the diagonals between markers (N, 4) are together, (N,)."""
    first, second = (points[markers[:, a]] - points[markers[:, b]] for a, b in DIAGONALS)
    return np.asarray(np.hypot(*first.T) + np.hypot(*second.T) + 1e-9, np.float64)


def _match_pairs(
    marks: Points, centres: Points, diagonal: tuple[int, int]
) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Take each two marks for the markers of a diagonal, and find the marks nearest to the others.

    Returns:
        For each two, which marks are the markers (pairs, 4), and how far the two others are from
        where they must be (pairs, 2), as a share of the diagonal.
    """
    marks_z, centres_z = marks @ (1, 1j), centres @ (1, 1j)
    first, second = np.nonzero(~np.eye(len(marks), dtype=bool))
    others = [corner for corner in range(4) if corner not in diagonal]
    span = marks_z[second] - marks_z[first]
    turn = span / (centres_z[diagonal[1]] - centres_z[diagonal[0]])
    wanted = marks_z[first, None] + turn[:, None] * (centres_z[others] - centres_z[diagonal[0]])
    distances = np.abs(marks_z - wanted[:, :, None]) / np.abs(span)[:, None, None]
    found = np.empty((len(first), 4), int)
    found[:, list(diagonal)] = np.column_stack([first, second])
    found[:, others] = distances.argmin(axis=2)
    return found, distances.min(axis=2)


def _replace_lost(places: Points, misses: NDArray[np.float64], first_diagonal: bool) -> Points:
    """Put a marker that was not found where the other three say."""
    if misses.max() < MOST_MISS:
        return places
    diagonal, others = DIAGONALS if first_diagonal else DIAGONALS[::-1]
    lost, kept = others[int(misses.argmax())], others[int(misses.argmin())]
    whole = places.copy()
    whole[lost] = places[list(diagonal)].sum(axis=0) - places[kept]
    return whole
