"""The pen: every digit leaves ink, alike for the same seed, different from time to time."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.authoring.glyphs import CAPITALS, DIGITS, LETTERS
from pipeline.authoring.marks import ILLEGIBLE, STRUCK, draw_mark
from pipeline.authoring.pen import Trace, Writer, draw, render, trace, write
from pipeline.authoring.residue import draw_residue
from pipeline.authoring.strokes import curve, parse_strokes, smooth
from pipeline.normalize import normalize
from pipeline.records import Floats, Mark

VARIANTS = [(digit, name) for digit, shapes in DIGITS.items() for name in shapes]


def writer_of(digit: str, variant: str, seed: int) -> Writer:
    """Give a random hand that writes one digit in a certain shape."""
    writer = Writer.random(np.random.default_rng(seed))
    chosen = {**dict(writer.variants), digit: variant}
    return replace(writer, variants=tuple(chosen.items()))


def bounds(traces: list[Trace]) -> tuple[float, float, float, float]:
    """Give left, top, right, bottom of some traces."""
    points = np.concatenate(traces)[:, :2]
    return (*points.min(axis=0), *points.max(axis=0))


def assert_is_ink(ink: Floats) -> None:
    """Fail unless this is a tight crop with something on it."""
    assert ink.dtype == np.float32
    assert ink.ndim == 2
    assert ink.min() >= 0
    assert 0.4 < ink.max() <= 1
    for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
        assert edge.any()


@pytest.mark.parametrize(("digit", "variant"), VARIANTS)
def test_every_shape_of_every_digit_leaves_ink(digit: str, variant: str) -> None:
    """Any hand draws any shape at about the height asked for, with paper left around it."""
    for seed in range(8):
        ink = draw(writer_of(digit, variant, seed), digit, np.random.default_rng(seed), height=64)
        assert_is_ink(ink)
        assert 48 <= ink.shape[0] <= 96
        assert (ink == 0).mean() > 0.1
        assert normalize(ink).max() == 255


def test_a_seed_gives_the_same_digit_again() -> None:
    """Hand and digit depend on nothing but the seed."""
    first, second = (
        draw(Writer.random(rng), "5", rng)
        for rng in (np.random.default_rng(7), np.random.default_rng(7))
    )
    assert np.array_equal(first, second)


def test_a_hand_never_writes_a_digit_twice_alike() -> None:
    """Two digits of one hand differ, but less than those of two hands."""
    rng = np.random.default_rng(3)
    within, between = [], []
    for _ in range(20):
        one, other = Writer.random(rng), Writer.random(rng)
        first, second, third = (
            normalize(draw(hand, "2", rng)).astype(float) for hand in (one, one, other)
        )
        within.append(np.abs(first - second).mean())
        between.append(np.abs(first - third).mean())
    assert min(within) > 0
    assert np.mean(within) < np.mean(between)


def test_height_scales_the_digit() -> None:
    """Twice the height gives twice the size."""
    writer = Writer.random(np.random.default_rng(1))
    small, large = (draw(writer, "8", np.random.default_rng(2), height=h) for h in (40, 80))
    assert large.shape == pytest.approx(2 * np.array(small.shape), abs=3)


def test_paper_is_exactly_white() -> None:
    """What no pen touched is exactly 0, since every pixel above counts as the digit's."""
    ink = draw(writer_of("1", "bare", 1), "1", np.random.default_rng(1))
    padded = render([np.array([[0, 0, 0.05, 1], [0, 1, 0.05, 1], [1, 1, 0.05, 1]])], 64)
    assert (ink == 0).any()
    assert (padded[:40, 20:] == 0).all()


@pytest.mark.parametrize("kind", [*STRUCK, *ILLEGIBLE])
def test_every_mark_leaves_ink(kind: str) -> None:
    """Each way to strike out or to spoil a box can be drawn by any hand."""
    draw_kind = {**STRUCK, **ILLEGIBLE}[kind]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert_is_ink(render(draw_kind(Writer.random(rng), rng), 64))


def test_a_mark_is_drawn_by_its_meaning() -> None:
    """Struck and illegible are drawn on request, by seed."""
    for mark in (Mark.STRUCK, Mark.ILLEGIBLE):
        writer = Writer.random(np.random.default_rng(1))
        first, second = (draw_mark(writer, mark, np.random.default_rng(4)) for _ in range(2))
        assert np.array_equal(first, second)


@pytest.mark.parametrize("kind", ["long_slash_over_digit", "lines_over_digit", "cross_over_digit"])
def test_a_struck_digit_is_left_on_both_sides(kind: str) -> None:
    """The strike goes beyond its digit left and right, as a bar through a 7 does not."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        writer = Writer.random(rng)
        whole = bounds(STRUCK[kind](writer, np.random.default_rng(seed)))
        twin = np.random.default_rng(seed)
        digit = bounds(write(writer, str(twin.integers(10)), twin))
        assert whole[0] < digit[0]
        assert digit[2] < whole[2]


def test_no_letter_could_be_a_digit() -> None:
    """Letters that are taken for digits, or for a cross, are not taught as illegible."""
    assert not set(LETTERS) & set("OoDIlLiSsZzbqgQXx")
    assert set(CAPITALS) == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    rng = np.random.default_rng(1)
    for strokes in (*LETTERS.values(), *CAPITALS.values()):
        assert_is_ink(render(trace(Writer.random(rng), strokes, rng), 64))


def test_a_blank_box_keeps_little() -> None:
    """What is left in a blank box is a whole box with some, but never much, ink."""
    rng = np.random.default_rng(1)
    for _ in range(100):
        ink = draw_residue(rng, height=64)
        assert ink.dtype == np.float32
        assert ink.shape[0] == 64
        assert 0 < ink.mean() < 0.15


def test_strokes_are_read_as_written() -> None:
    """Points, corners and pen lifts come back from the notation."""
    bent, bar = parse_strokes("0,0 100,50! 0,100; 0,50 20,50")
    assert bent.points.tolist() == [[0, 0], [1, 0.5], [0, 1]]
    assert bent.corners == (1,)
    assert bar.corners == ()


def test_a_curve_passes_through_its_points() -> None:
    """The line starts, ends and turns where the stroke says."""
    (stroke,) = parse_strokes("0,0 50,20 60,80! 10,100")
    line = curve(stroke)
    for point in stroke.points:
        assert np.hypot(*(line - point).T).min() < 1e-9


def test_smoothing_keeps_ends_and_straight_lines() -> None:
    """A straight line comes back as it was; a zigzag is flattened."""
    straight = np.column_stack([np.arange(20.0), 2 * np.arange(20.0)])
    assert smooth(straight, 3) == pytest.approx(straight)
    zigzag = straight + np.array([[0, 1], [0, -1]] * 10)
    assert np.abs(smooth(zigzag, 3) - straight)[3:-3].max() < 0.5
