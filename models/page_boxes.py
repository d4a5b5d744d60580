"""Boxes of simulated pages as reading cuts them out, to learn from beside drawn samples.

    python -m models.page_boxes --data FOLDER --seed SEED --samples FOLDER --pages 6000

What an imperfect cut does to a digit, and what is around it then, is here as it will be in reading.
The pages are written on with the digits of the writers that are not held out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from models.field_fit import parse_order
from models.samples import CLASSES, Labels, Samples
from models.simulated import TRAINING, CutSample, make_pages, read_piece
from pipeline.errors import ModelError
from pipeline.records import Floats, GreyImage


class PageBoxes:
    """All inked boxes of the pages in a folder, whose fields were found."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Read them.

        Args:
            folder: What `models.simulated.make_samples` filled.
            seed: Of the training; decides which boxes come when.

        Raises:
            ModelError: If there are none, or a file is damaged.
        """
        pages = [_boxes(page) for path in sorted(folder.glob("*.npz")) for page in read_piece(path)]
        if not pages:
            raise ModelError(f"{folder} holds no pages; make some: python -m models.page_boxes.")
        images, labels = (np.concatenate(arrays) for arrays in zip(*pages, strict=True))
        self._boxes = Samples(images, labels)
        self._seed = seed

    def __len__(self) -> int:
        return len(self._boxes)

    def add_to(self, batch: Samples, step: int) -> Samples:
        """Add as many of them as a batch has samples; each comes once before any comes again."""
        count = len(batch)
        turn, place = divmod(step, len(self) // count)
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
    make_pages(order, folder, workers=workers, minutes=minutes)


if __name__ == "__main__":
    main()
