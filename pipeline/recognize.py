"""Crops and a classifier to readings: all boxes of a batch in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.acceptance import DOUBT
from pipeline.normalize import fit_all
from pipeline.records import BoxCrop, BoxReading, Floats, GreyImage, Mark, ModelCard
from pipeline.surroundings import show_around

UNSURE = 0.995
"""Boxes that the network is less sure of are looked at again: one in ten."""


class Classifier(Protocol):
    """A network with its card; `models.classifier` has one that needs no TensorFlow."""

    @property
    def card(self) -> ModelCard:
        """What the network is."""

    def probabilities(self, batch: NDArray[np.uint8]) -> Floats:
        """Read normalised boxes.

        Args:
            batch: uint8 of shape (N, 28, 28, 1), ink high.

        Returns:
            float32 of shape (N, classes), calibrated, rows sum to 1.
        """


def recognize(
    crops: Sequence[BoxCrop], classifier: Classifier, doubts: Mapping[str, float] | None = None
) -> list[BoxReading]:
    """Read every crop; one without ink is blank, and does not go through the network.

    Args:
        crops: The boxes.
        classifier: What reads them.
        doubts: For each class how often a box is read so wrongly where a stroke may have gone
            with the frame: there the network's own probability says nothing. `DOUBT` for those
            left out.
    """
    classes = classifier.card.classes
    fitted = fit_all([crop.ink for crop in crops])
    probabilities = read_seen(show_around(fitted, crops), classifier)
    doubtful = np.array([crop.doubtful for crop in crops], bool)
    add_doubt(probabilities, doubtful, classes, doubts or {})
    return [
        BoxReading(crop.field, crop.position, classes, row, image)
        for crop, row, image in zip(crops, probabilities, fitted.images, strict=True)
    ]


def read_seen(seen: GreyImage, classifier: Classifier) -> Floats:
    """Read boxes as `show_around` gives them, uint8 (N, 28, 28): (N, classes); empty is blank."""
    classes = classifier.card.classes
    inked = seen.any(axis=(1, 2))
    probabilities = np.zeros((len(seen), len(classes)), np.float32)
    probabilities[:, classes.index(Mark.BLANK)] = 1.0
    if inked.any():
        probabilities[inked] = _read(seen[inked, :, :, None], classifier)
    return probabilities


def _read(batch: GreyImage, classifier: Classifier) -> Floats:
    """Read boxes, those that are unsure three times.

    Half a pixel aside, edges and faults fall otherwise on the network's grid than the digit does.
    On simulated pages the mean of the three is wrong in a fifth fewer boxes.
    """
    first = classifier.probabilities(batch)
    unsure = np.flatnonzero(first.max(axis=1) < UNSURE)
    if unsure.size:
        aside = np.concatenate([_half_aside(batch[unsure]), _half_aside(batch[unsure], -1)])
        again = classifier.probabilities(aside).reshape(2, unsure.size, -1)
        first[unsure] = (first[unsure] + again[0] + again[1]) / 3
    return first


def _half_aside(batch: GreyImage, step: int = 1) -> GreyImage:
    """Move boxes (N, 28, 28, 1) by half a pixel right and up, or left and down."""
    padded = np.pad(batch, ((0, 0), (1, 1), (1, 1), (0, 0))).astype(np.uint16)
    side = batch.shape[1]
    here, there = slice(1, side + 1), slice(1 + step, side + 1 + step)
    beside = slice(1 - step, side + 1 - step)
    total = padded[:, here, here] + padded[:, here, beside]
    total += padded[:, there, here] + padded[:, there, beside]
    return np.asarray((total + 2) // 4, np.uint8)


def add_doubt(
    probabilities: Floats,
    doubtful: NDArray[np.bool_],
    classes: str,
    doubts: Mapping[str, float],
) -> None:
    """Give a share of the probability of doubtful boxes to all classes alike, in place.

    Args:
        probabilities: (N, classes).
        doubtful: Which boxes, (N,).
        classes: Their names.
        doubts: The share, by the class that a box is read as; see `recognize`.
    """
    shares = np.array([doubts.get(name, DOUBT) for name in classes], np.float32)
    share = shares[probabilities[doubtful].argmax(axis=1)][:, None]
    probabilities[doubtful] *= 1 - share
    probabilities[doubtful] += share / len(classes)
