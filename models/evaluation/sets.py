"""What networks are measured on: MNIST's test half, other people's digits, and what is no digit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.dataset import Digits, read_arrays
from models.labelled import normalize_set
from models.samples import DIGITS, Samples, as_samples, draw_one_negative
from pipeline.errors import ModelError
from pipeline.normalize import SIDE

NEGATIVES = 4000
OTHER_SETS: Mapping[str, str] = {
    "usps_test": "usps/usps_test.npz",
    "optdigits": "optdigits/optdigits_windep.npz",
    "nsysu_digits": "nsysu_digits/nsysu_digits.npz",
}
"""Digits by other people: their files below the data folder."""


def gather_sets(test: Digits, data: Path | None) -> dict[str, Samples]:
    """Gather what to measure on: MNIST's test half, other people's digits, drawn negatives.

    Args:
        test: MNIST's test half.
        data: Folder that may hold the sets of `OTHER_SETS`; None for none of them.
    """
    sets = {"mnist_test": as_samples(test)} | read_other_sets(data)
    return sets | {"negatives": make_negatives(test, NEGATIVES, seed=271828)}


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
        ModelError: If the file is damaged, or holds anything else.
    """
    stored = read_arrays(path)
    if missing := {"images", "labels"} - set(stored):
        raise ModelError(f"{path} has no {' and no '.join(missing)}; fetch it again.")
    images, labels = stored["images"], stored["labels"]
    if len(images) != len(labels):
        raise ModelError(
            f"{path} has {len(images)} images and {len(labels)} labels; fetch it again."
        )
    if not np.isin(labels, range(len(DIGITS))).all():
        raise ModelError(f"{path} has labels that are not 0 to 9; leave such samples out.")
    return Samples(normalize_set(images)[..., None], labels.astype(np.uint8))


def make_negatives(digits: Digits, count: int, seed: int) -> Samples:
    """Draw what is no digit, by hands of its own; the digits are parts of some of them."""
    rng = np.random.default_rng(seed)
    made = [draw_one_negative(digits, rng) for _ in range(count)]
    images = np.stack([image for image, _ in made]).reshape(-1, SIDE, SIDE, 1)
    return Samples(images, np.array([label for _, label in made], np.uint8))
