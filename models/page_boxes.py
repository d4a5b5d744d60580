"""Boxes of simulated pages as reading cuts them out, to learn from beside drawn samples.

    python -m models.page_boxes --data FOLDER --seed SEED --samples FOLDER --pages 6000

What an imperfect cut does to a digit, and what is around it then, is here as it will be in reading.
The pages are written on with the digits of the writers that are not held out; a sixth as many,
with those of the held-out writers, are watched.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from models.page_digits import HELD_OUT, TRAINING
from models.samples import CLASSES, Labels, Samples
from models.simulated import CutSample, make_pages, parse_order, read_piece
from pipeline.errors import ModelError
from pipeline.records import Floats, GreyImage


def read_boxes(folder: Path, half: str, classes: str, most: int | None = None) -> Samples:
    """Read the inked boxes of the pages in a folder, of fields whose frames were found.

    Args:
        folder: What `models.simulated.make_pages` filled.
        half: Whose digits; see `models.simulated.Order`.
        classes: What may be in them: boxes that hold something else are left out.
        most: How many pages' at the most; None for all.

    Raises:
        ModelError: If there are none, or a file is damaged.
    """
    pages = (page for path in sorted(folder.glob(f"{half}-*.npz")) for page in read_piece(path))
    boxes = [_boxes(page) for page in islice(pages, most)]
    if not boxes:
        raise ModelError(
            f"{folder} holds no pages ({half}); make them: python -m models.page_boxes."
        )
    together = Samples(*(np.concatenate(arrays) for arrays in zip(*boxes, strict=True)))
    return together.take(np.flatnonzero(together.labels < len(classes)))


class PageBoxes:
    """Boxes to learn from, a batch at a time."""

    def __init__(self, folder: Path, classes: str, seed: int) -> None:
        """Read them; args and raises as `read_boxes`; the seed decides which come when."""
        self._boxes = read_boxes(folder, TRAINING, classes)
        self._seed = seed

    def __len__(self) -> int:
        return len(self._boxes)

    def add_to(self, batch: Samples, step: int) -> Samples:
        """Add as many of them as a batch has samples; no one comes again before all have come."""
        count = len(batch)
        turn, place = divmod(step, max(1, len(self) // count))
        order = np.random.default_rng([self._seed, turn]).permutation(len(self))
        mine = self._boxes.take(order[place * count : (place + 1) * count])
        return Samples(
            np.concatenate([batch.images, mine.images]),
            np.concatenate([batch.labels, mine.labels]),
            None if batch.beliefs is None else np.concatenate([batch.beliefs, _certain(mine)]),
        )


def _certain(samples: Samples) -> Floats:
    return np.eye(len(CLASSES), dtype=np.float32)[samples.labels]


def _boxes(page: CutSample) -> tuple[GreyImage, Labels]:
    labels = np.array([CLASSES.index(sign) for sign in "".join(page.texts)], np.uint8)
    usable = np.repeat(page.found, [len(text) for text in page.texts]) & page.seen.any(axis=(1, 2))
    return page.seen[usable, :, :, None], labels[usable]


def main() -> None:
    """Make the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    order, folder, workers, minutes = parse_order(parser, TRAINING)
    watched = replace(order, half=HELD_OUT, pages=order.pages // 6)
    for each in (order, watched):
        make_pages(each, folder, workers=workers, minutes=minutes)


if __name__ == "__main__":
    main()
