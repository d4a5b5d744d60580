"""A box's ink in the geometry of MNIST; the one function for training and for reading.

Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition", Proc. IEEE 86 (1998), section III.A: size-normalised to fit 20x20 with the aspect
kept, grey levels left by anti-aliasing, centred in 28x28 by the centre of mass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Floats, GreyImage

SIDE = 28
FIT = 20


def normalize(ink: Floats) -> GreyImage:
    """Fit a digit into 20x20 with its aspect, and centre it by mass in 28x28.

    Args:
        ink: float32 of shape (h, w), 0 paper, 1 pen; paper must be exactly 0, since every pixel
            above 0 counts as the digit's.

    Returns:
        uint8 of shape (28, 28), ink high, its darkest pixel 255; all 0 where there is no ink. An
        MNIST digit comes back unchanged.
    """
    return np.asarray(normalize_all([ink])[0], np.uint8)


def normalize_all(inks: Sequence[Floats]) -> GreyImage:
    """Do the same for many, as uint8 of shape (N, 28, 28)."""
    return fit_all(inks).images


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Normalised digits, and where their crops went."""

    images: GreyImage
    """uint8 (N, 28, 28), as `normalize` gives them."""
    scales: NDArray[np.float64]
    """(N, 2): what columns and rows of each crop were multiplied by."""
    offsets: NDArray[np.float64]
    """(N, 2): what was added to them after that, in continuous coordinates."""


def fit_all(inks: Sequence[Floats]) -> Fitted:
    """Normalise many digits, as `normalize` does one."""
    fitted = np.zeros((len(inks), SIDE, SIDE), np.float32)
    bounds, sizes = np.zeros((2, len(inks), 2, 2), np.intp)
    for place, ink in enumerate(inks):
        left, top, width, height = cv2.boundingRect((ink > 0).view(np.uint8))
        bounds[place] = (left, top), (width, height)
        if width:
            digit = _fit(ink[top : top + height, left : left + width])
            sizes[place, 1] = digit.shape[::-1]
            fitted[place, : digit.shape[0], : digit.shape[1]] = digit
    peaks = fitted.max(axis=(1, 2), initial=0)
    peaks[peaks == 0] = 1
    digits = np.rint(fitted * (np.float32(255) / peaks)[:, None, None]).astype(np.uint8)
    sizes[:, 0] = np.stack([_centring(digits, axis, sizes[:, 1, 1 - axis]) for axis in (1, 0)], 1)
    centred = np.zeros_like(digits)
    for place, ((left, top), (width, height)) in enumerate(sizes.tolist()):
        centred[place, top : top + height, left : left + width] = digits[place, :height, :width]
    scales = sizes[:, 1] / np.maximum(bounds[:, 1], 1)
    return Fitted(centred, scales, sizes[:, 0] - scales * bounds[:, 0])


def _fit(digit: Floats) -> Floats:
    height, width = digit.shape
    scale = FIT / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return digit
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(digit, size, interpolation=how), np.float32)


def _centring(digits: GreyImage, axis: int, sizes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where digits (N, 28, 28) of such sizes along an axis begin when their mass is centred."""
    along = digits.sum(axis=2 - axis, dtype=np.float64)
    mass = (along @ np.arange(SIDE)) / np.maximum(along.sum(axis=1), 1)
    return np.asarray(np.clip(np.rint(SIDE / 2 - mass), 0, SIDE - sizes), np.intp)
