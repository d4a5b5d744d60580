"""A box's ink in the geometry of MNIST; the one function for training and for reading.

Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition", Proc. IEEE 86 (1998), section III.A: size-normalised to fit 20x20 with the aspect
kept, grey levels left by anti-aliasing, centred in 28x28 by the centre of mass.
"""

import cv2
import numpy as np

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
    rows = np.flatnonzero(ink.any(axis=1))
    if rows.size == 0:
        return np.zeros((SIDE, SIDE), np.uint8)
    columns = np.flatnonzero(ink.any(axis=0))
    digit = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    fitted = _fit(digit)
    return _centre(np.rint(fitted * (255.0 / fitted.max())).astype(np.uint8))


def _fit(digit: Floats) -> Floats:
    height, width = digit.shape
    scale = FIT / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return digit
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(digit, size, interpolation=how), np.float32)


def _centre(digit: GreyImage) -> GreyImage:
    height, width = digit.shape
    weight = digit.sum(dtype=np.float64)
    mass_y = digit.sum(axis=1) @ np.arange(height) / weight
    mass_x = digit.sum(axis=0) @ np.arange(width) / weight
    top = int(np.clip(round(SIDE / 2 - mass_y), 0, SIDE - height))
    left = int(np.clip(round(SIDE / 2 - mass_x), 0, SIDE - width))
    field = np.zeros((SIDE, SIDE), np.uint8)
    field[top : top + height, left : left + width] = digit
    return field
