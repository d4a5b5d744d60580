"""What must hold of calibration: it finds what made the labels, and says how far off it is."""

import numpy as np
import pytest

from models.calibrate import (
    SHARES_ON_FORMS,
    accept_threshold,
    calibration_error,
    fit_calibration,
    weigh_as_forms,
)
from models.classifier import softmax
from models.samples import CLASSES, DIGITS


@pytest.fixture
def drawn():
    """Logits whose labels are drawn from their own probabilities."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (8000, 13)).astype(np.float32)
    labels = [rng.choice(13, p=row / row.sum()) for row in softmax(logits, 1.0).astype(float)]
    return logits, np.array(labels, np.uint8)


@pytest.mark.parametrize("overconfidence", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("preference", [(0, 0, 0), (1, -2, 0.5)])
def test_calibration_undoes_what_was_done(drawn, overconfidence, preference):
    """Logits too large by a factor, and marks preferred: the inverse of both is found."""
    logits, labels = drawn
    shifted = logits + np.array([0] * 10 + list(preference), np.float32)
    found = fit_calibration(shifted * overconfidence, labels, np.ones(len(labels)), CLASSES)
    assert found.temperature == pytest.approx(overconfidence, rel=0.05)
    assert found.biases[:10] == (0,) * 10
    assert found.biases[10:] == pytest.approx([-p for p in preference], abs=0.15)


def test_calibrating_again_changes_nothing(drawn):
    """What was calibrated before is right as it is: nothing is ever applied twice."""
    logits, labels = drawn
    weights = weigh_as_forms(labels, CLASSES)
    first = fit_calibration(logits, labels, weights, CLASSES)
    baked_in = (logits / first.temperature + np.array(first.biases)).astype(np.float32)
    again = fit_calibration(baked_in, labels, weights, CLASSES)
    assert again.temperature == pytest.approx(1, abs=0.01)
    assert again.biases == pytest.approx((0,) * 13, abs=0.02)


def test_marks_weigh_as_much_as_forms_have_of_them(drawn):
    """Whatever their share among the samples; digits weigh the same each."""
    labels = drawn[1]
    weights = weigh_as_forms(labels, CLASSES)
    for mark, share in SHARES_ON_FORMS.items():
        chosen = labels == CLASSES.index(mark)
        assert weights[chosen].sum() / weights.sum() == pytest.approx(share)
    assert np.ptp(weights[labels < 10]) == 0


def test_a_network_of_digits_gets_a_temperature_only(drawn):
    """There are no marks to weigh, nor biases to find."""
    logits, labels = drawn
    digits = labels < 10
    weights = weigh_as_forms(labels[digits], DIGITS)
    assert (weights == 1).all()
    found = fit_calibration(2 * logits[digits, :10], labels[digits], weights, DIGITS)
    assert found.temperature == pytest.approx(2, rel=0.05)
    assert found.biases == (0,) * 10


def test_a_mark_without_samples_does_no_harm(drawn):
    """Its bias stays finite, and the others are found."""
    logits, labels = drawn
    others = labels != 12
    found = fit_calibration(logits[others], labels[others], np.ones(others.sum()), CLASSES)
    assert np.isfinite(found.biases).all()
    assert found.temperature == pytest.approx(1, rel=0.1)


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
