"""Points, homographies, and strips of a scan sampled in the template's own geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, GreyImage, Points

Matrix = NDArray[np.float64]
Edges = NDArray[np.float64]
"""(N, 4): left, top, right and bottom of boxes."""
FLAT = 0.012
"""How far the sides of a page that lies flat are from a rectangle's, as a share of them."""
MOST_FINER = 32
"""So many scan pixels to one of a strip are averaged at most, along each axis."""


def transform(matrix: Matrix, points: Points) -> Points:
    """Send points (N, 2) as x, y through a (3, 3) homography."""
    if not len(points):
        return np.zeros((0, 2))
    there = cv2.perspectiveTransform(np.asarray(points, np.float64)[:, None], matrix)
    return np.asarray(there[:, 0], np.float64)


def translation(x: float, y: float) -> Matrix:
    """A (3, 3) matrix that moves by x, y."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def scaling(x: float, y: float) -> Matrix:
    """A (3, 3) matrix that scales by x, y about the origin."""
    return np.diag([x, y, 1.0])


def local_scale(matrix: Matrix, at: tuple[float, float]) -> float:
    """How many pixels a template pixel becomes near the point `at`, as a geometric mean."""
    # The determinant of a homography's Jacobian.
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    depth = g * at[0] + h * at[1] + i
    return sqrt(abs(determinant / depth**3))


def bounding_box(boxes: Sequence[Box], margin: float = 0.0) -> Box:
    """The smallest box around all, with a margin on each side."""
    return Box(
        min(box.left for box in boxes) - margin,
        min(box.top for box in boxes) - margin,
        max(box.right for box in boxes) + margin,
        max(box.bottom for box in boxes) + margin,
    )


def corners(box: Box) -> Points:
    """The corners (4, 2), clockwise from top left."""
    return np.array(
        [
            (box.left, box.top),
            (box.right, box.top),
            (box.right, box.bottom),
            (box.left, box.bottom),
        ]
    )


def as_edges(boxes: Sequence[Box]) -> Edges:
    """Boxes as an array (N, 4)."""
    return np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], np.float64)


def is_flat(homography: Matrix, size: tuple[float, float]) -> bool:
    """Tell whether a page of that (height, width) is a rectangle of its format in the scan."""
    height, width = size
    page = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    there = transform(homography, page)
    top, right, bottom, left = np.roll(there, -1, axis=0) - there
    lengths = [np.hypot(*side) for side in (top, right)]
    square = abs(float(top @ right)) < FLAT * lengths[0] * lengths[1]
    even = max(np.hypot(*(top + bottom)), np.hypot(*(right + left))) < FLAT * max(lengths)
    return bool(square and even and abs(lengths[0] * height / (lengths[1] * width) - 1) < 2 * FLAT)


def edge_corners(edges: Edges) -> Points:
    """The corners of boxes (N, 4), those of each clockwise from top left: (4 N, 2)."""
    return edges[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)


def reduce(image: GreyImage, factor: int) -> GreyImage:
    """Make an image smaller by a whole factor, each pixel the mean of those it covers.

    A whole factor is several times as fast as any other, and two the fastest. What is left over
    at the right and at the bottom is dropped.
    """
    while factor > 1:
        step = 2 if factor % 2 == 0 else factor
        height, width = image.shape[0] // step, image.shape[1] // step
        whole = image[: height * step, : width * step]
        smaller = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
        image, factor = np.asarray(smaller, np.uint8), factor // step
    return image


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A part of a scan, resampled so that its axes are the template's.

    Coordinates are continuous: pixel i covers i to i + 1.
    """

    image: GreyImage
    origin: tuple[float, float]
    """x, y of the strip's top left corner in template pixels."""
    scale: float
    """Strip pixels to a template pixel."""

    def locate(self, box: Box) -> Box:
        """Give a template box in strip pixels."""
        x, y = self.origin
        return Box(
            (box.left - x) * self.scale,
            (box.top - y) * self.scale,
            (box.right - x) * self.scale,
            (box.bottom - y) * self.scale,
        )

    def to_template(self, points: Points) -> Points:
        """Give strip points (N, 2) in template pixels."""
        return np.asarray(points / self.scale + np.array(self.origin), np.float64)


def sample_strip(image: GreyImage, homography: Matrix, area: Box, scale: float) -> Strip:
    """Resample an area of the template from a scan.

    Args:
        image: Grey scan of shape (H, W).
        homography: (3, 3), template pixels to scan pixels.
        area: What to sample, in template pixels.
        scale: Strip pixels to a template pixel.

    Returns:
        The strip. Where the scan has more pixels than the strip, they are averaged, so that
        thin strokes grow fainter but are never skipped.
    """
    size = max(1, round(area.width * scale)), max(1, round(area.height * scale))
    to_template = translation(area.left, area.top) @ scaling(1 / scale, 1 / scale)
    return Strip(resample(image, homography @ to_template, size), (area.left, area.top), scale)


def resample(image: GreyImage, to_scan: Matrix, size: tuple[int, int]) -> GreyImage:
    """Give an image of (width, height) whose pixels lie in a scan where `to_scan` (3, 3) says.

    Where the scan has more pixels, they are averaged.
    """
    width, height = size
    # A wrong guess at how a page lies may enlarge it without end.
    finer = round(min(max(1.0, local_scale(to_scan, (width / 2, height / 2))), MOST_FINER))
    # From the middles of pixels to the middles of pixels.
    matrix = to_scan @ scaling(1 / finer, 1 / finer)
    matrix[:, 2] += (matrix[:, 0] + matrix[:, 1]) / 2
    matrix[:2] -= matrix[2] / 2
    fine = cv2.warpPerspective(
        image,
        matrix,
        dsize=(width * finer, height * finer),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    coarse = fine if finer == 1 else cv2.resize(fine, size, interpolation=cv2.INTER_AREA)
    return np.asarray(coarse, np.uint8)
