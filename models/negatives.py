"""What stands in a box and is no digit, drawn by the pen simulator and over real digits.

Normalizing takes the size away, so that a comma would look like a 1 and a frame's upright piece
too; in reading such small or lonely remains are told by their size before the network sees them.
Here they are drawn again, until what is shown to the network can be told by its shape.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from models.augment import CANVAS, another_pen, warp
from models.pens import press, swell
from models.remains import extent
from models.scanning import scan
from pipeline.authoring.marks import ILLEGIBLE, STRUCK, draw_mark
from pipeline.authoring.pen import Writer, render
from pipeline.authoring.residue import draw_residue
from pipeline.normalize import normalize
from pipeline.records import Floats, GreyImage, Mark

DigitSource = Callable[[], Floats]
MARKS = (Mark.BLANK, Mark.STRUCK, Mark.ILLEGIBLE)
MARK_SHARES = (0.2, 0.42, 0.38)
OVER_REAL_DIGIT_SHARE = 0.4
TWO_REAL_DIGITS_SHARE = 0.25
DRAWN_HEIGHT = 64
SMALLEST = 0.4
"""Shortest longer side of an illegible mark, in digit heights."""
NARROW = 0.45
"""Width against height below which the second digit in a box could be a neighbour's stroke."""
LINE_LIKE = 0.36
"""Spread across against spread along, below which ink could be a 1."""
TALL_PX = 11
"""Height from which a piece beside others could be a 1 with dirt around it."""
OVERSHOOT = {"cross": 1.05, "zigzag": 1.0, "dash": 1.35, "double_dash": 1.3}
"""How far a mark goes beyond the digit that it strikes out; a bar that hardly does makes a 7."""


def draw_negative(rng: Generator, any_digit: DigitSource) -> tuple[GreyImage, Mark]:
    """Draw what is left in a blank box, a box struck out, or ink that is no digit.

    Args:
        rng: What is drawn, and what scanner sees it.
        any_digit: Gives a real digit, float32 (h, w), 0 paper, 1 pen.

    Returns:
        uint8 (28, 28) as `normalize` gives it, and what it is.
    """
    mark = MARKS[rng.choice(len(MARKS), p=MARK_SHARES)]
    image = normalize(scan(_DRAWERS[mark](rng, any_digit), rng))
    while _could_be_one(image) if mark is Mark.BLANK else _is_upright_line(image):
        image = normalize(scan(_DRAWERS[mark](rng, any_digit), rng))
    return image, mark


def _draw_blank(rng: Generator, any_digit: DigitSource) -> Floats:
    return draw_residue(rng, DRAWN_HEIGHT)


def _draw_struck(rng: Generator, any_digit: DigitSource) -> Floats:
    if rng.random() < OVER_REAL_DIGIT_SHARE:
        return another_pen(strike_out(any_digit(), rng), rng)
    return another_pen(warp(draw_mark(Writer.random(rng), Mark.STRUCK, rng), rng, 0.7), rng)


def strike_out(digit: Floats, rng: Generator) -> Floats:
    """Draw a cross, a scribble or long dashes over a real digit.

    Args:
        digit: float32 (h, w), 0 paper, 1 pen.
        rng: Which, and how far beyond the digit.

    Returns:
        float32 (64, 64).
    """
    ink = warp(digit, rng, strength=1.0)
    top, bottom, left, right = extent(ink)
    narrow = right - left < 0.5 * (bottom - top)
    names = ("cross", "zigzag") if narrow else tuple(OVERSHOOT)
    name = names[int(rng.integers(len(names)))]
    mark = render(STRUCK[name](Writer.random(rng), rng), DRAWN_HEIGHT)
    beyond = OVERSHOOT[name] * rng.uniform(1.0, 1.25)
    width = min(CANVAS - 2, max(10, round((right - left) * beyond)))
    height = mark.shape[0] if "dash" in name else round((bottom - top) * beyond)
    size = width, min(CANVAS - 2, max(2, height))
    mark = np.asarray(cv2.resize(mark, size, interpolation=cv2.INTER_AREA), np.float32)
    return _put_over(ink, mark, ((top + bottom) / 2, (left + right) / 2))


def _put_over(ink: Floats, mark: Floats, middle: tuple[float, float]) -> Floats:
    corner = [
        int(np.clip(round(place - side / 2), 0, CANVAS - side))
        for place, side in zip(middle, mark.shape, strict=True)
    ]
    area = tuple(slice(start, start + side) for start, side in zip(corner, mark.shape, strict=True))
    both = ink.copy()
    both[area] = np.maximum(both[area], mark)
    return both


def _draw_illegible(rng: Generator, any_digit: DigitSource) -> Floats:
    if rng.random() < TWO_REAL_DIGITS_SHARE:
        return another_pen(put_side_by_side(any_digit, rng), rng)
    drawn = _draw_mark_of_some_size(rng)
    ink = warp(drawn, rng, strength=0.7)
    if drawn.mean() > 0.5:
        return press(swell(ink, rng), rng)  # a blot: its middle line would be a stroke
    return another_pen(ink, rng)


def _draw_mark_of_some_size(rng: Generator) -> Floats:
    """Draw a letter, a fragment, a blot: any illegible mark, but seldom an overwritten digit.

    Of those a person can read about half, and the network is to say which digit it may be.
    """
    kinds = [kind for kind in ILLEGIBLE if kind != "overwritten" or rng.random() < 0.3]
    while True:
        kind = ILLEGIBLE[kinds[int(rng.integers(len(kinds)))]]
        drawn = render(kind(Writer.random(rng), rng), DRAWN_HEIGHT)
        if max(drawn.shape) >= SMALLEST * DRAWN_HEIGHT:
            return drawn


def put_side_by_side(any_digit: DigitSource, rng: Generator) -> Floats:
    """Write two whole digits into one box; neither is a 1, which could be a neighbour's stroke."""
    pair: list[Floats] = []
    while len(pair) < 2:
        ink = warp(any_digit(), rng, strength=1.0)
        top, bottom, left, right = extent(ink)
        if right - left > NARROW * (bottom - top):
            pair.append(ink[:, left:right])
    gap = np.zeros((CANVAS, int(rng.integers(0, 8))), np.float32)
    return np.hstack([pair[0], gap, pair[1]])


def _could_be_one(image: GreyImage) -> bool:
    """Tell whether most ink, or one large piece of it, lies along a more or less upright line."""
    mask = (image > 0).astype(np.uint8)
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    tall = np.flatnonzero(facts[:, cv2.CC_STAT_HEIGHT] >= TALL_PX)
    return _is_upright_line(image) or any(
        _is_upright_line(np.where(pieces == piece, image, 0)) for piece in tall if piece
    )


def _is_upright_line(image: GreyImage) -> bool:
    """Tell by the second moments."""
    moments = cv2.moments(image)
    if moments["m00"] == 0:
        return True
    across, mixed, along = (moments[name] for name in ("mu20", "mu11", "mu02"))
    spread = np.hypot(across - along, 2 * mixed)
    thinness = (across + along - spread) / max(across + along + spread, 1e-9)
    return bool(thinness < LINE_LIKE**2 and along > 0.3 * across)


_DRAWERS = {
    Mark.BLANK: _draw_blank,
    Mark.STRUCK: _draw_struck,
    Mark.ILLEGIBLE: _draw_illegible,
}
