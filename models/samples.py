"""Batches to learn from, made in a process of their own while the network learns.

Each batch follows from the seed, the epoch and its number alone, so that a training run can be
repeated, and taken up again in the middle.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.augment import augment, bend, degrade
from models.classifier import LiteRTClassifier, load_classifier
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
PREPARED_AHEAD = 12
USES = 2
"""How many epochs use what was made for one of them, moved a little and in another order: making a
sample takes a core about half as long as learning from it. Source: Choi, Passos, Shallue and Dahl,
"Faster neural network training with data echoing", 2019."""

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


class BatchMaker:
    """Makes training batches in another process, a few ahead of their use."""

    def __init__(
        self, digits: Digits, recipe: Recipe, seed: int, teachers: Sequence[Path] = ()
    ) -> None:
        self._count = batches_an_epoch(digits)
        self._seed = seed
        self._pool = ProcessPoolExecutor(
            1,
            get_context("spawn"),
            initializer=_start,
            initargs=(_Source(digits, recipe, seed, tuple(teachers)),),
        )
        self._made: dict[int, list[Samples]] = {}

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Samples]:
        """Give the batches of an epoch in order, from the number `first` on."""
        made_for = epoch - epoch % USES
        if epoch == made_for:
            self._made = {made_for: []}
            batches = self._make(made_for)
        else:
            batches = self._reorder(made_for, epoch)
        return islice(batches, first, None)

    def _make(self, epoch: int) -> Iterator[Samples]:
        waiting: deque[Future[Samples]] = deque()
        numbers = iter(range(self._count))
        for number in islice(numbers, PREPARED_AHEAD):
            waiting.append(self._pool.submit(_batch_here, epoch, number))
        while waiting:
            batch = waiting.popleft().result()
            self._made[epoch].append(batch)
            yield batch
            for number in islice(numbers, 1):
                waiting.append(self._pool.submit(_batch_here, epoch, number))

    def _reorder(self, made_for: int, epoch: int) -> Iterator[Samples]:
        if made_for not in self._made:
            self._made = {made_for: []}
            deque(self._make(made_for), maxlen=0)
        batches = self._made[made_for]
        together = _join(batches)
        rng = np.random.default_rng([self._seed, epoch])
        order = rng.permutation(len(together))
        for part in np.array_split(order, len(batches)):
            yield _jitter(together.take(part), rng)

    def __enter__(self) -> BatchMaker:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def _jitter(samples: Samples, rng: Generator) -> Samples:
    """Turn, scale and shift each sample a little, so that no pixel is as it was the last time."""
    middle = (SIDE - 1) / 2
    made = np.empty_like(samples.images)
    for place, image in enumerate(samples.images):
        how = cv2.getRotationMatrix2D((middle, middle), rng.normal(0, 3), rng.normal(1, 0.03))
        shifted = how + np.array([[0, 0, 1], [0, 0, 1]]) * rng.uniform(-0.6, 0.6, (2, 1))
        made[place, :, :, 0] = cv2.warpAffine(image, shifted, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return replace(samples, images=made)


def _join(batches: Sequence[Samples]) -> Samples:
    beliefs = [batch.beliefs for batch in batches if batch.beliefs is not None]
    return Samples(
        np.concatenate([batch.images for batch in batches]),
        np.concatenate([batch.labels for batch in batches]),
        np.concatenate(beliefs) if beliefs else None,
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """What the other process makes batches of."""

    digits: Digits
    recipe: Recipe
    seed: int
    teachers: tuple[Path, ...]


_source: list[_Source] = []
_teachers: list[LiteRTClassifier] = []


def _start(source: _Source) -> None:
    """Set up the other process; Ctrl-C is for the one that asked, and it must not outlive that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _source.append(source)
    _teachers.extend(load_classifier(path.stem, path.parent) for path in source.teachers)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _batch_here(epoch: int, number: int) -> Samples:
    source = _source[0]
    batch = make_batch(source.digits, source.recipe, source.seed, epoch, number)
    if not _teachers:
        return batch
    beliefs = [teacher.probabilities(batch.images) for teacher in _teachers]
    return replace(batch, beliefs=np.mean(beliefs, axis=0, dtype=np.float32))
