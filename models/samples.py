"""Samples to learn from: digits as pens, frames and scanners leave them, and what is no digit.

Each batch follows from the seed, the epoch and its number alone, so that a training run can be
repeated, and taken up again in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.augment import augment, bend, degrade
from models.dataset import Digits
from models.negatives import draw_negative
from pipeline.authoring.pen import Writer, draw
from pipeline.normalize import SIDE
from pipeline.records import Floats, GreyImage, Mark

DIGITS = "0123456789"
CLASSES = DIGITS + Mark.BLANK + Mark.STRUCK + Mark.ILLEGIBLE
"""What may be in a box, one character each, as in `raw`."""
BATCH = 256
SIMULATED_SHARE = 0.14
SIMULATED_DIGITS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 4, 7, 9)
"""Those whose shape differs most from country to country are drawn twice as often."""
NEGATIVE_SHARE = 0.14

Labels = NDArray[np.uint8]


class Recipe(StrEnum):
    """What a network learns from."""

    PLAIN = "plain"
    """Digits as they are, lightly bent."""
    FORMS = "forms"
    """Digits and what is no digit, as pens, frames and scanners leave them in a box."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Normalised samples: images uint8 (N, 28, 28, 1); labels uint8 (N,), places in CLASSES."""

    images: GreyImage
    labels: Labels
    beliefs: Floats | None = None
    """What teachers take them for: float32 (N, classes), rows summing to 1; None without any."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: NDArray[np.int64]) -> Samples:
        """Give the samples at these places."""
        beliefs = None if self.beliefs is None else self.beliefs[chosen]
        return Samples(self.images[chosen], self.labels[chosen], beliefs)


def as_samples(digits: Digits) -> Samples:
    """Give digits as they are, in the network's shape."""
    return Samples(digits.images[..., None], digits.labels)


def make_batch(digits: Digits, recipe: Recipe, seed: int, epoch: int, number: int) -> Samples:
    """Make one training batch: digits as the recipe wants them, for forms with drawn negatives.

    Args:
        digits: What the real ones are taken from, each at most once an epoch.
        recipe: What the network learns from.
        seed: Of the whole training.
        epoch: From 0.
        number: Of the batch in its epoch, from 0.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(digits))
    chosen = order[number * BATCH : (number + 1) * BATCH]
    rng = np.random.default_rng([seed, epoch, number])
    make = _RECIPES[recipe]
    return _stack([make(digits, int(place), rng) for place in chosen])


def batches_an_epoch(digits: Digits) -> int:
    """Count the full batches in these digits, at least one."""
    return max(1, len(digits) // BATCH)


def make_held_out(digits: Digits, recipe: Recipe, seed: int) -> Samples:
    """Make samples to calibrate and validate on: each digit degraded, and drawn negatives.

    The negatives come in the share that training has; a network that knows digits only gets none.
    """
    rng = np.random.default_rng([seed, 0x0DD])
    negatives = round(len(digits) * NEGATIVE_SHARE) if recipe is Recipe.FORMS else 0
    made = [_degrade_one(digits, place, rng) for place in range(len(digits))]
    made += [draw_one_negative(digits, rng) for _ in range(negatives)]
    return _stack(made)


def _stack(made: list[tuple[GreyImage, int]]) -> Samples:
    images = np.stack([image for image, _ in made]).reshape(-1, SIDE, SIDE, 1)
    return Samples(images, np.array([label for _, label in made], np.uint8))


def _make_plain(digits: Digits, place: int, rng: Generator) -> tuple[GreyImage, int]:
    return bend(as_ink(digits.images[place]), rng), int(digits.labels[place])


def _make_for_forms(digits: Digits, place: int, rng: Generator) -> tuple[GreyImage, int]:
    kind = rng.random()
    if kind < NEGATIVE_SHARE:
        return draw_one_negative(digits, rng)
    neighbour = any_digit(digits, rng)
    if kind < NEGATIVE_SHARE + SIMULATED_SHARE:
        label = int(rng.choice(SIMULATED_DIGITS))
        return augment(draw(Writer.random(rng), str(label), rng), neighbour, rng), label
    return augment(as_ink(digits.images[place]), neighbour, rng), int(digits.labels[place])


_RECIPES = {Recipe.PLAIN: _make_plain, Recipe.FORMS: _make_for_forms}


def _degrade_one(digits: Digits, place: int, rng: Generator) -> tuple[GreyImage, int]:
    ink = as_ink(digits.images[place])
    return degrade(ink, any_digit(digits, rng), rng), int(digits.labels[place])


def draw_one_negative(digits: Digits, rng: Generator) -> tuple[GreyImage, int]:
    """Draw what is no digit, with its label; real digits are only parts of it."""
    image, mark = draw_negative(rng, lambda: any_digit(digits, rng))
    return image, CLASSES.index(mark)


def any_digit(digits: Digits, rng: Generator) -> Floats:
    """Take a digit at random, as ink."""
    return as_ink(digits.images[rng.integers(len(digits))])


def as_ink(image: GreyImage) -> Floats:
    """Turn uint8 with ink high into float32 from 0 to 1."""
    return np.asarray(image, np.float32) / np.float32(255)
