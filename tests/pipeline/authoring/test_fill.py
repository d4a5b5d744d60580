"""Filling: ink lands in the boxes it is meant for, over print that stays as dark."""

from itertools import pairwise

import numpy as np
import pytest

from pipeline.authoring.fill import INKS, Habit, apply_ink, write_box, write_fields
from pipeline.authoring.pen import Writer
from pipeline.authoring.words import sign, write_line
from pipeline.records import Box
from pipeline.template import FieldSpec, FieldType, FormTemplate

BOXES = tuple(Box(60 + 100 * i, 60, 130 + 100 * i, 150) for i in range(4))
FIELD = FieldSpec(
    name="code",
    boxes=BOXES,
    type=FieldType.DIGITS,
    date_format="",
    required=False,
    minimum=None,
    maximum=None,
    empty_marks=frozenset(),
    checks=(),
)
TEMPLATE = FormTemplate(
    template_id="four",
    version=1,
    size=(220.0, 480.0),
    markers=None,
    reference=None,
    fields=(FIELD,),
    checks=(),
)


def fill(text: str, seed: int) -> np.ndarray:
    """Write four characters with a hand of that seed."""
    rng = np.random.default_rng(seed)
    return write_fields(TEMPLATE, {"code": text}, Writer.random(rng), Habit.random(rng), rng)


def part(layer: np.ndarray, box: Box, margin: float) -> np.ndarray:
    """Cut a box with a margin from a layer; a negative margin is its inside."""
    rows = slice(int(box.top - margin), int(box.bottom + margin))
    return layer[rows, int(box.left - margin) : int(box.right + margin)]


@pytest.mark.parametrize("seed", range(10))
def test_ink_stays_near_its_boxes(seed: int) -> None:
    """All ink lies within a third of a box around the boxes written in, most of it inside."""
    layer = fill("4902", seed)
    inside = sum(float(part(layer, box, 0).sum()) for box in BOXES)
    assert inside > 0.85 * layer.sum()
    for box in BOXES:
        assert part(layer, box, 0).sum() > 50
        part(layer, box, 30)[:] = 0
    assert not layer.any()


def test_nothing_is_written_in_a_blank_box() -> None:
    """`_` leaves a box white while its neighbours are written in."""
    for seed in range(10):
        layer = fill("_7_1", seed)
        for position, written in enumerate((False, True, False, True)):
            assert part(layer, BOXES[position], -20).any() == written


def test_unnamed_fields_stay_empty() -> None:
    """A field without text is left as printed."""
    rng = np.random.default_rng(1)
    assert not write_fields(TEMPLATE, {}, Writer.random(rng), Habit.random(rng), rng).any()


@pytest.mark.parametrize("character", ["X", "#", "0"])
def test_marks_are_written_like_digits(character: str) -> None:
    """A struck or spoilt box has ink, too."""
    rng = np.random.default_rng(5)
    layer = np.zeros((220, 480), np.float32)
    write_box(layer, BOXES[1], character, (Writer.random(rng), Habit.random(rng)), rng)
    assert layer.any()


def test_a_text_of_the_wrong_length_is_refused() -> None:
    """Every box must have its character."""
    with pytest.raises(ValueError, match="zip"):
        fill("12", 1)


def test_no_two_digits_of_a_field_are_alike() -> None:
    """A hand repeats itself never exactly: neither in shape nor in place."""
    layer = fill("6666", 2)
    cuts = [part(layer, box, 0) for box in BOXES]
    for first, second in pairwise(cuts):
        assert np.abs(first - second).max() > 0.5


@pytest.mark.parametrize("ink", INKS)
def test_ink_darkens_and_never_lightens(ink: str) -> None:
    """Print shows through ink; untouched paper stays as it was."""
    rng = np.random.default_rng(1)
    page = rng.integers(0, 256, (220, 480, 3)).astype(np.uint8)
    layer = fill("8888", 3)
    written = apply_ink(page, layer, INKS[ink], rng)
    assert written.dtype == np.uint8
    assert (written <= page).all()
    assert np.array_equal(written[layer == 0], page[layer == 0])
    assert written[layer > 0.8].mean() < 0.8 * page[layer > 0.8].mean()


def test_words_keep_to_their_line() -> None:
    """Block letters and signatures stand on the line and do not run far beyond it."""
    rng = np.random.default_rng(1)
    hand = Writer.random(rng), 6.0
    for write in (
        lambda layer: write_line(layer, "A LONG NAME 27", (100, 150, 300), hand, rng),
        lambda layer: sign(layer, (100, 150, 300), hand, rng),
    ):
        layer = np.zeros((300, 600), np.float32)
        write(layer)
        rows, columns = np.nonzero(layer)
        assert rows.min() > 40
        assert rows.max() < 210
        assert columns.min() > 50
        assert columns.max() < 520
