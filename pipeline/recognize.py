"""Crops and a classifier to readings: all boxes of a batch in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.acceptance import DOUBT
from pipeline.normalize import normalize_all
from pipeline.records import BoxCrop, BoxReading, Floats, Mark, ModelCard


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
    crops: Sequence[BoxCrop], classifier: Classifier, doubt: float = DOUBT
) -> list[BoxReading]:
    """Read every crop; one without ink is blank, and does not go through the network.

    Args:
        crops: The boxes.
        classifier: What reads them.
        doubt: How often a box is misread where a stroke may have gone with the frame: there the
            network's own probability says nothing.
    """
    classes = classifier.card.classes
    batch = normalize_all([crop.ink for crop in crops])[..., None]
    inked = batch.any(axis=(1, 2, 3))
    probabilities = np.zeros((len(crops), len(classes)), np.float32)
    probabilities[:, classes.index(Mark.BLANK)] = 1.0
    if inked.any():
        probabilities[inked] = classifier.probabilities(batch[inked])
    doubtful = np.array([crop.doubtful for crop in crops], bool)
    probabilities[doubtful] *= 1 - doubt
    probabilities[doubtful] += doubt / len(classes)
    return [
        BoxReading(crop.field, crop.position, classes, row, image[:, :, 0])
        for crop, row, image in zip(crops, probabilities, batch, strict=True)
    ]
