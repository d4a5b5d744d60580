"""How well a network reads: MNIST's test half, other people's digits, and what is no digit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from models.calibrate import calibration_error, confidence_and_right
from models.dataset import Digits, load_mnist, read_arrays
from models.samples import Samples, as_ink, as_samples, draw_one_negative
from models.scanning import drop_specks
from pipeline.errors import ModelError
from pipeline.normalize import SIDE, normalize
from pipeline.records import Floats, GreyImage, ModelCard

Figures = dict[str, float]

DIGITS = 10
NEGATIVES = 4000
OTHER_SETS: Mapping[str, str] = {
    "usps_test": "usps/usps_test.npz",
    "optdigits": "optdigits/optdigits_windep.npz",
    "nsysu_digits": "nsysu_digits/nsysu_digits.npz",
}
"""Digits by other people: their files below the data folder."""
PAPER = 0.1
"""Share of the darkest ink up to which a pixel is paper. With 0.3, NSYSU's thin strokes break, and
3 % more of them are misread."""


class Classifier(Protocol):
    """What can be measured."""

    card: ModelCard

    def probabilities(self, batch: GreyImage) -> Floats:
        """Give calibrated probabilities float32 (N, classes) for uint8 (N, 28, 28, 1)."""
        ...


def evaluate_network(data: Path | None, classifier: Classifier) -> dict[str, Figures]:
    """Measure a network on MNIST's test half and every other set in the data folder."""
    return evaluate(classifier, gather_sets(load_mnist(data)[1], data))


def evaluate(classifier: Classifier, sets: Mapping[str, Samples]) -> dict[str, Figures]:
    """Measure a network on sets of samples; for each the figures of `measure`."""
    accept = classifier.card.accept_confidence
    return {
        name: measure(classifier.probabilities(samples.images), samples.labels, accept)
        for name, samples in sets.items()
    }


def gather_sets(test: Digits, data: Path | None) -> dict[str, Samples]:
    """Gather what to measure on: MNIST's test half, other people's digits, drawn negatives.

    Args:
        test: MNIST's test half.
        data: Folder that may hold the sets of `OTHER_SETS`; None for none of them.
    """
    sets = {"mnist_test": as_samples(test)} | read_other_sets(data)
    return sets | {"negatives": make_negatives(test, NEGATIVES, seed=271828)}


def measure(probabilities: Floats, labels: NDArray[np.uint8], accept_confidence: float) -> Figures:
    """Give a set's figures, all shares of 1.

    Returns:
        samples: how many; accuracy; false_not_a_digit: digits taken for something else;
        false_digit: no digits, read as an accepted digit; calibration_error; accepted: share at
        or above the accept confidence; wrong_accepted: share of these that is wrong.
    """
    confidence, right = confidence_and_right(probabilities, labels)
    accepted = confidence >= accept_confidence
    read_as_digit = probabilities.argmax(axis=1) < DIGITS
    is_digit = labels < DIGITS
    return {
        "samples": len(labels),
        "accuracy": _share(right > 0, is_digit | ~is_digit),
        "false_not_a_digit": _share(~read_as_digit, is_digit),
        "false_digit": _share(read_as_digit & accepted, ~is_digit),
        "calibration_error": round(calibration_error(probabilities, labels), 5),
        "accepted": _share(accepted, is_digit | ~is_digit),
        "wrong_accepted": _share(right == 0, accepted),
    }


def _share(which: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return round(float(which[among].mean()), 5) if among.any() else 0.0


def read_other_sets(data: Path | None) -> dict[str, Samples]:
    """Read the other sets of digits that the data folder holds, each through `normalize`."""
    if data is None:
        return {}
    return {
        name: read_digit_set(data / file)
        for name, file in OTHER_SETS.items()
        if (data / file).is_file()
    }


def read_digit_set(path: Path) -> Samples:
    """Read an .npz of `images` uint8 (N, h, w), ink high, and `labels` (N,).

    Raises:
        ModelError: If the file is damaged.
    """
    stored = read_arrays(path)
    images, labels = stored["images"], stored["labels"]
    if len(images) != len(labels):
        raise ModelError(f"{path} has {len(images)} images and {len(labels)} labels.")
    made = [normalize(_clean(as_ink(image))) for image in images]
    return Samples(np.stack(made).reshape(-1, SIDE, SIDE, 1), labels.astype(np.uint8))


def _clean(ink: Floats) -> Floats:
    kept = np.where(ink > PAPER * ink.max(), ink, 0).astype(np.float32)
    return drop_specks(kept)


def make_negatives(digits: Digits, count: int, seed: int) -> Samples:
    """Draw what is no digit, by hands of its own; the digits are parts of some of them."""
    rng = np.random.default_rng(seed)
    made = [draw_one_negative(digits, rng) for _ in range(count)]
    images = np.stack([image for image, _ in made]).reshape(-1, SIDE, SIDE, 1)
    return Samples(images, np.array([label for _, label in made], np.uint8))


def table(figures: Mapping[str, Figures]) -> Table:
    """Lay figures out for the terminal, a row a set."""
    columns = list(next(iter(figures.values())))
    laid_out = Table("set", *(name.replace("_", " ") for name in columns))
    for name, row in figures.items():
        shares = [f"{100 * row[column]:.2f} %" for column in columns[1:]]
        laid_out.add_row(name, f"{row['samples']:.0f}", *shares)
    return laid_out
