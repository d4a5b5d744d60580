"""Make a probability of 0.98 mean right in 98 of 100, and find from where on to accept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from pipeline.records import Floats, Mark

BINS = 15
SHARES_ON_FORMS: Mapping[str, float] = {Mark.BLANK: 0.01, Mark.STRUCK: 0.02, Mark.ILLEGIBLE: 0.01}
"""Of boxes that hold ink; guesses on the high side, since few boxes of real forms are marks.

Training shows them more often, so that the network learns them; left at that, real digits of
unusual shape are called illegible. Smaller shares read a few more digits, and accept more letters
and fragments as digits.
"""
STEADYING = 1e-6
"""Holds the bias of a mark that has no samples."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How logits become probabilities: softmax(logits / temperature + biases)."""

    temperature: float
    biases: tuple[float, ...]


def fit_calibration(
    logits: Floats, labels: NDArray[np.uint8], weights: NDArray[np.float64], classes: str
) -> Calibration:
    """Find the temperature and the marks' biases under which held-out labels are most probable.

    The biases bring the shares of the marks in training to those that the weights stand for,
    whatever they were: fitted to a network that was corrected before, they come out as 0. Digits
    have none: on other people's digits, biases or temperatures of their own were less probable.

    Source: bias-corrected temperature scaling, Alexandari, Kundaje and Shrikumar, "Maximum
    likelihood with bias-corrected calibration is hard-to-beat at label shift adaptation", ICML
    2020; the temperature is that of Guo, Pleiss, Sun and Weinberger, "On calibration of modern
    neural networks", ICML 2017, section 4.2.

    Args:
        logits: float32 (N, classes), of samples that the network has not learned from.
        labels: uint8 (N,), the right classes.
        weights: float64 (N,), how much each sample counts; see `weigh_as_forms`.
        classes: One character a class, as in `raw`.
    """
    logits, weights = logits.astype(np.float64), weights / weights.sum()
    marks = np.flatnonzero([name in SHARES_ON_FORMS for name in classes])
    rows = np.arange(len(labels))

    def biases(found: NDArray[np.float64]) -> NDArray[np.float64]:
        spread = np.zeros(len(classes))
        spread[marks] = found[1:]
        return spread

    def loss(found: NDArray[np.float64]) -> float:
        likely = log_softmax(logits * np.exp(-found[0]) + biases(found), axis=1)
        return float(-weights @ likely[rows, labels] + STEADYING * found[1:] @ found[1:])

    found = minimize(loss, np.zeros(1 + len(marks)), method="L-BFGS-B").x
    return Calibration(round(float(np.exp(found[0])), 4), tuple(map(float, biases(found).round(4))))


def weigh_as_forms(labels: NDArray[np.uint8], classes: str) -> NDArray[np.float64]:
    """Weigh samples so that each mark has the share of `SHARES_ON_FORMS`, and digits the rest.

    Args:
        labels: uint8 (N,), places in `classes`.
        classes: One character a class, as in `raw`.

    Returns:
        float64 (N,), each digit the same; 1 throughout where there are digits only.
    """
    weights = np.ones(len(labels))
    marks = {mark: labels == place for place, mark in enumerate(classes) if mark in SHARES_ON_FORMS}
    shares = {mark: SHARES_ON_FORMS[mark] for mark, chosen in marks.items() if chosen.any()}
    for mark, share in shares.items():
        digits = len(labels) - sum(int(chosen.sum()) for chosen in marks.values())
        weights[marks[mark]] = share * digits / (1 - sum(shares.values())) / marks[mark].sum()
    return weights


def calibration_error(probabilities: Floats, labels: NDArray[np.uint8]) -> float:
    """Measure how far confidence and accuracy lie apart (ECE, 15 bins of equal width).

    Source: Guo et al. 2017, equation 3.
    """
    confidence, right = confidence_and_right(probabilities, labels)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / max(1, len(labels)))


def accept_threshold(probabilities: Floats, labels: NDArray[np.uint8], most_wrong: float) -> float:
    """Find the confidence from which on the most is accepted with few enough errors.

    Args:
        probabilities: float32 (N, classes), calibrated.
        labels: uint8 (N,), the right classes.
        most_wrong: Share of the accepted that may be wrong.

    Returns:
        The lowest confidence at or above which at most that share is wrong; 1 where even the
        surest are wrong more often.
    """
    confidence, right = confidence_and_right(probabilities, labels)
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(1 - right[order])
    tolerable = np.flatnonzero(wrong <= most_wrong * np.arange(1, len(order) + 1))
    return float(confidence[order[tolerable[-1]]]) if tolerable.size else 1.0


def confidence_and_right(
    probabilities: Floats, labels: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give each sample's highest probability, and 1 where its class is the right one, else 0."""
    right = probabilities.argmax(axis=1) == labels
    return probabilities.max(axis=1).astype(np.float64), right.astype(np.float64)
