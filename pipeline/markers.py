"""Printed corner markers: where they are in a scan, and which is which."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Matrix, transform
from pipeline.records import GreyImage, Points
from pipeline.template import Markers

MARKER_PX = 14
"""Markers are looked for in a scan reduced until they are about this large."""
SIZES = (0.35, 1.8)
"""Sizes accepted, against those of a scan that shows the page edge to edge."""
MOST_MISS = 0.12
"""How far a marker may be from where two others put it, as a share of the diagonal: this much
perspective is allowed."""
FOCAL_LENGTHS = (0.6, 0.7, 0.85, 1.05)
"""Of phones and cameras, as shares of a picture's diagonal; nearly right is near enough."""
FACING = 0.75
"""The cosine of the largest angle at which a page is photographed."""
LEAST_PAGE = 0.3
"""The smallest page on a photo, as a share of its area; on less, nothing can be read."""
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
    centres = np.array(markers.centres, np.float32)
    for places, _ in _find_places(image, markers, size):
        found = cv2.getPerspectiveTransform(centres, places.astype(np.float32))
        yield np.asarray(found, np.float64)


def find_tilted_homographies(
    image: GreyImage, markers: Markers, size: tuple[float, float]
) -> Iterator[Matrix]:
    """Guess how a page lies that was photographed aslant, from three of its markers.

    Three points do not tell how far perspective puts the fourth, but with a camera that looks
    through the picture's middle they do (P3P: Gao, Hou, Tang and Cheng, PAMI 25, 2003).

    Args:
        image: Grey scan of shape (H, W).
        markers: The template's markers.
        size: Template (height, width).

    Yields:
        (3, 3) homographies, template pixels to scan pixels; wrong ones among them.
    """
    height, width = image.shape
    flat = np.column_stack([np.array(markers.centres, np.float64), np.zeros(4)])
    for places, lost in _find_places(image, markers, size):
        if lost is None:
            continue
        known = np.arange(4) != lost
        for focal in np.hypot(height, width) * np.array(FOCAL_LENGTHS):
            camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
            _, turns, shifts = cv2.solveP3P(
                flat[known], places[known], camera, None, flags=cv2.SOLVEPNP_P3P
            )
            for turn, shift in zip(turns, shifts, strict=True):
                rotation = cv2.Rodrigues(turn)[0]
                found = camera @ np.column_stack([rotation[:, :2], shift])
                if rotation[2, 2] > FACING and _share(found, size, image.shape) > LEAST_PAGE:
                    yield found


def _share(homography: Matrix, size: tuple[float, float], shape: tuple[int, ...]) -> float:
    """How large a page is on a picture, as a share of the picture's area."""
    height, width = size
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    outline = transform(homography, corners).astype(np.float32)
    return cv2.contourArea(outline) / (shape[0] * shape[1])


def _find_places(
    image: GreyImage, markers: Markers, size: tuple[float, float]
) -> Iterator[tuple[Points, int | None]]:
    """Where the four markers could be, (4, 2), and which of them was not seen; likeliest first."""
    page_scale = max(image.shape) / max(size)
    marks = _find_marks(image, markers.size * page_scale)
    yield from _assignments(marks, np.array(markers.centres, np.float64), page_scale)


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


def _assignments(
    marks: Points, centres: Points, page_scale: float
) -> Iterator[tuple[Points, int | None]]:
    """Which marks could be the four markers, as places (4, 2), and which is none of them.

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
        places, lost = _replace_lost(marks[found[pick]], misses[pick], pick < len(guesses[0][0]))
        key = tuple(np.rint(places.ravel()))
        if key not in seen and len({tuple(place) for place in places}) == 4:
            seen.add(key)
            yield places, lost


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


def _replace_lost(
    places: Points, misses: NDArray[np.float64], first_diagonal: bool
) -> tuple[Points, int | None]:
    """Put a marker that was not found where the other three say; and say which it is."""
    if misses.max() < MOST_MISS:
        return places, None
    diagonal, others = DIAGONALS if first_diagonal else DIAGONALS[::-1]
    lost, kept = others[int(misses.argmax())], others[int(misses.argmin())]
    whole = places.copy()
    whole[lost] = places[list(diagonal)].sum(axis=0) - places[kept]
    return whole, lost
