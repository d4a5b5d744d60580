"""Frames told by tone alone: white boxes on a tint, tinted ones on white paper, light lines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.records import GreyImage

LINE = 0.17
"""The widest line, as a share of the height of a box."""
STROKE = 0.25
"""What is no wider is written, likewise, if it is darker than either tone."""
WRITING = 0.35
"""And closely written strokes with the gaps between them, as a share of a box's smaller side."""
AROUND = 0.6
"""How far away tones are compared, as a share of a box's longer side."""
STEP_PX = 5
"""How many pixels a step takes in a scan that was resampled, at the most."""
LEAST_STEP = 10
"""Tones that differ by fewer grey levels are one."""


def outlines(image: GreyImage, box_px: float) -> GreyImage:
    """Draw as dark lines whatever sets a box off from what is around it, but for writing.

    A line that is lighter than its ground counts like one that is darker, and where two tones
    meet, the step between them does (the morphological gradient of Rivest, Soille and Beucher,
    SPIE 1658, 1992). What is darker than either tone is written.

    Args:
        image: Grey uint8 of shape (H, W).
        box_px: The height of a box in its pixels.

    Returns:
        uint8 of shape (H, W), 0 where all is even, 255 where white meets black.
    """
    smooth = np.asarray(cv2.blur(image, (3, 3)), np.uint8)
    unwritten = _morph(smooth, cv2.MORPH_CLOSE, _width(STROKE * box_px))
    least, _ = _tones_around(unwritten, box_px)
    _, written = cv2.threshold(cv2.subtract(least, smooth), LEAST_STEP, 255, cv2.THRESH_BINARY)
    shown = cv2.max(smooth, least)
    width = _width(LINE * box_px)
    filled = _morph(np.asarray(shown, np.uint8), cv2.MORPH_CLOSE, width)
    even = _morph(filled, cv2.MORPH_OPEN, width)
    thin = cv2.max(cv2.subtract(filled, shown), cv2.subtract(filled, even))
    lines = cv2.max(thin, _morph(even, cv2.MORPH_GRADIENT, STEP_PX))
    beside = _morph(np.asarray(written, np.uint8), cv2.MORPH_DILATE, STEP_PX)
    return np.asarray(cv2.subtract(lines, beside), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """Where one of two tones that meet nearby is: uint8 (H, W), 255 there."""

    darker: GreyImage
    """With lines and writing."""
    lighter: GreyImage
    """Without them."""
    ground: GreyImage
    """How light paper and tints are beneath lines and writing, (H, W)."""

    def thinner(self, image: GreyImage, contrast: int) -> GreyImage:
        """Lines and writing, 255, so many grey levels darker than what is beneath them."""
        darker = cv2.subtract(self.ground, image)
        return np.asarray(cv2.threshold(darker, contrast - 1, 255, cv2.THRESH_BINARY)[1], np.uint8)


def two_tones(image: GreyImage, box_px: tuple[float, float]) -> Tones:
    """Tell the darker of two tones that meet nearby from the lighter.

    Each pixel is compared with the middle between the darkest and the lightest tone around it
    (Bernsen, ICPR 1986).

    Args:
        image: Grey uint8 of shape (H, W).
        box_px: The smallest and the largest side of a box in its pixels.

    Returns:
        Where each is; neither where all is one tone.
    """
    tone = _morph(image, cv2.MORPH_CLOSE, _width(WRITING * box_px[0]))
    least, most = _tones_around(tone, box_px[1])
    middle = cv2.addWeighted(least, 0.5, most, 0.5, 0)
    _, meet = cv2.threshold(cv2.subtract(most, least), LEAST_STEP - 1, 255, cv2.THRESH_BINARY)
    darker, lighter = cv2.compare(image, middle, cv2.CMP_LT), cv2.compare(tone, middle, cv2.CMP_GT)
    return Tones(
        np.asarray(cv2.bitwise_and(darker, meet), np.uint8),
        np.asarray(cv2.bitwise_and(lighter, meet), np.uint8),
        tone,
    )


def _tones_around(tone: GreyImage, box_px: float) -> tuple[GreyImage, GreyImage]:
    """The darkest and the lightest tone near each pixel."""
    around = 2 * round(AROUND * box_px) + 1
    return _morph(tone, cv2.MORPH_ERODE, around), _morph(tone, cv2.MORPH_DILATE, around)


def _width(wide: float) -> int:
    return 2 * round(wide / 2) + 1


def _morph(image: GreyImage, operation: int, size: int) -> GreyImage:
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
    found = cv2.morphologyEx(image, operation, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.uint8)
