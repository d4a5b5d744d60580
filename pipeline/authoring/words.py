"""Words and signatures in a simulated hand, for what people write outside of boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from pipeline.authoring.fill import stamp
from pipeline.authoring.glyphs import CAPITALS
from pipeline.authoring.pen import Trace, Writer, trace, write
from pipeline.authoring.strokes import Stroke
from pipeline.records import Floats

_LETTER_PX = 45.0
"""Block letters are about 4 mm high; at 300 dpi."""
_GAP = 0.22
_SPACE = 0.5


def write_line(
    layer: Floats,
    text: str,
    place: tuple[float, float, float],
    hand: tuple[Writer, float],
    rng: Generator,
) -> None:
    """Write block letters and digits on a line, smaller where they would not fit.

    Args:
        layer: The page's ink, changed in place.
        text: Capitals, digits and spaces.
        place: Left end, baseline and length of the line, in pixels.
        hand: A writer, and the width of the pen's line in pixels.
        rng: The source of all variation.
    """
    left, baseline, length = place
    writer, pen_px = hand
    height = _LETTER_PX * rng.uniform(0.9, 1.1)
    left += rng.uniform(-0.3, 1.5) * height
    baseline += rng.uniform(-0.15, 0.05) * height
    traces, width = _set_letters(replace(writer, pen_width=pen_px / height), text, rng)
    scale = min(height, 0.95 * length / width)
    stamp(layer, traces, scale, (left, baseline - scale))


def _set_letters(writer: Writer, text: str, rng: Generator) -> tuple[list[Trace], float]:
    traces: list[Trace] = []
    x = 0.0
    for character in text:
        if character == " ":
            x += _SPACE
            continue
        letter = _write_letter(writer, character, rng)
        everything = np.concatenate(letter)[:, 0]
        step = np.array([x - everything.min(), rng.normal(0, 0.02), 0, 0])
        traces += [one + step for one in letter]
        x += float(np.ptp(everything)) + _GAP * rng.uniform(0.6, 1.4)
    return traces, x


def _write_letter(writer: Writer, character: str, rng: Generator) -> list[Trace]:
    if character.isdigit():
        return write(writer, character, rng)
    return trace(writer, CAPITALS[character], rng)


def sign(
    layer: Floats, place: tuple[float, float, float], hand: tuple[Writer, float], rng: Generator
) -> None:
    """Write a signature: a run of loops under a tall start, with a flourish below.

    Args:
        layer: The page's ink, changed in place.
        place: Left end, baseline and length of the line, in pixels.
        hand: A writer, and the width of the pen's line in pixels.
        rng: The source of all variation.
    """
    left, baseline, length = place
    writer, pen_px = hand
    height = 1.4 * _LETTER_PX * rng.uniform(0.9, 1.3)
    pen = replace(writer, pen_width=pen_px / height, aspect=1.0, roundness=3)
    width = min(length * rng.uniform(0.6, 0.9) / height, 7.0)
    traces = trace(pen, [_loops(writer, width), _flourish(writer, width)], rng)
    stamp(layer, traces, height, (left, baseline - height * 1.05))


def _loops(writer: Writer, width: float) -> Stroke:
    # Seeded by the writer: a person always signs alike.
    own = np.random.default_rng([writer.seed, 1])
    turns = int(own.integers(4, 9))
    up = own.uniform(0.08, 0.3, turns) + 0.45 * (own.random(turns) < 0.25)
    up[0] = own.uniform(0.55, 0.9)
    down = 0.4 * own.random(turns) * (own.random(turns) < 0.3)
    steps = own.uniform(0.3, 1, turns)
    x = width * np.cumsum(steps) / steps.sum()
    lean = own.uniform(0.0, 0.45)
    open_by = own.uniform(-0.12, 0.3, turns) * width / turns
    rows = [
        [x - 0.5 * open_by + lean * 0.3, 0.8 - 0.5 * up],
        [x + lean * up, 0.85 - up],
        [x + open_by, 0.8 - 0.4 * up],
        [x + 0.4 * width / turns - lean * down, 0.85 + down],
    ]
    points = np.array(rows).transpose(2, 0, 1).reshape(-1, 2)
    return Stroke(points)


def _flourish(writer: Writer, width: float) -> Stroke:
    own = np.random.default_rng([writer.seed, 2])
    ends = own.normal((0.2, 1.1, 0.95, 0.9), 0.08)
    points = [(ends[0], ends[1]), (width / 2, ends[2]), (width * 1.05, ends[3])]
    return Stroke(np.array(points))
