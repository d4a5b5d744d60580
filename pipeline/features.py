"""A scan matched with a reference image of its form by local features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import TemplateError
from pipeline.geometry import Matrix, reduce, scaling
from pipeline.records import GreyImage

LONG_SIDE = 1100
"""Pages are matched at about this size: text is still there, noise is not."""
FEATURES = 1500
LEAST_INLIERS = 15

Features = tuple[tuple[cv2.KeyPoint, ...], NDArray[np.uint8], float]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMatch:
    """Where a page lies by its features."""

    homography: Matrix
    """(3, 3), template pixels to scan pixels."""
    agreeing: float
    """The share of matched features that agree on it."""


def find_feature_homography(
    scan: Features, reference: Path, size: tuple[float, float]
) -> FeatureMatch | None:
    """Match a scan with a reference image of the form.

    ORB features (Rublee et al., ICCV 2011), agreed on by MAGSAC++ (Barath et al., CVPR 2020).

    Args:
        scan: Features of the scan.
        reference: Image file of the form, which covers the template's whole page.
        size: Template (height, width).

    Returns:
        Where the page lies, or nothing if too little matches.

    Raises:
        TemplateError: If the reference cannot be read.
    """
    form_points, form_descriptors, to_form = _reference_features(reference, size)
    scan_points, scan_descriptors, scale = scan
    if len(scan_points) < LEAST_INLIERS:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(scan_descriptors, form_descriptors, k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < 0.8 * p[1].distance]
    if len(good) < LEAST_INLIERS:
        return None
    form_at = np.array([form_points[match.trainIdx].pt for match in good])
    scan_at = np.array([scan_points[match.queryIdx].pt for match in good])
    found, inliers = cv2.findHomography(
        form_at, scan_at, cv2.USAC_MAGSAC, ransacReprojThreshold=3.0
    )
    if found is None or inliers.sum() < LEAST_INLIERS:
        return None
    homography = scaling(1 / scale, 1 / scale) @ found @ scaling(to_form, to_form)
    return FeatureMatch(homography, float(inliers.mean()))


def detect_features(image: GreyImage) -> Features:
    """Key points and descriptors of an image reduced by the scale that comes with them.

    Args:
        image: Grey scan of shape (H, W).
    """
    factor = max(1, round(max(image.shape) / LONG_SIDE))
    small = reduce(image, factor)
    points, descriptors = cv2.ORB.create(nfeatures=FEATURES).detectAndCompute(small, None)
    return tuple(points), cast(NDArray[np.uint8], descriptors), 1 / factor


@lru_cache(maxsize=64)
def _reference_features(reference: Path, size: tuple[float, float]) -> Features:
    """Features of the reference, with the scale from template pixels to theirs."""
    data = np.frombuffer(reference.read_bytes(), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise TemplateError(f"{reference}: the reference image cannot be read; save it as PNG.")
    points, descriptors, scale = detect_features(np.asarray(image, np.uint8))
    if len(points) < LEAST_INLIERS:
        raise TemplateError(f"{reference}: too little is printed on the reference to align by it.")
    return points, descriptors, scale * image.shape[1] / size[1]
