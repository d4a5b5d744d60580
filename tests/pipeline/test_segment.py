"""Segmenting: each box is given its own ink, without frame, dust and neighbours."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.authoring.fill import Habit, write_box
from pipeline.authoring.pen import Writer
from pipeline.geometry import translation
from pipeline.records import AlignedPage, Box, Floats, GreyImage
from pipeline.segment import Cut, segment
from tests.pipeline.forms import as_page, draw_frames, field, ink_on, lay, row, scan

SHAPE = (200, 640)
BOXES = row(70, 64, 8, width=60, height=72)
FIELD = field("code", BOXES)
HABIT = Habit(size=0.66, across=0.0, down=0.0, spread=0.03, pen_px=7.0)
seeds = st.integers(0, 2**16)


def blank(level: int = 250, frame: int = 70, thickness: float = 2.5) -> GreyImage:
    """A row of empty boxes."""
    page = np.full(SHAPE, level, np.uint8)
    draw_frames(page, BOXES, thickness=thickness, level=frame)
    return page


def hand(text: str, seed: int, habit: Habit = HABIT) -> list[Floats]:
    """Write a character into each box: an ink layer for each."""
    rng = np.random.default_rng(seed)
    writer = replace(Writer.random(rng), pressure=0.2)
    layers = []
    for box, character in zip(BOXES, text, strict=True):
        layers.append(np.zeros(SHAPE, np.float32))
        if character != "_":
            write_box(layers[-1], box, character, (writer, habit), rng)
    return layers


def cut(page: GreyImage, boxes: tuple[Box, ...] = BOXES) -> Cut:
    """Cut a page that lies straight."""
    return segment(AlignedPage(as_page(page), np.eye(3), 0.0), [field("code", boxes)])


def strip_of(layer: Floats, like: Cut) -> Floats:
    """Give an ink layer in the pixels of a strip."""
    to_strip = np.linalg.inv(like.view.strips.ways[0])[:2]
    return cv2.warpAffine(layer, to_strip, like.ink.shape[::-1], flags=cv2.INTER_AREA)


def shares(page: GreyImage, layers: list[Floats]) -> tuple[list[float], list[float]]:
    """Of each written box: how much of its ink it is given, and how much it gets from others."""
    found = cut(page)
    given, foreign = [], []
    near = np.ones((5, 5), np.uint8)
    for position, layer in enumerate(layers):
        mine = np.where(found.owners == position, found.ink / 255, 0)
        truth = strip_of(layer, found)
        if truth.any():
            given.append(float((mine[truth > 0.7] > 0.3).mean()))
            foreign.append(float(mine[cv2.dilate(truth, near) < 0.05].sum() / max(mine.sum(), 1)))
        else:
            assert found.crops[position].ink.sum() == 0
    return given, foreign


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.text("0123456789_", min_size=8, max_size=8), seeds, st.integers(30, 110))
def test_each_box_gets_its_own_ink(text: str, seed: int, frame: int) -> None:
    """Nearly all of its digit, nearly nothing else, and a blank box exactly nothing."""
    layers = hand(text, seed)
    given_, foreign = shares(ink_on(blank(frame=frame), sum(layers)), layers)
    assert all(share > 0.85 for share in given_)
    assert all(share < 0.1 for share in foreign)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seeds, st.integers(120, 255), st.floats(0.3, 0.95))
def test_pen_and_paper_do_not_matter(seed: int, level: int, pen: float) -> None:
    """A pencil on recycled paper in the shade is cut like a felt tip on white."""
    layers = hand("4_70_268", seed)
    page = ink_on(blank(level, frame=int(0.45 * level)), sum(layers), pen)
    shade = np.linspace(1, 0.8, SHAPE[1]) * np.linspace(0.9, 1, SHAPE[0])[:, None]
    given_, foreign = shares(np.rint(page * shade).astype(np.uint8), layers)
    assert np.mean(given_) > 0.9
    assert np.mean(foreign) < 0.05


def line(start: tuple[float, float], end: tuple[float, float]) -> Floats:
    """One stroke of the pen."""
    layer = np.zeros(SHAPE, np.float32)
    ends = [tuple(round(length) for length in spot) for spot in (start, end)]
    cv2.line(layer, *ends, 1.0, 7, cv2.LINE_AA)
    return layer


def test_a_stroke_that_crosses_the_frame_stays_whole() -> None:
    """Below the row as above it, and into the next box."""
    box = BOXES[3]
    x = (box.left + box.right) / 2
    for stroke in (
        line((x, box.top + 15), (x - 4, box.bottom + 15)),
        line((x + 3, box.top - 14), (x, box.bottom - 14)),
        line((x - 16, box.top + 12), (box.right + 4, box.bottom - 20)),
    ):
        layers = [stroke if position == 3 else np.zeros(SHAPE, np.float32) for position in range(8)]
        (given_,), (foreign,) = shares(ink_on(blank(), stroke), layers)
        assert given_ > 0.9
        assert foreign < 0.05


def test_a_leaning_digit_is_given_whole_to_its_own_box() -> None:
    """Beside a neighbour that has its own."""
    third, fourth = BOXES[2], BOXES[3]
    leaning = line((third.left + 26, third.bottom - 8), (fourth.left + 14, fourth.top + 8))
    other = line((fourth.left + 42, fourth.top + 10), (fourth.left + 40, fourth.bottom - 10))
    layers = [np.zeros(SHAPE, np.float32) for _ in BOXES]
    layers[2], layers[3] = leaning, other
    given_, foreign = shares(ink_on(blank(), leaning + other), layers)
    assert min(given_) > 0.85
    assert max(foreign) < 0.1


@pytest.mark.parametrize("digit", "0123456789")
def test_a_digit_at_its_frame_leaves_the_next_box_blank(digit: str) -> None:
    """Written far to the right, up to the line or a little over it: one digit, one crop."""
    for seed in range(12):
        layers = hand(f"___{digit}____", seed, replace(HABIT, across=0.25))
        beyond = layers[3][:, round(BOXES[4].left) :].sum() / layers[3].sum()
        if beyond < 0.02:
            (given_,), _ = shares(ink_on(blank(), layers[3]), layers)
            assert given_ > 0.8


def test_two_digits_that_touch_are_cut() -> None:
    """Each box gets its stem."""
    y = BOXES[0].top
    stems = [line((BOXES[n].left + 30, y + 10), (BOXES[n].left + 30, y + 62)) for n in (4, 5)]
    bridge = line((BOXES[4].left + 30, y + 36), (BOXES[5].left + 30, y + 36))
    found = cut(ink_on(blank(), np.maximum(bridge, sum(stems))))
    for position, stem in zip((4, 5), stems, strict=True):
        truth = strip_of(stem, found) > 0.7
        assert (found.owners[truth] == position).mean() > 0.85
        assert found.crops[position].ink.shape[0] > 40


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seeds, st.floats(1.5, 4), st.integers(20, 150), st.floats(0, 4), st.booleans())
def test_a_blank_box_is_empty(seed: int, thickness: float, frame: int, noise: float, hair) -> None:
    """With the scanner's noise and dust, with lines that broke: no ink, so no digit."""
    rng = np.random.default_rng(seed)
    page = blank(250, frame, thickness)
    for _ in range(6):
        x, y = rng.integers((70, 64), (540, 130)).tolist()
        page[y : y + 9, x : x + 9] = np.maximum(page[y : y + 9, x : x + 9], 245)
    for x, y in rng.integers((72, 66), (545, 132), (12, 2)).tolist():
        page[y : y + 2, x : x + 2] = 40
    noisy = page + rng.normal(0, noise, SHAPE)
    page = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    written = hand("5______8", seed) if hair else []
    for crop in cut(ink_on(page, sum(written)) if hair else page).crops[1:7]:
        assert crop.ink.sum() == 0


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seeds, st.integers(0, 3), st.floats(-4, 4), st.floats(0.6, 2.5))
def test_crops_do_not_depend_on_how_the_page_lies(seed, quarters, degrees, resolution) -> None:
    """Turned, tilted, scanned finer or coarser: the same digit comes out."""
    layers = hand("31415926", seed)
    page = ink_on(blank(), sum(layers))
    straight = cut(page).crops
    lie, size = lay(SHAPE, quarters=quarters, degrees=degrees, resolution=resolution)
    turned = AlignedPage(as_page(scan(page, lie, size)), lie, 0.0)
    for one, other in zip(straight, segment(turned, [FIELD]).crops, strict=True):
        assert np.abs(np.subtract(one.ink.shape, other.ink.shape)).max() <= 8
        assert other.ink.sum() == pytest.approx(float(one.ink.sum()), rel=0.3)


def test_crops_are_in_the_order_of_the_boxes() -> None:
    """Fields in the template's order, boxes in the field's."""
    fields = [field("late", BOXES[4:]), field("early", BOXES[:4])]
    crops = segment(AlignedPage(as_page(blank()), np.eye(3), 0.0), fields).crops
    names = [(crop.field, crop.position) for crop in crops]
    assert names == [(name, place) for name in ("late", "early") for place in range(4)]


def test_a_field_outside_the_scan_is_not_surely_blank() -> None:
    """It has no ink, and no frames, so that it goes to a person."""
    away = AlignedPage(as_page(blank()), translation(5000, 0), 0.0)
    cut = segment(away, [FIELD])
    assert cut.view.frames.support.max() < 0.5
    assert all(not crop.ink.any() for crop in cut.crops)
    assert all(crop.doubtful for crop in cut.crops)


@pytest.mark.parametrize("wider", [3, 4, 5])
def test_a_line_that_is_wider_in_part_is_no_one(wider: int) -> None:
    """As a one-bit scan has it that is a little askew: such a box is empty, but not surely."""
    page = np.where(blank() < 150, 0, 255).astype(np.uint8)
    left = round(BOXES[0].left)
    page[70:120, left - 1 : left - 1 + wider] = 0
    first, second, *_ = cut(page).crops
    assert not first.ink.any()
    assert not second.ink.any() and not second.doubtful
    if wider > 3:
        assert first.doubtful


def test_a_one_beside_a_line_is_read() -> None:
    """Only what is on the line could be the line's."""
    page = blank()
    cv2.line(page, (82, 74), (79, 126), 30, 5, cv2.LINE_AA)
    first, *_ = cut(page).crops
    assert first.ink.sum() > 100


def test_boxes_under_a_folded_corner_are_not_surely_blank() -> None:
    """Nothing is seen there, and nobody knows what is beneath; those beside it are blank."""
    page = blank()
    corner = np.array([(0, 0), (180, 0), (150, 200), (0, 200)], np.int32)
    cv2.fillPoly(page, [corner], 225)
    crops = cut(page).crops
    assert crops[0].doubtful
    assert not any(crop.doubtful for crop in crops[3:])


def test_a_stroke_with_gaps_stays_with_its_digit() -> None:
    """The bar of a 7 that a pen drew as dots; two specks are dust."""
    page = blank()
    for position in (1, 4):
        x = round(BOXES[position].left)
        cv2.line(page, (x + 44, 86), (x + 24, 124), 30, 5, cv2.LINE_AA)
        for dot in (16, 24, 32)[: 3 if position == 1 else 2]:
            cv2.circle(page, (x + dot, 80), 2, 30, thickness=-1, lineType=cv2.LINE_AA)
    barred, dusty = (cut(page).crops[position].ink for position in (1, 4))
    assert barred.shape[1] > dusty.shape[1] + 3
