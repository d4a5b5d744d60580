"""Batches of samples, made in a process of their own while the network learns."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from models.classifier import LiteRTClassifier, load_classifier
from models.dataset import Digits
from models.samples import Recipe, Samples, batches_an_epoch, make_batch
from pipeline.normalize import SIDE

PREPARED_AHEAD = 12
USES = 2
"""How many epochs use what was made for one of them, moved a little and in another order: making a
sample takes a core about half as long as learning from it. Source: Choi, Passos, Shallue and Dahl,
"Faster neural network training with data echoing", 2019."""


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
