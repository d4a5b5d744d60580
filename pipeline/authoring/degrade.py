"""What a scanner does to a page, each by its name and with a strength.

Images are uint8 of shape (H, W) or (H, W, 3). At strength 0 nothing changes, 1 is about the worst
that an office sends. All keep the type, and the size too, except `bed` and `resolution`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.random import Generator

from pipeline.records import Floats, GreyImage, Points

Degradation = Callable[[GreyImage, float, Generator], GreyImage]


def degrade(image: GreyImage, strengths: Mapping[str, float], rng: Generator) -> GreyImage:
    """Apply degradations in the order given.

    Args:
        image: uint8 of shape (H, W) or (H, W, 3).
        strengths: By the name of the degradation.
        rng: The source of all variation.
    """
    for name, strength in strengths.items():
        image = DEGRADATIONS[name](image, strength, rng)
    return image


def _bed(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Lay the page on a larger scanner bed, under whose white lid its edge throws a thin shadow."""
    margin = round(0.05 * strength * image.shape[1])
    if margin == 0:
        return image
    sides = rng.uniform(0.5, 1, 4) * margin
    top, bottom, left, right = np.rint(sides).astype(int).tolist()
    lid = (228,) * 3
    border = cv2.BORDER_CONSTANT
    page = cv2.copyMakeBorder(image, top, bottom, left, right, border, value=lid)
    height, width = image.shape[:2]
    outside = np.full(page.shape[:2], 255, np.uint8)
    outside[top : top + height, left : left + width] = 0
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
    dark = 1 - 0.35 * np.exp(-distance / 5) * (outside > 0)
    return _shade(np.asarray(page, np.uint8), dark)


def _skew(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Turn the page by up to 2 degrees about its middle, never by less than half of that."""
    angle = 2 * strength * rng.uniform(0.5, 1) * rng.choice([-1, 1])
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(angle), 1.0)
    return _warp(image, np.asarray(matrix, np.float64))


def _shift(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Move the page by up to 0.8 % of its width, and stretch it by up to 0.6 % each way."""
    height, width = image.shape[:2]
    stretch = 1 + 0.006 * strength * rng.uniform(-1, 1, 2)
    move = 0.008 * strength * width * rng.uniform(-1, 1, 2)
    centre = np.array([width, height]) / 2
    matrix = np.column_stack([np.diag(stretch), move + centre * (1 - stretch)])
    return _warp(image, matrix)


def _warp(image: GreyImage, matrix: Points) -> GreyImage:
    """Resample; what comes in from outside has the colour of the page's corner."""
    corner = np.median(image[:8, :8].reshape(64, -1), axis=0).tolist()
    return np.asarray(
        cv2.warpAffine(
            image,
            matrix,
            image.shape[1::-1],
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=corner,
        ),
        np.uint8,
    )


def _resolution(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Scan with fewer pixels; strength 1 halves the resolution."""
    scale = 1 / (1 + strength)
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _blur(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Blur as a lens out of focus does."""
    if strength == 0:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.9 * strength), np.uint8)


def _paper(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Print on real paper: off-white, slightly uneven, its blacks never quite black."""
    tint = 255 - strength * rng.uniform((4, 5, 10), (12, 14, 26))
    black = 40 * strength * rng.uniform(0.5, 1)
    level = tint if image.ndim == 3 else float(tint.mean())
    mottle = 1 + 0.005 * strength * _clouds(image.shape[:2], rng)
    toned = black + image * ((level - black) / 255)
    return _shade(np.rint(toned).astype(np.uint8), mottle)


def _clouds(size: tuple[int, ...], rng: Generator) -> Floats:
    """Give smooth noise of about unit variance."""
    coarse = rng.standard_normal((size[0] // 24 + 2, size[1] // 24 + 2), np.float32)
    return np.asarray(
        cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC), np.float32
    )


def _shadow(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Let the light fall off towards one edge, as under a lid that does not close."""
    height, width = image.shape[:2]
    y, x = np.ogrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    distance = (x, 1 - x, y, 1 - y)[int(rng.integers(4))]
    fall = 0.4 * strength * np.exp(-distance / rng.uniform(0.03, 0.12))
    slope = 0.05 * strength * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1))
    return _shade(image, 1 - fall - np.abs(slope))


def _shade(image: GreyImage, light: Points | Floats) -> GreyImage:
    shaded = image * (light[:, :, None] if image.ndim == 3 else light)
    return np.clip(np.rint(shaded), 0, 255).astype(np.uint8)


def _noise(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Add the sensor's noise, stronger in the dark, and alike in neighbouring pixels."""
    grain = cv2.GaussianBlur(rng.standard_normal(image.shape, np.float32), (0, 0), 0.6)
    spread = 7 * strength * (1.3 - image.astype(np.float32) / 510)
    return np.clip(np.rint(image + grain * spread), 0, 255).astype(np.uint8)


def _specks(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Scatter dust."""
    dust = np.zeros(image.shape[:2], np.float32)
    count = int(rng.poisson(30 * strength * image.shape[0] * image.shape[1] / 1e6))
    spots = rng.integers(0, image.shape[1::-1], (count, 2)).tolist()
    for spot, size in zip(spots, rng.exponential(0.7, count).tolist(), strict=True):
        cv2.circle(dust, spot, round(size), float(rng.uniform(0.15, 0.7)), thickness=-1)
    return _shade(image, 1 - np.asarray(cv2.GaussianBlur(dust, (0, 0), 0.7), np.float32))


def _jpeg(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Compress as JPEG and open again."""
    if strength == 0:
        return image
    quality = round(95 - 60 * strength)
    packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), np.uint8)


DEGRADATIONS: Mapping[str, Degradation] = {
    "bed": _bed,
    "skew": _skew,
    "shift": _shift,
    "resolution": _resolution,
    "blur": _blur,
    "paper": _paper,
    "shadow": _shadow,
    "specks": _specks,
    "noise": _noise,
    "jpeg": _jpeg,
}
"""Degradations by name, in the order in which a scanner has them."""
