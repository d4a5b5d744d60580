"""A pen in a simulated hand: draws digits that vary as one person's do, and from person to person.

Writing is a list of traces. A trace is what the pen left in one stroke: float64 of shape (N, 4),
each row x, y, pen width in digit heights, and darkness from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pipeline.authoring.glyphs import DIGITS
from pipeline.authoring.strokes import Stroke, curve, smooth
from pipeline.records import Floats, Points

Trace = NDArray[np.float64]

SUPERSAMPLING = 3
_SHIFT_BITS = 4
_HABIT = 0.022
"""How far a writer's own shapes stray from the copybook's, in digit heights."""
# Few people write these.
_RARE = frozenset({"slashed", "slashed_back", "long_upstroke", "z_like", "long_tail", "long_flag"})


@dataclass(frozen=True, slots=True)
class Writer:
    """One hand; lengths in digit heights."""

    seed: int
    """Fixes the shapes that are this hand's own."""
    variants: tuple[tuple[str, str], ...]
    """Digit and the name of the shape it is given."""
    slant: float
    """Tangent of the lean to the right."""
    aspect: float
    """Width against that of the copybook."""
    pen_width: float
    wobble: float
    """How much two digits of this hand differ; 1 is usual."""
    roundness: int
    """How many neighbouring points the curve is averaged with."""
    pressure: float
    """How much wider a downstroke is than an upstroke, from 0 to 1."""
    size_jitter: float
    baseline_jitter: float

    @classmethod
    def random(cls, rng: Generator) -> Writer:
        """Draw a hand at random."""
        return cls(
            seed=int(rng.integers(2**31)),
            variants=tuple((digit, _choose_variant(digit, rng)) for digit in DIGITS),
            slant=float(np.clip(rng.normal(0.12, 0.13), -0.15, 0.45)),
            aspect=float(rng.uniform(0.78, 1.25)),
            pen_width=float(rng.uniform(0.055, 0.14)),
            wobble=float(rng.uniform(0.5, 2.0)),
            roundness=int(rng.integers(0, 4)),
            pressure=float(rng.uniform(0.0, 0.8)),
            size_jitter=float(rng.uniform(0.02, 0.08)),
            baseline_jitter=float(rng.uniform(0.01, 0.06)),
        )


def _choose_variant(digit: str, rng: Generator) -> str:
    names = list(DIGITS[digit])
    weights = np.array([0.35 if name in _RARE else 1.0 for name in names])
    return str(rng.choice(names, p=weights / weights.sum()))


def draw(writer: Writer, character: str, rng: Generator, height: int = 64) -> Floats:
    """Draw one digit.

    Args:
        writer: Whose hand.
        character: `0` to `9`.
        rng: Two calls with the same state draw the same digit.
        height: Pixels of a digit of usual size; this one differs a little.

    Returns:
        Ink as float32 (h, w), cropped tightly: 0 paper, 1 pen, exactly 0 where no ink is.
    """
    return render(write(writer, character, rng), height)


def write(writer: Writer, character: str, rng: Generator) -> list[Trace]:
    """Write one digit, its usual place being 0 to 1 from head to foot, with x from about 0."""
    return trace(writer, _own_shape(writer, character), rng)


@lru_cache(maxsize=4096)
def _own_shape(writer: Writer, character: str) -> tuple[Stroke, ...]:
    rng = np.random.default_rng([writer.seed, ord(character)])
    strokes = DIGITS[character][dict(writer.variants)[character]]
    return tuple(
        Stroke(one.points + rng.normal(0, _HABIT, one.points.shape), one.corners) for one in strokes
    )


def trace(writer: Writer, strokes: Sequence[Stroke], rng: Generator) -> list[Trace]:
    """Let a hand draw strokes: bent, leant, trembling, pressed.

    Args:
        writer: Whose hand.
        strokes: In digit heights.
        rng: The source of what differs from one time to the next.

    Returns:
        One trace a stroke.
    """
    sizes = [len(stroke.points) for stroke in strokes]
    points = np.concatenate([stroke.points for stroke in strokes])
    points = points + rng.normal(0, 0.016 * writer.wobble, points.shape)
    moved = np.split(_lean(writer, points, rng), np.cumsum(sizes)[:-1])
    return [
        _press(writer, _tremble(writer, Stroke(part, stroke.corners), rng), rng)
        for part, stroke in zip(moved, strokes, strict=True)
    ]


def _lean(writer: Writer, points: Points, rng: Generator) -> Points:
    noise = rng.normal(0, 1, 6) * writer.wobble
    x, y = points[:, 0], points[:, 1]
    bend = 0.02 * noise[0] * np.sin(3 * y + 3 * noise[1])
    size = 1 + writer.size_jitter * np.clip(rng.normal(), -2, 2)
    leant = (x * writer.aspect * (1 + 0.05 * noise[2]) + bend) * size
    leant += (writer.slant + 0.035 * noise[3]) * (1 - y) * size
    upright = 1 - (1 - y) * size + 0.025 * noise[4] * (x - 0.3)
    return np.stack([leant, upright + writer.baseline_jitter * 0.5 * noise[5]], axis=1)


def _tremble(writer: Writer, stroke: Stroke, rng: Generator) -> Points:
    line = smooth(curve(_overshoot(stroke, rng)), writer.roundness)
    shake = smooth(rng.normal(0, 0.012 * writer.wobble, line.shape), 3)
    return np.asarray(line + shake)


def _overshoot(stroke: Stroke, rng: Generator) -> Stroke:
    points = stroke.points.copy()
    first, last = np.clip(rng.normal(0.03, 0.1, 2), -0.15, 0.3)
    points[0] += first * (points[0] - points[1])
    points[-1] += last * (points[-1] - points[-2])
    return Stroke(points, stroke.corners)


def _press(writer: Writer, line: Points, rng: Generator) -> Trace:
    steps = np.diff(line, axis=0, append=2 * line[-1:] - line[-2:-1])
    lengths = np.hypot(steps[:, 0], steps[:, 1]) + 1e-9
    down = smooth((steps[:, 1] / lengths)[:, None], 3)[:, 0]
    swell = smooth(rng.normal(0, 0.3, (len(line), 1)), 5)[:, 0]
    force = 1 + writer.pressure * (0.25 * down + 0.6 * swell)
    width = writer.pen_width * force * _taper(lengths, writer, rng)
    darkness = np.clip(0.85 + 0.3 * writer.pressure * (down * 0.3 + swell), 0.5, 1)
    return np.column_stack([line, width, darkness])


def _taper(lengths: NDArray[np.float64], writer: Writer, rng: Generator) -> NDArray[np.float64]:
    along = np.cumsum(lengths)
    start, end = rng.uniform(0.55, 1, 2)
    reach = 1.2 * writer.pen_width
    rise = start + (1 - start) * np.minimum(along / reach, 1)
    fall = end + (1 - end) * np.minimum((along[-1] - along) / reach, 1)
    return np.asarray(rise * fall)


def render(traces: Sequence[Trace], height: float) -> Floats:
    """Turn traces into pixels.

    Args:
        traces: In digit heights.
        height: Pixels of one digit height.

    Returns:
        Ink as float32 (h, w), cropped tightly; exactly 0 where no ink is.
    """
    everything = np.concatenate(traces)
    reach = everything[:, 2].max() / 2 + 2 / height
    corner = everything[:, :2].min(axis=0) - reach
    width, tall = np.ceil((everything[:, :2].max(axis=0) + reach - corner) * height).astype(int)
    return _crop(rasterize(traces, (int(tall), int(width)), height, (-corner[0], -corner[1])))


def rasterize(
    traces: Sequence[Trace], size: tuple[int, int], height: float, offset: tuple[float, float]
) -> Floats:
    """Draw traces onto a canvas of a given size, antialiased.

    Args:
        traces: In digit heights.
        size: Canvas (height, width) in pixels.
        height: Pixels of one digit height.
        offset: Added to x and y before scaling, in digit heights.

    Returns:
        Ink as float32 of that size; what lies outside is lost.
    """
    canvas = np.zeros((size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING), np.uint8)
    for one in traces:
        _rub(canvas, one, height * SUPERSAMPLING, offset)
    small = cv2.resize(canvas, size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _rub(canvas: NDArray[np.uint8], one: Trace, scale: float, offset: tuple[float, float]) -> None:
    places = (one[:, :2] + offset) * (scale * (1 << _SHIFT_BITS))
    spots = np.rint(places).astype(int).tolist()
    widths = np.maximum(np.rint(one[:, 2] * scale), 1).astype(int).tolist()
    shades = np.rint(one[:, 3] * 255).tolist()
    for start, end, width, shade in zip(spots, spots[1:], widths, shades, strict=False):
        cv2.line(canvas, start, end, shade, thickness=width, shift=_SHIFT_BITS)


def _crop(ink: Floats) -> Floats:
    rows = np.flatnonzero(ink.any(axis=1))
    columns = np.flatnonzero(ink.any(axis=0))
    if rows.size == 0:
        return ink
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
