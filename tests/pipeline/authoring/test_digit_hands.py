"""Hands that write with a collection's digits: one writer's on a page, each where it belongs."""

import numpy as np
import pytest

from pipeline.authoring.digit_hands import DigitHand, digit_hands, pen_hands
from pipeline.authoring.fill import fill_boxes
from pipeline.errors import InputFileError
from pipeline.records import Box
from tests.pipeline.authoring.pages import CARD, collection, hands


@pytest.mark.parametrize("draw_hand", [hands(), pen_hands()], ids=["collection", "pen"])
def test_ink_lands_in_its_box(draw_hand) -> None:
    """Most of each character's ink is inside its box; a blank box has none but a neighbour's."""
    texts = {"number": "01234_67", "pin": "8X#12", "amount": "______"}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        layer = fill_boxes(CARD, texts, draw_hand(rng), rng)
        assert layer.shape == CARD.size
        inside = sum(
            layer[round(box.top) : round(box.bottom), round(box.left) : round(box.right)].sum()
            for spec in CARD.fields
            for box in spec.boxes
        )
        assert inside > 0.85 * layer.sum() > 0
        amount = CARD.fields[2].boxes
        top, bottom = round(amount[0].top), round(amount[0].bottom)
        assert layer[top:bottom, round(amount[0].left) : round(amount[-1].right)].max() == 0


def test_a_digit_is_written_with_a_picture_of_it() -> None:
    """The bar that tells the made-up digits apart is at its height."""
    box = Box(20, 20, 120, 140)
    for digit in range(10):
        rng = np.random.default_rng(digit)
        layer = np.zeros((160, 140), np.float32)
        hands()(rng).write(layer, box, str(digit), rng)
        rows = np.flatnonzero(layer.any(axis=1))
        bar = np.argmax((layer > 0.5).sum(axis=1)) - rows[0]
        assert bar / len(rows) == pytest.approx((2 * digit + 1) / 20, abs=0.1)


def test_a_page_is_in_one_hand() -> None:
    """With writers known, a hand holds the digits of one of them; writers lacking a digit none."""
    images, labels = collection(6)
    writers = np.tile(np.arange(6), 10)
    images[writers == 3] //= 2  # this writer's pencil is softer
    labels, writers = labels.copy(), writers.copy()
    writers[(labels == 9) & (writers == 5)] = 4  # and this one has no 9
    draw_hand = digit_hands(images, labels, writers)
    for seed in range(30):
        hand = draw_hand(np.random.default_rng(seed))
        assert isinstance(hand, DigitHand)
        brightest = {int(part.max()) for part in hand.images}
        assert brightest in ({127}, {255})
        assert [len(part) for part in hand.images] in ([1] * 10, [1] * 9 + [2])


def test_thin_lines_are_kept() -> None:
    """A line that is grey throughout, as in MNIST's thinnest digits, is written without a gap."""
    images, labels = collection()
    images[images > 0] = 80
    rng = np.random.default_rng(1)
    hand = digit_hands(images, labels)(rng)
    for digit in "0123456789":
        layer = np.zeros((160, 140), np.float32)
        hand.write(layer, Box(20, 20, 120, 140), digit, rng)
        rows = np.flatnonzero((layer > 0.5).any(axis=1))
        assert np.array_equal(rows, np.arange(rows[0], rows[-1] + 1))


def test_a_digit_that_nobody_wrote() -> None:
    """Collections that cannot fill every box are refused."""
    images, labels = collection()
    with pytest.raises(InputFileError, match="lack one of 0 to 9"):
        digit_hands(images[labels != 4], labels[labels != 4])
    with pytest.raises(InputFileError, match="no writer wrote all ten"):
        digit_hands(images, labels, np.arange(len(labels)))
