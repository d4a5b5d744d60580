"""What must hold of figures: each says what its name says."""

import numpy as np
import pytest

from models.evaluation.figures import (
    COLUMNS,
    Outcome,
    count_confusions,
    measure,
    measure_classes,
    rows,
)

STRUCK = 11


def made_up(labels, read, classes=13):
    """An outcome of which is known what was read, and how surely."""
    probabilities = np.zeros((len(labels), classes), np.float32)
    for row, (place, confidence) in zip(probabilities, read, strict=True):
        row[:] = (1 - confidence) / (classes - 1)
        row[place] = confidence
    images = np.zeros((len(labels), 28, 28, 1), np.uint8)
    return Outcome(images, np.array(labels, np.uint8), probabilities)


@pytest.fixture
def outcome():
    """Four digits, one of them taken for a mark and one misread; two marks, one accepted as a 3."""
    read = [(0, 0.99), (1, 0.99), (5, 0.6), (STRUCK, 0.7), (STRUCK, 0.99), (3, 0.99)]
    return made_up([0, 1, 2, 3, STRUCK, STRUCK], read)


def test_figures_are_counted_right(outcome):
    """Each share is of what its name says."""
    figures = measure(outcome, accept_confidence=0.9)
    assert figures["samples"] == 6
    assert figures["accuracy"] == pytest.approx(3 / 6)
    assert figures["false_not_a_digit"] == pytest.approx(1 / 4)
    assert figures["false_digit"] == pytest.approx(1 / 2)
    assert figures["accepted"] == pytest.approx(4 / 6, abs=1e-4)
    assert figures["wrong_accepted"] == pytest.approx(1 / 4)


def test_boxes_that_could_not_be_read_are_wrong_and_not_accepted(outcome):
    """They lower accuracy and coverage, and are no silent errors."""
    unread = Outcome(outcome.images, outcome.labels, outcome.probabilities, unread=6)
    figures = measure(unread, accept_confidence=0.9)
    assert figures["samples"] == 12
    assert figures["accuracy"] == pytest.approx(3 / 12)
    assert figures["accepted"] == pytest.approx(4 / 12, abs=1e-4)
    assert figures["wrong_accepted"] == pytest.approx(1 / 4)


def test_classes_have_the_precision_and_recall_of_the_confusions(outcome):
    """Of two struck boxes one is found; of two boxes read as struck one is; nobody wrote a 5."""
    confusions = count_confusions(outcome)
    assert confusions.sum() == 6
    assert confusions[2, 5] == confusions[STRUCK, 3] == 1
    classes = {row.name: row for row in measure_classes(confusions)}
    assert (classes["X"].count, classes["X"].precision, classes["X"].recall) == (2, 0.5, 0.5)
    assert (classes["5"].count, classes["5"].precision, classes["5"].recall) == (0, 0.0, None)
    assert (classes["2"].precision, classes["2"].recall) == (None, 0.0)
    assert "7" not in classes


def test_a_network_that_knows_digits_only_is_measured_on_marks():
    """Whatever it accepts there is a false digit; none of it is right."""
    outcome = made_up([STRUCK, STRUCK], [(3, 0.99), (4, 0.5)], classes=10)
    figures = measure(outcome, accept_confidence=0.9)
    assert (figures["accuracy"], figures["false_digit"]) == (0, 0.5)
    assert count_confusions(outcome)[STRUCK, 3] == 1


def test_each_set_has_a_row(outcome):
    """For the terminal: as many cells as there are columns, shares in percent."""
    (row,) = rows({"usps_test": measure(outcome, 0.9)})
    assert len(row) == 2 + len(COLUMNS)
    assert row[:3] == ("usps_test", "6", "50.00")
