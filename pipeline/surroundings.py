"""What is around a digit, shown faintly: what it may have taken with it, or what hides in it.

Where the bar of a 7 lies on a printed line, what is left is a 1; nothing but that line tells that
there may have been more. Likewise what was given to a neighbour, or taken for dust.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from pipeline.normalize import SIDE, Fitted
from pipeline.records import BoxCrop, GreyImage

FAINT: Final = 0.3
"""How dark other ink is shown, as a share of how dark it is: a digit's own is seldom so faint."""


def show_around(fitted: Fitted, crops: Sequence[BoxCrop]) -> GreyImage:
    """Add to each digit what else is there, on the same scale, where its own ink is not darker.

    Args:
        fitted: The digits of `crops`.
        crops: Those that do not know what is around them, or hold no ink, stay as they are.

    Returns:
        uint8 (N, 28, 28).
    """
    shown = np.zeros_like(fitted.images)
    ways = np.zeros((len(crops), 2, 3))
    margins = [0 if crop.around is None else crop.around.shape[0] - len(crop.ink) for crop in crops]
    ways[:, (0, 1), (0, 1)] = fitted.scales
    # The centre of the first pixel is at 0 for OpenCV, at a half here.
    inwards = (0.5 - np.array(margins) // 2)[:, None]
    ways[:, :, 2] = fitted.offsets + fitted.scales * inwards - 0.5
    for place, crop in enumerate(crops):
        if crop.around is not None and fitted.scales[place, 0]:
            around = cv2.blur(crop.around, (3, 3))
            shown[place] = cv2.warpAffine(around, ways[place], (SIDE, SIDE))
    return np.maximum(fitted.images, (shown * np.float32(FAINT)).astype(np.uint8))
