"""Other hands, pens and scanners: one drawn digit becomes one as it might stand on a form.

All of it works on ink at twice MNIST's size; `pipeline.normalize` brings it back to 28x28, as it
does in reading, so that the network learns from what it will be given.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from models.pens import press, redraw, swell
from models.remains import cut_off, extent, leave_frame, leave_neighbour, leave_specks
from models.scanning import drop_paper, scan
from pipeline.normalize import normalize
from pipeline.records import Floats, GreyImage

CANVAS = 64
DIGIT = 40
UNTOUCHED_SHARE = 0.08
LIGHT_SHARE = 0.36
ODD_ASPECT_SHARE = 0.2
"""Hands far narrower or wider than MNIST's; forms with narrow boxes bring them forth."""
RETRACED_SHARE = 0.06
"""Digits that a hand went over twice, as one mends a faint or shaky stroke; still digits."""
THINNEST_PX, THICKEST_PX = 0.7, 4.2

_STEPS = (np.arange(CANVAS, dtype=np.float32) - (CANVAS - 1) / 2) / DIGIT
GRID = np.stack(np.meshgrid(_STEPS, _STEPS), axis=-1)
"""float32 (64, 64, 2): each canvas pixel as x, y from the middle, in digit sizes."""


def augment(ink: Floats, neighbour: Floats, rng: Generator) -> GreyImage:
    """Make a training sample of a digit: untouched, lightly bent, or as pens and scanners do.

    Args:
        ink: float32 (h, w), 0 paper, 1 pen.
        neighbour: Another digit like it, whose strokes may reach into the box.
        rng: What happens; the same state gives the same sample.

    Returns:
        uint8 (28, 28), ink high, as `normalize` gives it.
    """
    kind = rng.random()
    if kind < UNTOUCHED_SHARE:
        return normalize(ink)
    if kind < UNTOUCHED_SHARE + LIGHT_SHARE:
        return bend(ink, rng)
    return degrade(ink, neighbour, rng)


def bend(ink: Floats, rng: Generator) -> GreyImage:
    """Turn, slant and bend a digit a little; args and returns as `augment`."""
    return normalize(drop_paper(warp(ink, rng, strength=0.6), 0.08))


def degrade(ink: Floats, neighbour: Floats, rng: Generator) -> GreyImage:
    """Bend a digit, redraw it with another pen, leave remains in its box, scan and normalize it.

    Args and returns: as `augment`.
    """
    drawn = warp(ink, rng, strength=1.0)
    if rng.random() < RETRACED_SHARE:
        drawn = np.maximum(drawn, warp(drawn, rng, strength=0.5))
    drawn = another_pen(drawn, rng)
    if rng.random() < 0.08:
        drawn = cut_off(drawn, rng)
    if rng.random() < 0.15:
        drawn = leave_neighbour(drawn, warp(neighbour, rng, strength=1.0), rng)
    if rng.random() < 0.2:
        drawn = leave_frame(drawn, rng)
    scanned = scan(drawn, rng)
    if rng.random() < 0.06:
        scanned = leave_specks(scanned, rng)
    return normalize(scanned)


def another_pen(ink: Floats, rng: Generator) -> Floats:
    """Change the strokes' width and how evenly they are inked; same shape and range."""
    kind = rng.random()
    if kind < 0.4:
        radius = THINNEST_PX * (THICKEST_PX / THINNEST_PX) ** rng.random()
        ink = redraw(ink, rng, radius)
    elif kind < 0.7:
        ink = swell(ink, rng)
    return press(ink, rng) if rng.random() < 0.35 else ink


def warp(ink: Floats, rng: Generator, strength: float) -> Floats:
    """Rotate, shear, stretch and bend a digit, in one resampling.

    The bending is a coarse random field, interpolated, instead of the blurred one of Simard,
    Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual
    document analysis", ICDAR 2003: the same effect at a tenth of the time.

    Args:
        ink: float32 (h, w), the digit anywhere in it.
        rng: How it is bent.
        strength: 1 for all that hands do; less for less of it.

    Returns:
        float32 (64, 64), the digit in its middle with its longer side about 40 pixels.
    """
    top, bottom, left, right = extent(ink)
    size = max(bottom - top, right - left)
    field = GRID @ _affine(rng, strength).T + _bend(rng, 0.035 * strength)
    field = field * size + ((left + right - 1) / 2, (top + bottom - 1) / 2)
    field = field.astype(np.float32)
    drawn = cv2.remap(ink, field[..., 0], field[..., 1], interpolation=cv2.INTER_CUBIC)
    return np.clip(drawn, 0, 1).astype(np.float32)


def _affine(rng: Generator, strength: float) -> Floats:
    turn = np.deg2rad(strength * np.clip(rng.normal(0, 6), -13, 13))
    shear = strength * rng.normal(0, 0.16)
    odd = strength == 1 and rng.random() < ODD_ASPECT_SHARE
    aspect = np.exp(rng.uniform(-0.35, 0.5) if odd else strength * rng.normal(0, 0.1))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    slant = np.array([[1, shear], [0, 1]])
    return np.asarray(rotation @ slant @ np.diag([aspect, 1 / aspect]), np.float32)


def _bend(rng: Generator, spread: float) -> Floats:
    coarse = rng.normal(0, spread, (5, 5, 2)).astype(np.float32)
    return np.asarray(
        cv2.resize(coarse, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC), np.float32
    )
