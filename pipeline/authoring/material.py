"""What paper, print and pen are like, before a page is scanned; at strength 0 nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pipeline.authoring.fill import COLOURED_INKS, Ink, apply_ink
from pipeline.authoring.picture import Picture, boxes_of
from pipeline.records import Box, Floats, GreyImage
from pipeline.template import FormTemplate

_WAVE_PX = 30
_SIDES = 4
_FAINTEST = 0.25
"""What a pen takes from the light at least, as a share."""


@dataclass(frozen=True, slots=True, eq=False)
class FilledPage:
    """A printed page and what was written on it, still apart; all at the template's own size."""

    template: FormTemplate
    print: GreyImage
    """uint8 of shape (H, W, 3), RGB."""
    writing: Floats
    """float32 of shape (H, W), 0 where nothing is written."""
    ink: Ink
    lost: frozenset[int] = frozenset()
    """Which markers are not there to be seen."""

    def unite(self, rng: Generator) -> Picture:
        """Let the pen write on the paper."""
        image = apply_ink(self.print, self.writing, self.ink, rng)
        return replace(Picture.of(image, self.template), lost=self.lost)


Material = Callable[[FilledPage, float, Generator], FilledPage]


def _pens(page: FilledPage, strength: float, rng: Generator) -> FilledPage:
    """Write with a pen of any colour."""
    if strength == 0:
        return page
    return replace(page, ink=tuple(COLOURED_INKS.values())[int(rng.integers(len(COLOURED_INKS)))])


def _faint(page: FilledPage, strength: float, rng: Generator) -> FilledPage:
    """Write with a pen that runs dry: a third of its ink at strength 1, and unevenly.

    Pencils and pale pens keep more of it: nobody could read them otherwise.
    """
    left = 1 - 0.65 * min(strength, 1.3) * float(rng.uniform(0.7, 1))
    dark = 1 - float(np.mean(page.ink.colour)) / 255
    opacity = max(page.ink.opacity * left, min(page.ink.opacity, _FAINTEST / dark))
    grain = min(1.0, page.ink.grain + 0.3 * strength)
    return replace(page, ink=replace(page.ink, opacity=opacity, grain=grain))


def _frames(page: FilledPage, strength: float, rng: Generator) -> FilledPage:
    """Print badly: a third of the frames' lines lack a part, some all of it."""
    if strength == 0:
        return page
    printed = page.print.copy()
    for box in boxes_of(page.template):
        colour = _paper_colour(printed, box)
        for side in np.flatnonzero(rng.random(_SIDES) < min(strength / 3, 1)).tolist():
            start, end = np.sort(rng.uniform(-0.2, 1.2, 2)).clip(0.03, 0.97).tolist()
            _erase(printed, _side(box, side, start, end), colour)
    return replace(page, print=printed)


def _side(box: Box, side: int, start: float, end: float) -> Box:
    """Give a part of a frame's line, between two shares of its length."""
    half = 0.05 * box.height
    if side < 2:
        y = box.top if side == 0 else box.bottom
        return Box(box.left + start * box.width, y - half, box.left + end * box.width, y + half)
    x = box.left if side == 2 else box.right
    return Box(x - half, box.top + start * box.height, x + half, box.top + end * box.height)


def _paper_colour(image: GreyImage, near: Box) -> list[int]:
    inside = _window(image, near).reshape(-1, 3)
    return [round(float(level)) for level in np.percentile(inside, 75, axis=0)]


def _erase(image: GreyImage, area: Box, colour: list[int]) -> None:
    _window(image, area)[:] = colour


def _window(image: GreyImage, area: Box) -> GreyImage:
    top, left = max(round(area.top), 0), max(round(area.left), 0)
    return image[top : round(area.bottom), left : round(area.right)]


def _marker(page: FilledPage, strength: float, rng: Generator) -> FilledPage:
    """Lose one marker: not printed, under a sticker, or blotted out; none where there is none."""
    markers = page.template.markers
    if strength == 0 or markers is None:
        return page
    number = int(rng.integers(len(markers.centres)))
    x, y = markers.centres[number]
    half = markers.size * 0.75
    area = Box(x - half, y - half, x + half, y + half)
    printed = page.print.copy()
    kind = rng.choice(["unprinted", "sticker", "blotted"])
    _erase(printed, area, _paper_colour(printed, Box(0, 0, 40, 40)))
    if kind == "sticker":
        low, high = _grown(area, boxes_of(page.template), rng)
        cv2.rectangle(printed, low, high, (242, 238, 226), thickness=-1)
        cv2.rectangle(printed, low, high, (196, 192, 184), thickness=2, lineType=cv2.LINE_AA)
    elif kind == "blotted":
        low, high = _grown(area, boxes_of(page.template), rng)
        cv2.fillPoly(printed, [_blot(low, high, rng)], (60, 58, 66), lineType=cv2.LINE_AA)
    return replace(page, print=printed, lost=page.lost | {number})


def _blot(low: tuple[int, int], high: tuple[int, int], rng: Generator) -> NDArray[np.int32]:
    """Outline a ragged spot (N, 2) between two corners."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    waves, phases = rng.normal(0, 0.06, 5), rng.uniform(0, 2 * np.pi, 5)
    ragged = 1 + (waves[:, None] * np.sin(np.arange(1, 6)[:, None] * angle + phases[:, None])).sum(
        0
    )
    middle, half = np.add(low, high) / 2, np.subtract(high, low) / 2
    round_ = np.column_stack([np.cos(angle), np.sin(angle)]) * ragged.clip(0.7, 1.1)[:, None]
    return np.asarray(np.rint(middle + half * round_), np.int32)


def _grown(area: Box, boxes: list[Box], rng: Generator) -> tuple[tuple[int, int], tuple[int, int]]:
    """Enlarge an area at random, keeping it clear of boxes: its corners."""
    for times in (2.5, 1.8, 1.2, 0.5, 0.0):
        left, top, right, bottom = (rng.uniform(0.3, 1, 4) * times * area.width / 2).tolist()
        grown = Box(area.left - left, area.top - top, area.right + right, area.bottom + bottom)
        if not any(_touch(grown, box) for box in boxes):
            break
    return (round(grown.left), round(grown.top)), (round(grown.right), round(grown.bottom))


def _touch(first: Box, second: Box) -> bool:
    apart_x = first.right < second.left or second.right < first.left
    return not (apart_x or first.bottom < second.top or second.bottom < first.top)


def _tint(page: FilledPage, strength: float, rng: Generator) -> FilledPage:
    """Print on coloured paper, pastel at strength 1."""
    if strength == 0:
        return page
    hue = rng.uniform(0, 2 * np.pi) + np.array([0, 2, 4]) * np.pi / 3
    colour = 1 - strength * rng.uniform(0.4, 1) * (0.06 + 0.12 * (1 + np.cos(hue)))
    table = np.rint(np.arange(256)[:, None] * colour.clip(0.2, 1)).astype(np.uint8)
    return replace(page, print=np.asarray(cv2.LUT(page.print, table[None]), np.uint8))


def _pattern(page: FilledPage, strength: float, rng: Generator) -> FilledPage:
    """Print on patterned paper: fine waves or a grid, a sixth darker at strength 1."""
    if strength == 0:
        return page
    height, width = page.print.shape[:2]
    step = _WAVE_PX * rng.uniform(0.6, 1.6)
    line = rng.uniform(0.08, 0.16)
    if rng.random() < 0.3:
        x, y = np.arange(width) / step, np.arange(height) / step
        dark = np.maximum((x % 1 < line)[None], (y % 1 < line)[:, None]).astype(np.float32)
    else:
        dark = _waves((height, width), step, line, rng)
    depth = strength * rng.uniform(0.08, 0.16) * (1 - rng.uniform(0, 0.8, 3))
    parts = [
        cv2.multiply(part, 1 - dark * np.float32(share), dtype=cv2.CV_8U)
        for part, share in zip(cv2.split(page.print), depth * 1.4, strict=True)
    ]
    return replace(page, print=np.asarray(cv2.merge(parts), np.uint8))


def _waves(size: tuple[int, int], step: float, line: float, rng: Generator) -> Floats:
    """Draw waves that drift, 1 on a line: one tile, repeated over the page."""
    period = 512
    x = np.arange(period, dtype=np.float32) * (2 * np.pi / period)
    bend = rng.uniform(0.3, 1.2) * np.sin(2 * x) + rng.uniform(0, 0.4) * np.sin(5 * x)
    rows = np.arange(size[0], dtype=np.float32)[:, None] / np.float32(step)
    tile = ((rows + bend[None]) % 1 < line).astype(np.float32)
    return np.tile(tile, (1, size[1] // period + 1))[:, : size[1]]


MATERIALS: Mapping[str, Material] = {
    "pens": _pens,
    "faint": _faint,
    "frames": _frames,
    "marker": _marker,
    "tint": _tint,
    "pattern": _pattern,
}
"""By name, in the order in which they come about."""
