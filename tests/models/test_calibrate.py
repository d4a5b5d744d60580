"""What must hold of calibration: it finds the temperature that made the labels."""

import numpy as np
import pytest

from models.calibrate import accept_threshold, calibration_error, fit_temperature
from models.classifier import softmax


@pytest.fixture
def drawn():
    """Logits whose labels are drawn from their own probabilities."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (8000, 13)).astype(np.float32)
    labels = [rng.choice(13, p=row / row.sum()) for row in softmax(logits, 1.0).astype(float)]
    return logits, np.array(labels, np.uint8)


@pytest.mark.parametrize("overconfidence", [0.5, 1.0, 4.0])
def test_the_temperature_undoes_overconfidence(drawn, overconfidence):
    """Logits made too large by a factor get that factor as their temperature."""
    logits, labels = drawn
    found = fit_temperature(logits * np.float32(overconfidence), labels)
    assert found == pytest.approx(overconfidence, rel=0.05)


def test_the_error_tells_calibrated_from_overconfident(drawn):
    """Probabilities that made the labels have next to no error, sharper ones have much."""
    logits, labels = drawn
    assert calibration_error(softmax(logits, 1.0), labels) < 0.03
    assert calibration_error(softmax(logits, 0.3), labels) > 0.1


@pytest.mark.parametrize("most_wrong", [0.01, 0.1, 0.3])
def test_what_is_accepted_is_right_often_enough(drawn, most_wrong):
    """At or above the threshold no larger share is wrong, and a larger allowance accepts more."""
    logits, labels = drawn
    probabilities = softmax(logits, 1.0)
    threshold = accept_threshold(probabilities, labels, most_wrong)
    accepted = probabilities.max(axis=1) >= threshold
    wrong = probabilities.argmax(axis=1) != labels
    assert accepted.any()
    assert wrong[accepted].mean() <= most_wrong
    assert threshold <= accept_threshold(probabilities, labels, most_wrong / 5)


def test_nothing_is_accepted_where_the_surest_are_wrong():
    """The threshold is then 1."""
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2]], np.float32)
    assert accept_threshold(probabilities, np.array([1, 1], np.uint8), 0.01) == 1.0
