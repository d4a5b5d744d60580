"""Writes simulated handwriting into the boxes of a blank form.

Pages are uint8 of shape (H, W, 3), RGB, at the template's own size; ink layers are float32 of
shape (H, W), 0 where nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.random import Generator

from pipeline.authoring.marks import write_mark
from pipeline.authoring.pen import Trace, Writer, rasterize, write
from pipeline.records import Box, Floats, GreyImage, Mark
from pipeline.template import FormTemplate


@dataclass(frozen=True, slots=True)
class Ink:
    """What a pen leaves on paper."""

    colour: tuple[int, int, int]
    """RGB, where the ink is full."""
    opacity: float
    """How much of the paper it covers, from 0 to 1."""
    grain: float
    """How unevenly it covers, from 0 to 1."""


INKS: Mapping[str, Ink] = {
    "blue": Ink((30, 50, 150), 0.9, 0.3),
    "navy": Ink((24, 30, 84), 0.92, 0.25),
    "black": Ink((28, 28, 32), 0.92, 0.22),
    "gel": Ink((12, 12, 16), 0.98, 0.06),
    "pencil": Ink((70, 70, 74), 0.72, 0.5),
}
"""Pens by name."""

COLOURED_INKS: Mapping[str, Ink] = {
    **INKS,
    "red": Ink((196, 36, 44), 0.9, 0.25),
    "green": Ink((24, 112, 62), 0.9, 0.25),
    "purple": Ink((92, 44, 134), 0.9, 0.25),
    "turquoise": Ink((16, 132, 150), 0.88, 0.25),
    "orange": Ink((214, 104, 24), 0.88, 0.25),
    "pink": Ink((206, 56, 128), 0.88, 0.25),
}
"""Pens of all colours."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How a person fills boxes; offsets in box sizes."""

    size: float
    """Height of a digit against that of its box."""
    across: float
    down: float
    """Where digits stand on the whole, against the box's middle."""
    spread: float
    """How much they stray from there."""
    pen_px: float
    """Width of the pen's line."""

    @classmethod
    def random(cls, rng: Generator, pen_px: float = 6.0) -> Habit:
        """Draw a habit at random, for a pen of usual width."""
        return cls(
            size=float(rng.uniform(0.55, 0.77)),
            across=float(rng.normal(0, 0.05)),
            down=float(rng.normal(0.01, 0.03)),
            spread=float(rng.uniform(0.025, 0.06)),
            pen_px=pen_px * float(rng.uniform(0.8, 1.3)),
        )


class Hand(Protocol):
    """Someone who writes; `rng` is the source of what differs from one time to the next."""

    def write(self, layer: Floats, box: Box, character: str, rng: Generator) -> None:
        """Write `0-9`, `X` or `#` into a box, on a page's ink that is changed in place."""


def fill_boxes(
    template: FormTemplate, texts: Mapping[str, str], hand: Hand, rng: Generator
) -> Floats:
    """Write fields into their boxes.

    Args:
        template: The form.
        texts: By the field's name, one character a box as in `raw`: `0-9`, `_` nothing, `X` a
            struck box, `#` ink that is no digit. Fields that are not named stay empty.
        hand: Who writes.
        rng: The source of all variation.

    Returns:
        The ink, of the template's size in whole pixels.
    """
    height, width = template.size
    layer = np.zeros((round(height), round(width)), np.float32)
    for field in template.fields:
        text = texts.get(field.name, "_" * len(field.boxes))
        for box, character in zip(field.boxes, text, strict=True):
            if character != Mark.BLANK:
                hand.write(layer, box, character, rng)
    return layer


@dataclass(frozen=True, slots=True)
class PenHand:
    """The hand of a simulated writer, with how that person fills boxes."""

    writer: Writer
    habit: Habit

    def write(self, layer: Floats, box: Box, character: str, rng: Generator) -> None:
        """Write one character; see `Hand`."""
        write_box(layer, box, character, (self.writer, self.habit), rng)


def write_fields(
    template: FormTemplate, texts: Mapping[str, str], writer: Writer, habit: Habit, rng: Generator
) -> Floats:
    """Write fields into their boxes in a simulated writer's hand; see `fill_boxes`."""
    return fill_boxes(template, texts, PenHand(writer, habit), rng)


def write_box(
    layer: Floats, box: Box, character: str, hand: tuple[Writer, Habit], rng: Generator
) -> None:
    """Write one character into its box, drawing on the layer.

    Args:
        layer: The page's ink, changed in place; what it has is kept.
        box: Where.
        character: `0-9`, `X` or `#`.
        hand: A writer, and how that person fills boxes.
        rng: The source of all variation.
    """
    writer, habit = hand
    height = box.height * habit.size
    pen = replace(writer, pen_width=habit.pen_px / height)
    traces = _write_character(pen, character, rng)
    everything = np.concatenate(traces)
    left, right = float(everything[:, 0].min()), float(everything[:, 0].max())
    # People write narrower where the box is narrow, and still run over its frame at times.
    scale = min(height, box.width * rng.uniform(0.85, 1.08) / (right - left + pen.pen_width))
    stray = rng.normal((habit.across, habit.down), habit.spread)
    x = (box.left + box.right) / 2 + stray[0] * box.width - (left + right) / 2 * scale
    y = (box.top + box.bottom) / 2 + stray[1] * box.height - scale / 2
    stamp(layer, traces, scale, (float(x), float(y)))


def _write_character(writer: Writer, character: str, rng: Generator) -> list[Trace]:
    if character.isdigit():
        return write(writer, character, rng)
    return write_mark(writer, Mark(character), rng)


def stamp(
    layer: Floats, traces: Sequence[Trace], scale: float, origin: tuple[float, float]
) -> None:
    """Draw traces onto a layer, keeping what is darker there.

    Args:
        layer: The page's ink, changed in place.
        traces: In digit heights.
        scale: Pixels of a digit height.
        origin: Pixel that the traces' x and y count from.
    """
    everything = np.concatenate(traces)
    reach = everything[:, 2].max() / 2 + 2 / scale
    low = np.floor((everything[:, :2].min(axis=0) - reach) * scale + origin).astype(int)
    high = np.ceil((everything[:, :2].max(axis=0) + reach) * scale + origin).astype(int)
    left, top = np.maximum(low, 0).tolist()
    right, foot = np.minimum(high, layer.shape[::-1]).tolist()
    if right <= left or foot <= top:
        return
    offset = (origin[0] - left) / scale, (origin[1] - top) / scale
    ink = rasterize(traces, (foot - top, right - left), scale, offset)
    window = layer[top:foot, left:right]
    np.maximum(window, ink, out=window)


def apply_ink(page: GreyImage, layer: Floats, ink: Ink, rng: Generator) -> GreyImage:
    """Lay ink over print, as light passes both: what is printed below stays as dark as it was.

    Returns:
        The written page, of the same shape.
    """
    written = page.copy()
    for rows, columns in _written_windows(layer):
        window = written[rows, columns]
        window[:] = _lay_ink(window, layer[rows, columns], ink, rng)
    return written


def _lay_ink(page: GreyImage, layer: Floats, ink: Ink, rng: Generator) -> GreyImage:
    noise = cv2.GaussianBlur(rng.standard_normal(layer.shape, np.float32), (0, 0), 1.2)
    uneven = 1 - ink.grain * np.clip(0.35 + 1.5 * noise, 0, 1)
    cover = (layer * uneven * np.float32(ink.opacity))[:, :, None]
    passed = 1 - cover * (1 - np.array(ink.colour, np.float32) / 255)
    return np.asarray(np.rint(page * passed), np.uint8)


def _written_windows(layer: Floats) -> Iterator[tuple[slice, slice]]:
    """Find the bands of rows that hold ink, each as wide as its ink."""
    inked = np.concatenate([[False], layer.any(axis=1), [False]])
    starts, ends = np.flatnonzero(np.diff(inked.astype(np.int8))).reshape(-1, 2).T.tolist()
    for start, end in zip(starts, ends, strict=True):
        columns = np.flatnonzero(layer[start:end].any(axis=0))
        yield slice(start, end), slice(int(columns[0]), int(columns[-1]) + 1)
