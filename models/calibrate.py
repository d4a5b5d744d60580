"""Make a probability of 0.98 mean right in 98 of 100, and find from where on to accept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from pipeline.records import Floats

BINS = 15


def fit_temperature(logits: Floats, labels: NDArray[np.uint8]) -> float:
    """Find the one divisor of all logits under which held-out labels are most probable.

    Source: Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017,
    section 4.2.

    Args:
        logits: float32 (N, classes), of samples that the network has not learned from.
        labels: uint8 (N,), the right classes.

    Returns:
        The temperature, between 0.05 and 20.
    """

    def loss(log_temperature: float) -> float:
        likely = log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        return float(-np.take_along_axis(likely, labels[:, None].astype(np.intp), axis=1).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


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
