"""Points, homographies, and strips of a scan sampled in the template's own geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, GreyImage, Points

Matrix = NDArray[np.float64]


def transform(matrix: Matrix, points: Points) -> Points:
    """Send points (N, 2) as x, y through a (3, 3) homography."""
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return homogeneous[:, :2] / homogeneous[:, 2:]


def translation(x: float, y: float) -> Matrix:
    """A (3, 3) matrix that moves by x, y."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def scaling(x: float, y: float) -> Matrix:
    """A (3, 3) matrix that scales by x, y about the origin."""
    return np.diag([x, y, 1.0])


def local_scale(matrix: Matrix, at: tuple[float, float]) -> float:
    """How many pixels a template pixel becomes near the point `at`, as a geometric mean."""
    corners = np.array([at, (at[0] + 1, at[1]), (at[0], at[1] + 1)], np.float64)
    origin, right, down = transform(matrix, corners)
    edges = np.array([right - origin, down - origin])
    return float(np.sqrt(abs(np.linalg.det(edges))))


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


def reduce(image: GreyImage, factor: int) -> GreyImage:
    """Make an image smaller by a whole factor, each pixel the mean of those it covers.

    A whole factor is several times as fast as any other. What is left over at the right and at
    the bottom is dropped.
    """
    if factor <= 1:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    whole = image[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


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
    centre = (area.left + area.right) / 2, (area.top + area.bottom) / 2
    finer = max(1, round(local_scale(homography, centre) / scale))
    size = max(1, round(area.width * scale)), max(1, round(area.height * scale))
    to_template = translation(area.left, area.top) @ scaling(
        1 / (scale * finer), 1 / (scale * finer)
    )
    matrix = translation(-0.5, -0.5) @ homography @ to_template @ translation(0.5, 0.5)
    fine = cv2.warpPerspective(
        image,
        matrix,
        dsize=(size[0] * finer, size[1] * finer),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    coarse = fine if finer == 1 else cv2.resize(fine, size, interpolation=cv2.INTER_AREA)
    return Strip(np.asarray(coarse, np.uint8), (area.left, area.top), scale)
