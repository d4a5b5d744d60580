"""Batches to learn from, made in a process of their own while the network learns.

Each batch follows from the seed, the epoch and its number alone, so that a training run can be
repeated, and taken up again in the middle.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context, parent_process

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.augment import augment, degrade
from models.dataset import Digits
from models.negatives import draw_negative
from pipeline.authoring.pen import Writer, draw
from pipeline.normalize import SIDE
from pipeline.records import Floats, GreyImage

CLASSES = "0123456789_X#"
"""The ten digits, blank, struck out, illegible: one character each, as in `raw`."""
BATCH = 256
SIMULATED_SHARE = 0.14
SIMULATED_DIGITS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 4, 7, 9)
"""Those whose shape differs most from country to country are drawn twice as often."""
NEGATIVE_SHARE = 0.14
PREPARED_AHEAD = 12

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Normalised samples: images uint8 (N, 28, 28, 1); labels uint8 (N,), places in CLASSES."""

    images: GreyImage
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


def as_samples(digits: Digits) -> Samples:
    """Give digits as they are, in the network's shape."""
    return Samples(digits.images[..., None], digits.labels)


def make_batch(digits: Digits, seed: int, epoch: int, number: int) -> Samples:
    """Make one training batch: real digits, drawn digits and drawn negatives, augmented.

    Args:
        digits: What the real ones are taken from, each at most once an epoch.
        seed: Of the whole training.
        epoch: From 0.
        number: Of the batch in its epoch, from 0.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(digits))
    chosen = order[number * BATCH : (number + 1) * BATCH]
    rng = np.random.default_rng([seed, epoch, number])
    made = [_make_sample(digits, int(place), rng) for place in chosen]
    return _stack(made)


def batches_an_epoch(digits: Digits) -> int:
    """Count the full batches in these digits, at least one."""
    return max(1, len(digits) // BATCH)


def make_held_out(digits: Digits, seed: int) -> Samples:
    """Make samples to calibrate and validate on: each digit degraded, and drawn negatives.

    The negatives come from styles of their own, in the share that training has.
    """
    rng = np.random.default_rng([seed, 0x0DD])
    negatives = round(len(digits) * NEGATIVE_SHARE)
    made = [_degrade_one(digits, place, rng) for place in range(len(digits))]
    made += [draw_one_negative(digits, rng) for _ in range(negatives)]
    return _stack(made)


def _stack(made: list[tuple[GreyImage, int]]) -> Samples:
    images = np.stack([image for image, _ in made]).reshape(-1, SIDE, SIDE, 1)
    return Samples(images, np.array([label for _, label in made], np.uint8))


def _make_sample(digits: Digits, place: int, rng: Generator) -> tuple[GreyImage, int]:
    kind = rng.random()
    if kind < NEGATIVE_SHARE:
        return draw_one_negative(digits, rng)
    neighbour = any_digit(digits, rng)
    if kind < NEGATIVE_SHARE + SIMULATED_SHARE:
        label = int(rng.choice(SIMULATED_DIGITS))
        return augment(draw(Writer.random(rng), str(label), rng), neighbour, rng), label
    return augment(as_ink(digits.images[place]), neighbour, rng), int(digits.labels[place])


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

    def __init__(self, digits: Digits, seed: int) -> None:
        self._count = batches_an_epoch(digits)
        self._pool = ProcessPoolExecutor(
            1, get_context("spawn"), initializer=_start, initargs=(digits, seed)
        )

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Samples]:
        """Give the batches of an epoch in order, from the number `first` on."""
        waiting: deque[Future[Samples]] = deque()
        numbers = iter(range(first, self._count))
        for number in islice(numbers, PREPARED_AHEAD):
            waiting.append(self._pool.submit(_batch_here, epoch, number))
        while waiting:
            yield waiting.popleft().result()
            for number in islice(numbers, 1):
                waiting.append(self._pool.submit(_batch_here, epoch, number))

    def __enter__(self) -> BatchMaker:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


_source: list[tuple[Digits, int]] = []


def _start(digits: Digits, seed: int) -> None:
    """Set up the other process; Ctrl-C is for the one that asked, and it must not outlive that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _source.append((digits, seed))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _batch_here(epoch: int, number: int) -> Samples:
    return make_batch(*_source[0], epoch, number)
