"""Printed corner markers: where they are in a scan, and which is which."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import cv2
import numpy as np

from pipeline.geometry import Matrix
from pipeline.records import GreyImage, Points
from pipeline.template import Markers

MARKER_PX = 14
"""Markers are looked for in a scan reduced until they are about this large."""
SIZES = (0.35, 1.8)
"""Sizes accepted, against those of a scan that shows the page edge to edge."""
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
    for places in _assignments(marks, centres):
        yield cv2.getPerspectiveTransform(
            centres.astype(np.float32), places.astype(np.float32)
        ).astype(np.float64)


def _find_marks(image: GreyImage, expected_px: float) -> Points:
    """Centres (N, 2) of solid, compact, dark marks of about the expected size, best first."""
    factor = min(1.0, MARKER_PX / expected_px)
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    reach = 4 * MARKER_PX + 1
    dark = cv2.adaptiveThreshold(
        small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, reach, 30
    )
    contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [mark for contour in contours if (mark := _measure(contour, expected_px * factor))]
    found.sort(key=lambda mark: -mark[2])
    marks = np.array([(x, y) for x, y, _ in found[:MOST]]).reshape(-1, 2)
    return (marks + 0.5) / factor


def _measure(contour: cv2.typing.MatLike, expected_px: float) -> tuple[float, float, float] | None:
    """Centre x, y and likeness (0 to 1) of a contour, or nothing if it is no marker."""
    _, (width, height), _ = cv2.minAreaRect(contour)
    width, height = width + 1, height + 1
    side = float(np.sqrt(width * height))
    solid = (cv2.contourArea(contour) + cv2.arcLength(contour, closed=True) / 2 + 1) / (side * side)
    square = min(width, height) / max(width, height)
    if not SIZES[0] < side / expected_px < SIZES[1] or square < 0.6 or solid < 0.7:
        return None
    moments = cv2.moments(contour)
    if moments["m00"] == 0:
        return None
    likeness = square * min(solid, 1.0) * min(side / expected_px, expected_px / side)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"], likeness


def _assignments(marks: Points, centres: Points) -> Iterator[Points]:
    """Which marks could be the four markers, as places (4, 2), the likeliest first."""
    if len(marks) < 3:
        return
    guesses = [
        guess
        for diagonal in ((0, 2), (1, 3))
        for pair in permutations(range(len(marks)), 2)
        if (guess := _complete(marks, centres, diagonal, pair))
    ]
    seen = set()
    for _, places in sorted(guesses, key=lambda guess: guess[0]):
        key = tuple(np.rint(places.ravel()))
        if key not in seen:
            seen.add(key)
            yield places


def _complete(
    marks: Points, centres: Points, diagonal: tuple[int, int], pair: tuple[int, int]
) -> tuple[float, Points] | None:
    """Take two marks for opposite markers and find the other two near where they must be.

    Returns:
        How far off the others are, as a share of the diagonal, and all four places.
    """
    start, end = (centres[i] @ (1, 1j) for i in diagonal)
    image_start, image_end = (marks[i] @ (1, 1j) for i in pair)
    turn = (image_end - image_start) / (end - start)
    places = np.empty((4, 2))
    places[list(diagonal)] = marks[list(pair)]
    others = [i for i in range(4) if i not in diagonal]
    misses = []
    for other in others:
        where = image_start + turn * (centres[other] @ (1, 1j) - start)
        distances = np.abs(marks @ (1, 1j) - where) / abs(image_end - image_start)
        nearest = int(np.argmin(distances))
        places[other] = marks[nearest]
        misses.append(float(distances[nearest]))
    if min(misses) > 0.12 or len({tuple(place) for place in places}) < 3:
        return None
    if max(misses) > 0.12:
        lost, kept = others[int(np.argmax(misses))], others[int(np.argmin(misses))]
        places[lost] = places[list(diagonal)].sum(axis=0) - places[kept]
        return 0.12 + misses[int(np.argmin(misses))], places
    return max(misses), places
