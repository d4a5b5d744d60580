"""What is left in a box that nobody wrote in, once its frame is removed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from pipeline.authoring.pen import Trace, rasterize
from pipeline.records import Floats, Points


def draw_residue(rng: Generator, height: int = 64) -> Floats:
    """Draw a blank box with remains of its frame, dust, a smudge, a neighbour's stroke end.

    Args:
        rng: The source of all variation.
        height: Height of the box in pixels.

    Returns:
        The whole box, uncropped: float32 (height, w), w about 0.7 to 1.1 of the height. Some ink
        is always left.
    """
    size = height, round(height * rng.uniform(0.7, 1.1))
    ink = np.zeros(size, np.float32)
    while not ink.any():
        ink = _leave(size, rng)
    return ink


def _leave(size: tuple[int, int], rng: Generator) -> Floats:
    width = size[1] / size[0]
    traces = [one for kind in RESIDUE for one in kind(width, rng)]
    sharp = rasterize(traces, size, size[0], (0.0, 0.0))
    ink = np.asarray(cv2.GaussianBlur(sharp, (0, 0), float(rng.uniform(0.3, 0.9))), np.float32)
    if rng.random() < 0.15:
        ink = np.maximum(ink, _smudge(size, rng))
    return np.where(ink > 0.02, ink, np.float32(0))


def _smudge(size: tuple[int, int], rng: Generator) -> Floats:
    """Rub a faint grey cloud, without any edge, somewhere into the box."""
    grain = cv2.GaussianBlur(rng.random(size, np.float32), (0, 0), 2)
    y, x = np.ogrid[: size[0], : size[1]]
    middle, reach = rng.uniform(0.2, 0.8, 2) * size, rng.uniform(0.1, 0.3, 2) * size
    cloud = np.exp(-(((y - middle[0]) / reach[0]) ** 2) - ((x - middle[1]) / reach[1]) ** 2)
    return np.asarray(cloud * grain * rng.uniform(0.1, 0.4), np.float32)


def _frame_remains(width: float, rng: Generator) -> list[Trace]:
    """Leave short pieces of the printed frame, most often near a corner."""
    pieces = []
    for _ in range(int(rng.choice(5, p=[0.35, 0.3, 0.2, 0.1, 0.05]))):
        upright = rng.random() < 0.6
        side = float(rng.integers(2)) + float(rng.normal(0, 0.015))
        start = float(rng.choice([0.0, rng.uniform(0, 0.8)]))
        along = np.array([start, start + rng.uniform(0.05, 0.45)])
        across = np.full(2, side) + rng.normal(0, 0.006, 2)
        x, y = (across * width, along) if upright else (along * width, across)
        pieces.append(_stain(x, y, rng.uniform(0.015, 0.05), rng.uniform(0.15, 0.9)))
    return pieces


def _stain(x: Points, y: Points, width: float, darkness: float) -> Trace:
    return np.column_stack([x, y, np.full(len(x), width), np.full(len(x), darkness)])


def _dust(width: float, rng: Generator) -> list[Trace]:
    specks = []
    for _ in range(int(rng.choice(4, p=[0.5, 0.3, 0.12, 0.08]))):
        x, y = rng.uniform(0, width), rng.uniform(0, 1)
        steps = rng.normal(0, 0.02, (2, 2)).cumsum(axis=0)
        size, darkness = rng.uniform(0.015, 0.06), rng.uniform(0.15, 1)
        specks.append(_stain(x + steps[:, 0], y + steps[:, 1], size, darkness))
    return specks


def _neighbour(width: float, rng: Generator) -> list[Trace]:
    """Let the end of a neighbour's stroke reach in over a side."""
    if rng.random() > 0.3:
        return []
    side, reach = (0.0, 1) if rng.random() < 0.5 else (width, -1)
    depth, fall = rng.uniform(0.03, 0.18), rng.normal(0, 0.08)
    x = np.array([side, side + reach * depth])
    y = rng.uniform(0.05, 0.95) + np.array([0.0, fall])
    return [_stain(x, y, rng.uniform(0.04, 0.1), rng.uniform(0.6, 1))]


RESIDUE = (_frame_remains, _dust, _neighbour)
"""What is left in a blank box, each with its own odds."""
