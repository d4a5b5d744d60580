"""What else stands in boxes: struck-out digits, and ink that is no digit.

A barred 7 and a slashed 0 are digits: what strikes a digit out goes clearly beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.random import Generator

from pipeline.authoring.glyphs import LETTERS
from pipeline.authoring.pen import Trace, Writer, render, trace, write
from pipeline.authoring.strokes import Stroke
from pipeline.records import Floats, Mark, Points

Kind = Callable[[Writer, Generator], list[Trace]]

# A 3 over an 8 still reads as an 8; these pairs leave nothing to read.
_CLASHING = "20 24 25 26 27 29 30 34 36 37 40 45 46 47 48 50 57 59 67 70 78"


def draw_mark(writer: Writer, mark: Mark, rng: Generator, height: int = 64) -> Floats:
    """Draw something that is not a digit, of a kind chosen at random.

    Args:
        writer: Whose hand.
        mark: `Mark.STRUCK` or `Mark.ILLEGIBLE`.
        rng: The source of all variation.
        height: Pixels of a digit of usual size.

    Returns:
        Ink as float32 (h, w), cropped tightly: 0 paper, 1 pen.
    """
    return render(write_mark(writer, mark, rng), height)


def write_mark(writer: Writer, mark: Mark, rng: Generator) -> list[Trace]:
    """Write a mark of a kind chosen at random, where a digit would stand."""
    kinds = STRUCK if mark is Mark.STRUCK else ILLEGIBLE
    return kinds[_choose(tuple(kinds), rng)](writer, rng)


def _choose(names: tuple[str, ...], rng: Generator) -> str:
    return names[int(rng.integers(len(names)))]


def _any_digit(writer: Writer, rng: Generator) -> list[Trace]:
    return write(writer, str(rng.integers(10)), rng)


def _bounds(traces: list[Trace]) -> tuple[Points, Points]:
    points = np.concatenate(traces)[:, :2]
    return points.min(axis=0), points.max(axis=0)


def _lines(writer: Writer, paths: list[list[tuple[float, float]]], rng: Generator) -> list[Trace]:
    """Draw paths given in digit heights, without the hand's slant, which has no say in them."""
    strokes = [Stroke(_unlean(writer, np.array(path))) for path in paths]
    return trace(writer, strokes, rng)


def _unlean(writer: Writer, points: Points) -> Points:
    x = (points[:, 0] - writer.slant * (1 - points[:, 1])) / writer.aspect
    return np.stack([x, points[:, 1]], axis=1)


def _line(
    start: tuple[float, float], end: tuple[float, float], rng: Generator, spread: float = 0.07
) -> list[tuple[float, float]]:
    bow = rng.normal(0, 0.025, 2)
    ends = np.array([start, end]) + rng.normal(0, spread, (2, 2))
    middle = ends.mean(axis=0) + bow
    return [(float(x), float(y)) for x, y in (ends[0], middle, ends[1])]


def _cross(writer: Writer, rng: Generator) -> list[Trace]:
    w, h = rng.uniform(0.5, 0.95), rng.uniform(0.6, 1.1)
    falling = _line((0, 1 - h), (w, 1), rng)
    return _lines(writer, [falling, _line((w, 1 - h), (0, 1), rng)], rng)


def _dash(writer: Writer, rng: Generator) -> list[Trace]:
    y, w = rng.uniform(0.35, 0.65), rng.uniform(0.4, 1.0)
    return _lines(writer, [_line((0, y), (w, y), rng, 0.04)], rng)


def _double_dash(writer: Writer, rng: Generator) -> list[Trace]:
    y, w, gap = rng.uniform(0.3, 0.5), rng.uniform(0.45, 1.0), rng.uniform(0.18, 0.32)
    lines = [_line((0, one), (w, one), rng, 0.03) for one in (y, y + gap)]
    return _lines(writer, lines, rng)


def _beyond(digit: list[Trace], rng: Generator) -> tuple[Points, Points]:
    """Give the corners of what strikes a digit out: clearly wider, even round a thin 1."""
    low, high = _bounds(digit)
    lacking = max(0.0, 0.5 - float(high[0] - low[0])) / 2
    least, most = np.array([lacking + 0.14, 0.08]), np.array([lacking + 0.32, 0.2])
    return low - rng.uniform(least, most), high + rng.uniform(least, most)


def _slashed(writer: Writer, rng: Generator) -> list[Trace]:
    """Strike a digit with one slash that leaves it well above and below."""
    digit = _any_digit(writer, rng)
    (left, top), (right, foot) = _beyond(digit, rng)
    start, end = (left, foot), (right, top)
    if rng.random() < 0.25:
        start, end = (left, top), (right, foot)
    return digit + _lines(writer, [_line(start, end, rng, 0.02)], rng)


def _barred(writer: Writer, rng: Generator) -> list[Trace]:
    """Strike a digit with one to three lines that leave it on both sides."""
    character = str(rng.integers(10))
    digit = write(writer, character, rng)
    (left, top), (right, foot) = _beyond(digit, rng)
    # One line through a 7 only bars it.
    count = int(rng.integers(2 if character == "7" else 1, 4))
    heights = 0.5 + 0.17 * (np.arange(count) - (count - 1) / 2) + rng.normal(0, 0.05)
    lines = [
        _line((left, y), (right, y), rng, 0.025) for y in (top + heights * (foot - top)).tolist()
    ]
    return digit + _lines(writer, lines, rng)


def _crossed(writer: Writer, rng: Generator) -> list[Trace]:
    digit = _any_digit(writer, rng)
    (left, top), (right, foot) = _beyond(digit, rng)
    falling = _line((left, top), (right, foot), rng, 0.04)
    rising = _line((right, top), (left, foot), rng, 0.04)
    return digit + _lines(writer, [falling, rising], rng)


def _zigzag(writer: Writer, rng: Generator) -> list[Trace]:
    return _lines(writer, [_scribble_path(np.zeros(2), np.array([0.7, 1.0]), rng)], rng)


def _scribble_path(low: Points, high: Points, rng: Generator) -> list[tuple[float, float]]:
    turns = int(rng.integers(7, 12))
    across = np.where(np.arange(turns) % 2, 1.0, 0.0) + rng.normal(0, 0.1, turns)
    along = np.linspace(0, 1, turns) + rng.normal(0, 0.04, turns)
    if rng.random() < 0.4:
        across, along = along, across
    x = low[0] + across * (high[0] - low[0])
    y = low[1] + along * (high[1] - low[1])
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _scribbled(writer: Writer, rng: Generator) -> list[Trace]:
    digit = _any_digit(writer, rng)
    low, high = _beyond(digit, rng)
    return digit + _lines(writer, [_scribble_path(low, high, rng)], rng)


def _letter(writer: Writer, rng: Generator) -> list[Trace]:
    return trace(writer, LETTERS[_choose(tuple(LETTERS), rng)], rng)


def _shifted(traces: list[Trace], dx: float, dy: float = 0.0) -> list[Trace]:
    return [one + np.array([dx, dy, 0, 0]) for one in traces]


def _two_digits(writer: Writer, rng: Generator) -> list[Trace]:
    first, second = _any_digit(writer, rng), _any_digit(writer, rng)
    gap = rng.uniform(-0.06, 0.2)
    dx = _bounds(first)[1][0] - _bounds(second)[0][0] + gap
    return first + _shifted(second, float(dx), float(rng.normal(0, 0.06)))


def _overwritten(writer: Writer, rng: Generator) -> list[Trace]:
    """Write a digit over another, as one corrects a slip."""
    under, over = rng.permutation(list(_choose(tuple(_CLASHING.split()), rng)))
    dx, dy = rng.normal(0, 0.05, 2)
    return write(writer, under, rng) + _shifted(write(writer, over, rng), dx, dy)


def _fragment(writer: Writer, rng: Generator) -> list[Trace]:
    """Leave only a short part of a curved digit, too little to tell which."""
    whole = write(writer, _choose(tuple("235689"), rng), rng)[0]
    length = int(len(whole) * rng.uniform(0.18, 0.34))
    pieces = [whole[start : start + length] for start in range(len(whole) - length)]
    bent = [piece for piece in pieces if _bend(piece) > 0.15]
    return [bent[int(rng.integers(len(bent)))] if bent else whole[:length]]


def _bend(piece: Trace) -> float:
    """Tell how far a line is from straight: a straight piece could be a 1 or a dash."""
    steps = np.diff(piece[:, :2], axis=0)
    return float(1 - np.hypot(*steps.sum(axis=0)) / np.hypot(steps[:, 0], steps[:, 1]).sum())


def _blot(writer: Writer, rng: Generator) -> list[Trace]:
    """Drop one to four rounded spots of ink that run into each other."""
    count = int(rng.integers(1, 5))
    middle = rng.normal((0.3, 0.5), 0.12, (count, 2))
    width = rng.uniform(0.15, 0.6, (count, 1))
    darkness = np.full((count, 1), rng.uniform(0.5, 1))
    spots = np.hstack([middle, width, darkness])
    drawn_out = np.array([0.05, 0.02, -0.03, 0])
    return [np.stack([spot, spot + drawn_out]) for spot in spots]


def _point(writer: Writer, rng: Generator) -> list[Trace]:
    """Set a full stop, a comma or a colon; short, for a long comma is a small 1."""
    fall, lean = rng.uniform((0.02, 0), (1.2 * writer.pen_width, 0.05))
    tail = [(0.3, 0.85), (0.3, 0.85 + fall / 2), (0.3 - lean, 0.85 + fall)]
    paths = [tail, [(0.3, 0.4), (0.31, 0.42), (0.3, 0.43)]]
    return _lines(writer, paths[: 2 if rng.random() < 0.2 else 1], rng)


def _tick(writer: Writer, rng: Generator) -> list[Trace]:
    a, b, c = rng.uniform(0.8, 1.2, 3)
    path = np.array([(0, 0.6), (0.12 * a, 0.8 * b), (0.2 * a, 0.95 * b), (0.75 * c, 0.15 * a)])
    stroke = Stroke(_unlean(writer, path), (2,) if rng.random() < 0.5 else ())
    return trace(writer, [stroke], rng)


STRUCK: Mapping[str, Kind] = {
    "cross": _cross,
    "dash": _dash,
    "double_dash": _double_dash,
    "long_slash_over_digit": _slashed,
    "lines_over_digit": _barred,
    "cross_over_digit": _crossed,
    "scribble_over_digit": _scribbled,
    "zigzag": _zigzag,
}
"""Ways to strike out a box."""

ILLEGIBLE: Mapping[str, Kind] = {
    "letter": _letter,
    "two_digits": _two_digits,
    "overwritten": _overwritten,
    "fragment": _fragment,
    "blot": _blot,
    "point": _point,
    "tick": _tick,
}
"""Kinds of ink from which no digit can be read."""
