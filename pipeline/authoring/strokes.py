"""Strokes as control points, and the smooth curves that a hand draws through them.

Lengths are in digit heights: y runs from 0 at the top to 1 at the foot, x from 0 at the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.records import Points

STEPS = 7
"""Points laid between two control points; enough for a smooth curve 64 pixels high."""


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """What the pen draws without being lifted."""

    points: Points
    """(N, 2) as x, y."""
    corners: tuple[int, ...] = ()
    """Which points are turned at sharply; the curve is smooth everywhere else."""


def parse_strokes(text: str) -> tuple[Stroke, ...]:
    """Read strokes written as `x,y x,y! x,y; x,y x,y` in hundredths of the digit's height.

    Args:
        text: Strokes parted by `;`, their points by spaces; `!` marks a sharp corner.

    Returns:
        The strokes in the order of writing.
    """
    return tuple(_parse_stroke(part.split()) for part in text.split(";"))


def _parse_stroke(words: list[str]) -> Stroke:
    points = [[float(number) for number in word.rstrip("!").split(",")] for word in words]
    corners = tuple(index for index, word in enumerate(words) if word.endswith("!"))
    return Stroke(np.array(points) / 100, corners)


def curve(stroke: Stroke) -> Points:
    """Lay a Catmull-Rom spline through a stroke, broken at its corners.

    Returns:
        Points of shape (M, 2), `STEPS` of them for each control point but the last.
    """
    ends = [0, *stroke.corners, len(stroke.points) - 1]
    pieces = [_spline(stroke.points[start : stop + 1]) for start, stop in pairwise(ends)]
    return np.concatenate([*pieces, stroke.points[-1:]])


def _basis() -> Points:
    t = np.linspace(0, 1, STEPS, endpoint=False)[:, None]
    weights = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    return np.asarray(t ** np.arange(4) @ weights)


_BASIS = _basis()


def _spline(points: Points) -> Points:
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    windows = np.stack([padded[:-3], padded[1:-2], padded[2:-1], padded[3:]], axis=1)
    return np.asarray(_BASIS @ windows).reshape(-1, 2)


def smooth(values: Points, reach: int) -> Points:
    """Average each point with its neighbours along the curve; ends keep their place.

    Args:
        values: Shape (N, 2).
        reach: How many neighbours on each side; 0 leaves all as it is.
    """
    if reach == 0 or len(values) < 2 * reach + 3:
        return values
    ahead, behind = values[1 : reach + 1][::-1], values[-reach - 1 : -1][::-1]
    padded = np.concatenate([2 * values[:1] - ahead, values, 2 * values[-1:] - behind])
    total = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), padded]), axis=0)
    span = 2 * reach + 1
    return np.asarray((total[span:] - total[:-span]) / span)
