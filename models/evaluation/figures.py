"""What a network made of a set of samples, and the figures that say how good that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.calibrate import calibration_error, confidence_and_right
from models.samples import CLASSES, DIGITS, Samples
from pipeline.records import Floats, GreyImage, Mark, ModelCard
from pipeline.score import risk_coverage_area

Figures = dict[str, float]
COLUMNS: Mapping[str, str] = {
    "right %": "accuracy",
    "no digit %": "false_not_a_digit",
    "false digit %": "false_digit",
    "accepted %": "accepted",
    "wrong of it %": "wrong_accepted",
    "ECE %": "calibration_error",
    "AURC %": "risk_coverage_area",
}
"""What a terminal shows, and the figure that it is."""
MARK_NAMES: Mapping[str, str] = {
    Mark.BLANK: "blank",
    Mark.STRUCK: "struck",
    Mark.ILLEGIBLE: "illegible",
}


class Classifier(Protocol):
    """What can be measured."""

    card: ModelCard

    def probabilities(self, batch: GreyImage) -> Floats:
        """Give calibrated probabilities float32 (N, classes) for uint8 (N, 28, 28, 1)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a network made of a set of samples, one row each."""

    images: GreyImage
    """uint8 (N, 28, 28, 1), ink high."""
    labels: NDArray[np.uint8]
    """uint8 (N,), places in `CLASSES`."""
    probabilities: Floats
    """float32 (N, classes), calibrated; the network's classes are the first of `CLASSES`."""
    places: tuple[str, ...] = ()
    """Where each sample is found, for people; empty where that means nothing."""
    unread: int = 0
    """Boxes that could not be read at all: neither right nor accepted."""

    @property
    def read(self) -> NDArray[np.intp]:
        """Give the likeliest class of each sample, as its place in `CLASSES`."""
        return np.asarray(self.probabilities.argmax(axis=1))


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How well one class is told from all others; None where there is nothing to divide by."""

    name: str
    count: int
    precision: float | None
    """Share of what was read as this class that is of it."""
    recall: float | None
    """Share of what is of this class that was read as it."""


def class_name(character: str) -> str:
    """Name a class for people: a digit is its own name."""
    return MARK_NAMES.get(character, character)


def look_at(classifier: Classifier, samples: Samples) -> Outcome:
    """Let a network read samples."""
    read = classifier.probabilities(samples.images)
    return Outcome(samples.images, samples.labels, read)


def evaluate(classifier: Classifier, sets: Mapping[str, Samples]) -> dict[str, Figures]:
    """Measure a network on sets of samples; for each the figures of `measure`."""
    accept = classifier.card.accept_confidence
    return {name: measure(look_at(classifier, samples), accept) for name, samples in sets.items()}


def measure(outcome: Outcome, accept_confidence: float) -> Figures:
    """Give a set's figures, all shares of 1.

    Returns:
        samples: how many; accuracy; false_not_a_digit: digits taken for something else;
        false_digit: no digits, read as an accepted digit; calibration_error; accepted: share at
        or above the accept confidence; wrong_accepted: share of these that is wrong;
        risk_coverage_area.
    """
    confidence, right = confidence_and_right(outcome.probabilities, outcome.labels)
    accepted = confidence >= accept_confidence
    read_as_digit = outcome.read < len(DIGITS)
    is_digit = outcome.labels < len(DIGITS)
    count = len(outcome.labels) + outcome.unread
    return {
        "samples": count,
        "accuracy": _ratio(right.sum(), count),
        "false_not_a_digit": _share(~read_as_digit, is_digit),
        "false_digit": _share(read_as_digit & accepted, ~is_digit),
        "calibration_error": round(calibration_error(outcome.probabilities, outcome.labels), 5),
        "accepted": _ratio(accepted.sum(), count),
        "wrong_accepted": _share(right == 0, accepted),
        "risk_coverage_area": round(risk_coverage_area(confidence, right > 0), 6),
    }


def _share(which: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return _ratio(which[among].sum(), among.sum())


def _ratio(part: float, whole: float) -> float:
    return round(float(part / whole), 5) if whole else 0.0


def count_confusions(outcome: Outcome) -> NDArray[np.int64]:
    """Count what was read as what: int64 (classes of `CLASSES`, the same), true by read."""
    pairs = outcome.labels.astype(np.intp) * len(CLASSES) + outcome.read
    counts = np.bincount(pairs, minlength=len(CLASSES) ** 2)
    return counts.reshape(len(CLASSES), len(CLASSES))


def measure_classes(confusions: NDArray[np.int64]) -> list[ClassFigures]:
    """Give precision and recall of each class that is there or was read."""
    true, read = confusions.sum(axis=1), confusions.sum(axis=0)
    return [
        ClassFigures(
            name,
            int(true[place]),
            float(confusions[place, place] / read[place]) if read[place] else None,
            float(confusions[place, place] / true[place]) if true[place] else None,
        )
        for place, name in enumerate(CLASSES)
        if true[place] or read[place]
    ]


def rows(figures: Mapping[str, Figures]) -> list[tuple[str, ...]]:
    """Lay figures out as set, samples and `COLUMNS`, a row a set; shares in percent."""
    return [
        (name, f"{row['samples']:.0f}", *(f"{100 * row[key]:.2f}" for key in COLUMNS.values()))
        for name, row in figures.items()
    ]
