"""What a scanner and the clean-up after it do to a digit."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from pipeline.records import Floats


def scan(ink: Floats, rng: Generator) -> Floats:
    """Blur, resample, roughen and threshold a digit as scanners and fax lines do.

    Args:
        ink: float32 (h, w), 0 paper, 1 pen, drawn at about twice MNIST's size.
        rng: What happens to it.

    Returns:
        float32, perhaps of a smaller shape, paper exactly 0.
    """
    if rng.random() < 0.5:
        ink = blur(ink, rng.uniform(0.4, 1.5))
    if rng.random() < 0.45:
        ink = lower_resolution(
            ink, rng.uniform(0.2, 0.3) if rng.random() < 0.1 else rng.uniform(0.3, 0.9)
        )
    if rng.random() < 0.3:
        ink = grain(ink, rng)
    if rng.random() < 0.12:
        ink = compress(ink, int(rng.integers(20, 70)))
    if rng.random() < 0.25:
        return binarise(ink, rng.uniform(0.25, 0.5))
    return drop_paper(ink, rng.uniform(0.05, 0.28))


def blur(ink: Floats, sigma_px: float) -> Floats:
    """Blur as an unsharp lens does."""
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), sigma_px), np.float32)


def lower_resolution(ink: Floats, scale: float) -> Floats:
    """Resample to this share of the size, as a coarser scanner would have seen it."""
    return np.asarray(
        cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32
    )


def grain(ink: Floats, rng: Generator) -> Floats:
    """Add the noise of sensor and paper."""
    noise = rng.normal(0, rng.uniform(0.02, 0.12), ink.shape)
    return np.asarray(np.clip(ink + noise, 0, 1), np.float32)


def compress(ink: Floats, quality: int) -> Floats:
    """Take the digit through JPEG at this quality."""
    _, code = cv2.imencode(
        ".jpg", np.rint(255 - 255 * ink).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    grey = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.float32)
    return 1 - grey / np.float32(255)


def binarise(ink: Floats, threshold: float) -> Floats:
    """Make a bilevel scan; a digit too faint for it stays as it is."""
    bilevel = (ink > threshold * ink.max()).astype(np.float32)
    return drop_specks(bilevel)


def drop_paper(ink: Floats, threshold: float) -> Floats:
    """Set all that is fainter than this share of the darkest ink to 0, as the box's cut does."""
    level = threshold * float(ink.max())
    kept = np.where(ink > level, ink, 0).astype(np.float32)
    return drop_specks(kept)


def drop_specks(ink: Floats) -> Floats:
    """Remove pieces below 2 % of all ink, which would pull the digit's extent apart."""
    mask = (ink > 0).astype(np.uint8)
    count, pieces, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:
        return ink
    areas = facts[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = areas >= 0.02 * areas.sum()
    return np.where(kept[pieces], ink, 0).astype(np.float32)
