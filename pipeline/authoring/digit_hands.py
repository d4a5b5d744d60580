"""Hands that write with digits of a collection, such as MNIST: one writer's on a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pipeline.authoring.fill import Habit, Hand, PenHand
from pipeline.authoring.pen import Writer
from pipeline.errors import InputFileError
from pipeline.records import Box, Floats, GreyImage

DrawHand = Callable[[Generator], Hand]

_BODY = 20
"""Longer side of a digit in MNIST's pictures, which are made that large."""
_EDGE_PX = 1.6
"""Over how many pixels the edge of a pen's line fades, however much a picture is enlarged."""


@dataclass(frozen=True, slots=True, eq=False)
class DigitHand:
    """Writes digits of a collection; what is no digit is written with a pen."""

    images: tuple[GreyImage, ...]
    """For each digit from 0 to 9 its pictures, uint8 (N, h, w), ink high, N at least 1."""
    habit: Habit
    weight: float
    """How the pen compares with the pictures': below 0 thinner, above it thicker, up to 0.2."""
    marks: PenHand

    def write(self, layer: Floats, box: Box, character: str, rng: Generator) -> None:
        """Write one character; see `Hand`."""
        if not character.isdigit():
            self.marks.write(layer, box, character, rng)
            return
        choice = self.images[int(character)]
        ink = _crop(choice[int(rng.integers(len(choice)))])
        enlarge = self._enlarge(ink, box, rng)
        digit = _redraw(ink, enlarge, self.weight)
        stray = rng.normal((self.habit.across, self.habit.down), self.habit.spread)
        x = (box.left + box.right) / 2 + stray[0] * box.width - digit.shape[1] / 2
        y = (box.top + box.bottom) / 2 + stray[1] * box.height - digit.shape[0] / 2
        _stamp(layer, digit, round(float(x)), round(float(y)))

    def _enlarge(self, ink: GreyImage, box: Box, rng: Generator) -> float:
        times = box.height * self.habit.size * float(np.clip(rng.normal(1, 0.05), 0.88, 1.12))
        across = box.width * rng.uniform(0.85, 1.05) / ink.shape[1]
        return float(min(times / _BODY, across))


def pen_hands() -> DrawHand:
    """Give hands of the project's own pen simulator."""
    return lambda rng: PenHand(Writer.random(rng), Habit.random(rng))


def digit_hands(
    images: GreyImage, labels: NDArray[np.uint8], writers: NDArray[np.int64] | None = None
) -> DrawHand:
    """Give hands that write with a collection's digits.

    Args:
        images: uint8 of shape (N, h, w), ink high.
        labels: uint8 of shape (N,), 0 to 9.
        writers: Who wrote each, shape (N,); then a hand is that of one writer who wrote each of
            the ten digits at least once. None: a hand takes digits of everybody.

    Raises:
        InputFileError: If a digit is missing, or nobody wrote all ten.
    """
    inked = images.reshape(len(images), -1).any(axis=1)
    images, labels = images[inked], labels[inked]
    groups = [np.arange(len(labels))]
    if writers is not None:
        of_each = writers[inked]
        groups = [np.flatnonzero(of_each == writer) for writer in np.unique(of_each)]
    hands = [group for group in groups if len(np.unique(labels[group])) == 10]
    if not hands:
        raise InputFileError(
            "the digits lack one of 0 to 9" if writers is None else "no writer wrote all ten digits"
        )

    def draw(rng: Generator) -> Hand:
        mine = hands[int(rng.integers(len(hands)))]
        by_digit = tuple(images[mine[labels[mine] == digit]] for digit in range(10))
        habit = Habit.random(rng)
        weight = float(rng.uniform(-0.08, 0.12))
        return DigitHand(by_digit, habit, weight, PenHand(Writer.random(rng), habit))

    return draw


def _crop(image: GreyImage) -> GreyImage:
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _redraw(ink: GreyImage, times: float, weight: float) -> Floats:
    """Enlarge a picture and give its strokes the edges of a pen: float32, 0 paper, 1 ink."""
    padded = cv2.copyMakeBorder(ink, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0).astype(np.float32)
    # Lines thinner than a pixel are grey throughout: they are measured by their own middle.
    peak = cv2.GaussianBlur(cv2.dilate(padded, np.ones((3, 3), np.uint8)), (0, 0), 0.8)
    even = padded / np.clip(peak, 70, 255)
    large = cv2.resize(
        np.asarray(even, np.float32), None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC
    )
    smooth = cv2.GaussianBlur(large, (0, 0), max(0.3 * times, 0.3))
    steep = max(1.0, times / _EDGE_PX)
    return np.asarray(np.clip((smooth - 0.42 + weight) * steep + 0.5, 0, 1), np.float32)


def _stamp(layer: Floats, digit: Floats, x: int, y: int) -> None:
    """Put a digit on the page's ink, changed in place; what lies outside is lost."""
    top, left = max(y, 0), max(x, 0)
    window = layer[top : y + digit.shape[0], left : x + digit.shape[1]]
    part = digit[top - y : top - y + window.shape[0], left - x : left - x + window.shape[1]]
    np.maximum(window, part, out=window)
