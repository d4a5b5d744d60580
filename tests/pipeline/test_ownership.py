"""Ownership: each piece of ink goes to one box, touching digits are cut, dust is nobody's."""

import cv2
import numpy as np
import pytest

from pipeline.geometry import as_edges
from pipeline.ownership import Labels
from pipeline.ownership import share_out as share_out_among
from pipeline.records import Floats
from tests.pipeline.forms import row

BOXES = row(40, 36, 4, width=54, height=64)
SHAPE = (136, 296)
Line = tuple[tuple[int, int], tuple[int, int]]


def draw(*lines: Line, width: int = 6) -> Floats:
    """Draw strokes on an empty sheet."""
    ink = np.zeros(SHAPE, np.float32)
    for start, end in lines:
        cv2.line(ink, start, end, 1.0, width, cv2.LINE_AA)
    return ink


def share_out(ink: Floats) -> Labels:
    """Share ink out among the boxes."""
    return share_out_among(np.rint(255 * ink).astype(np.uint8), as_edges(BOXES))


def place(position: int, x: float, y: float) -> tuple[int, int]:
    """Give a spot in a box, from 0, 0 at its top left to 1, 1."""
    box = BOXES[position]
    return round(box.left + x * box.width), round(box.top + y * box.height)


def owned(ink: Floats, position: int) -> float:
    """Which share of all ink a box is given."""
    return float(ink[share_out(ink) == position].sum() / ink.sum())


def upright(position: int) -> Line:
    """A stroke in the middle of a box."""
    return place(position, 0.5, 0.2), place(position, 0.5, 0.8)


def test_a_stroke_in_a_box_belongs_to_it() -> None:
    """All of it, and nothing to another."""
    for position in range(4):
        assert owned(draw(upright(position)), position) == 1


def test_paper_belongs_to_nobody() -> None:
    """Only ink has an owner."""
    ink = draw(upright(0), upright(3))
    assert np.array_equal(share_out(ink) >= 0, ink > 0)
    assert (share_out(np.zeros(SHAPE, np.float32)) == -1).all()


def test_a_tail_in_the_neighbours_box_stays_with_its_digit() -> None:
    """The neighbour being empty or not."""
    tail = draw((place(1, 0.4, 0.1), place(1, 0.6, 0.5)), (place(1, 0.6, 0.5), place(2, 0.1, 0.95)))
    assert owned(tail, 1) == 1
    beside = np.maximum(tail, draw((place(2, 0.6, 0.2), place(2, 0.6, 0.8))))
    owners = share_out(beside)
    assert (owners[tail == 1] == 1).all()


def test_a_digit_that_leans_over_is_given_whole_to_its_own_box() -> None:
    """A neighbour that has a digit of its own does not get half of another."""
    leaning = draw((place(1, 0.35, 0.9), place(2, 0.25, 0.1)))
    both = np.maximum(leaning, draw((place(2, 0.75, 0.1), place(2, 0.75, 0.95))))
    owners = share_out(both)
    assert (owners[leaning == 1] == 1).all()


@pytest.mark.parametrize("height", [0.3, 0.55, 0.8])
def test_digits_that_touch_are_cut(height: float) -> None:
    """Each box gets its upright, whatever bridge joins them."""
    ink = draw(upright(1), upright(2), (place(1, 0.5, height), place(2, 0.5, height)))
    owners = share_out(ink)
    for position in (1, 2):
        whole = draw(upright(position)) == 1
        assert (owners[whole] == position).mean() > 0.85
    assert not {0, 3} & set(np.unique(owners).tolist())


def test_print_beside_the_boxes_is_nobodys() -> None:
    """A label under or over the row is in no crop."""
    label = draw(((60, 14), (200, 14)), ((50, 124), (180, 124)), width=4)
    assert (share_out(label) == -1).all()


def test_dust_is_nobodys() -> None:
    """Alone in a box, or beside a digit."""
    rng = np.random.default_rng(3)
    ink = draw(upright(1))
    clean = ink.copy()
    for x, y in rng.integers((45, 40), (250, 95), (25, 2)).tolist():
        ink[y : y + 3, x : x + 3] = 1
    owners = share_out(ink)
    assert set(np.unique(owners[cv2.dilate(clean, np.ones((7, 7), np.uint8)) == 0])) == {-1}
    assert (owners[clean == 1] == 1).all()


def test_what_a_frame_left_is_nobodys() -> None:
    """Broken remains of lines, however long, make no digit in a blank box."""
    box = BOXES[2]
    left, right, bottom = round(box.left), round(box.right), round(box.bottom)
    remains = draw(
        ((left + 2, 40), (left + 2, 70)),
        ((left + 5, bottom - 2), (right - 9, bottom - 2)),
        ((right - 2, 50), (right - 2, bottom)),
        width=2,
    )
    assert (share_out(remains) == -1).all()


def test_two_pieces_of_one_digit_stay_together() -> None:
    """A 5 whose bar stands apart, a 4 in two strokes."""
    five = draw(
        (place(1, 0.3, 0.2), place(1, 0.8, 0.2)),
        (place(1, 0.3, 0.4), place(1, 0.7, 0.5)),
        (place(1, 0.7, 0.5), place(1, 0.3, 0.9)),
    )
    assert owned(five, 1) == 1


def test_faint_smudges_are_nobodys() -> None:
    """What never gets half as dark as the pen is no stroke."""
    smudge = cv2.GaussianBlur(draw(upright(1), width=14), (0, 0), 6) * np.float32(0.4)
    assert (share_out(smudge) == -1).all()


def test_a_seven_keeps_its_bar_where_only_print_is_touched() -> None:
    """A printed rule below the box joins the 7, and no neighbour's stroke runs into it."""
    below = place(1, 0.55, 1.12)
    seven = draw((place(1, 0.06, 0.2), place(1, 0.8, 0.2)), (place(1, 0.8, 0.2), below))
    rule = draw((place(0, 0.0, 1.12), place(3, 1.0, 1.12)), width=3)
    bar = draw((place(1, 0.06, 0.2), place(1, 0.5, 0.2))) > 0
    owners = share_out(np.maximum(seven, rule))
    assert (owners[bar] == 1).mean() > 0.95


def test_a_number_printed_small_in_a_corner_is_nobodys() -> None:
    """In a box of its own; a digit that is written beside it is the box's as ever."""
    print_ = draw((place(1, 0.1, 0.08), place(1, 0.14, 0.2)), width=2)
    assert (share_out(print_) == -1).all()
    digit = draw(upright(1))
    assert float(digit[share_out(np.maximum(print_, digit)) == 1].sum()) > 0.98 * digit.sum()


def test_a_dash_is_no_speck() -> None:
    """It says that nothing is to be read here."""
    assert owned(draw((place(2, 0.35, 0.5), place(2, 0.65, 0.5))), 2) == 1
