"""Recognising: one call for all boxes, in their order, and blank paper stays blank."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.classifier import load_classifier
from pipeline.authoring.pen import Writer, draw
from pipeline.recognize import recognize
from pipeline.records import BoxCrop, Floats, ModelCard

CLASSES = "0123456789_X#"
EMPTY = np.zeros((1, 1), np.float32)


def card() -> ModelCard:
    """Give the card of a network that does not exist."""
    return ModelCard("counting", "", (28, 28, 1), CLASSES, 1.0, 0.9, {}, "")


@dataclass
class InkCounter:
    """Tells a box by its inked pixels alone: a class for every 20 of them."""

    card: ModelCard = field(default_factory=card)
    sure: float = 0.999
    batches: list[NDArray[np.uint8]] = field(default_factory=list)

    def probabilities(self, batch: NDArray[np.uint8]) -> Floats:
        """Answer, and keep what was asked."""
        self.batches.append(batch)
        amounts = (batch > 0).sum(axis=(1, 2, 3)) // 20 % len(CLASSES)
        rest = (1 - self.sure) / (len(CLASSES) - 1)
        rows = np.full((len(batch), len(CLASSES)), rest, np.float32)
        rows[np.arange(len(batch)), amounts] = self.sure
        return rows


def bar(width: int) -> Floats:
    """A bar 20 high that is `width` wide after normalising: 20 pixels a column."""
    return np.ones((20, width), np.float32)


def crops(inks: list[Floats]) -> list[BoxCrop]:
    """Take pieces of ink for the boxes of a field."""
    return [BoxCrop("code", place, ink) for place, ink in enumerate(inks)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=30))
def test_readings_are_in_the_order_of_the_boxes(widths: list[int]) -> None:
    """One call of the network for the whole batch, and each box gets its own answer."""
    network = InkCounter()
    boxes = crops([bar(width) if width else EMPTY for width in widths])
    readings = recognize(boxes, network)
    assert [reading.position for reading in readings] == list(range(len(widths)))
    found = [reading.ranked()[0][0] for reading in readings]
    assert found == [CLASSES[width] if width else "_" for width in widths]
    assert len(network.batches) == any(widths)


def test_blank_boxes_do_not_go_through_the_network() -> None:
    """A box without ink is surely blank, and costs nothing."""
    network = InkCounter()
    readings = recognize(crops([EMPTY, bar(3), EMPTY, bar(4)]), network)
    assert [batch.shape for batch in network.batches] == [(2, 28, 28, 1)]
    assert readings[0].ranked()[0] == ("_", 1.0)
    assert readings[2].ranked()[0] == ("_", 1.0)


@pytest.mark.parametrize("count", [0, 5])
def test_a_blank_batch_needs_no_network(count: int) -> None:
    """Nothing to read is no error."""
    network = InkCounter()
    assert len(recognize(crops([EMPTY] * count), network)) == count
    assert not network.batches


def test_an_unsure_box_is_looked_at_again() -> None:
    """Half a pixel aside to both sides, and the mean counts; a sure one only once."""
    unsure, sure = InkCounter(sure=0.9), InkCounter()
    readings = recognize(crops([EMPTY, bar(4)]), unsure)
    recognize(crops([EMPTY, bar(4)]), sure)
    assert len(sure.batches) == 1
    first, again = unsure.batches
    assert again.shape == (2, 28, 28, 1)
    for seen in again:
        assert float(seen.sum()) == pytest.approx(float(first[0].sum()), rel=0.01)
    centres = [np.argwhere(seen[..., 0]).mean(axis=0) for seen in (*again, first[0])]
    assert centres[0] - centres[2] == pytest.approx(-(centres[1] - centres[2]))
    assert np.abs(centres[0] - centres[2]) == pytest.approx([0.5, 0.5])
    expected = InkCounter(sure=0.9).probabilities(np.concatenate([first, again])).mean(axis=0)
    assert readings[1].probabilities == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("width", "least", "most"), [(1, 0.75, 0.82), (8, 0.99, 1)])
def test_a_doubt_is_that_of_what_is_read(width: int, least: float, most: float) -> None:
    """A stroke may be missing from a 1, and nothing is from an 8."""
    box = BoxCrop("code", 0, bar(width), doubtful=True)
    (reading,) = recognize([box], InkCounter(), {"1": 0.2, "8": 0.001})
    assert reading.ranked()[0][0] == str(width)
    assert least < reading.ranked()[0][1] < most
    assert reading.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_the_committed_network_reads_what_a_pen_wrote() -> None:
    """Clean digits of twenty hands are nearly all read, and rows are probabilities."""
    rng = np.random.default_rng(8)
    text = "0123456789" * 20
    hands = [Writer.random(rng) for _ in range(20)]
    inks = [draw(hands[place // 10], digit, rng) for place, digit in enumerate(text)]
    readings = recognize(crops(inks), load_classifier())
    right = [reading.ranked()[0][0] == digit for reading, digit in zip(readings, text, strict=True)]
    assert np.mean(right) > 0.9
    for reading in readings:
        assert reading.probabilities.sum() == pytest.approx(1, abs=1e-4)
        assert (reading.probabilities >= 0).all()
