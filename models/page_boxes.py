"""Boxes of simulated pages as reading cuts them out, to learn from beside drawn samples.

    python -m models.page_boxes --data FOLDER --seed SEED --samples FOLDER --pages 6000

What an imperfect cut does to a digit, and what is around it then, is here as it will be in reading.
The pages are written on with the digits of the writers that are not held out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from models.dataset import read_arrays
from models.field_fit import parse_order
from models.samples import CLASSES, Samples
from models.simulated import TRAINING, TRIAL_FORM, make_samples
from pipeline.authoring.values import LATEST
from pipeline.errors import ModelError
from pipeline.template import load_template


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
        pieces = [_read(path) for path in sorted(folder.glob(f"{TRAINING}-*.npz"))]
        if not pieces:
            raise ModelError(f"{folder} holds no pages; make some: python -m models.page_boxes.")
        images, labels = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
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


def _certain(samples: Samples) -> np.ndarray:
    return np.eye(len(CLASSES), dtype=np.float32)[samples.labels]


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    piece = read_arrays(path)
    try:
        seen, texts, found = piece["seen"], piece["texts"], piece["found"]
    except KeyError as error:
        raise ModelError(f"{path} lacks {error}; delete it and make its pages again.") from error
    counts = [len(spec.boxes) for spec in load_template(TRIAL_FORM, LATEST).fields]
    labels = [[CLASSES.index(sign) for sign in "".join(page)] for page in texts]
    good = np.repeat(found, counts, axis=1) & seen.any(axis=(2, 3))
    return seen[good][..., None], np.array(labels, np.uint8)[good]


def main() -> None:
    """Make the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    order, folder, workers, minutes = parse_order(parser, TRAINING)
    pages = make_samples(order, folder, workers=workers, minutes=minutes)
    print(f"{folder} holds {len(pages)} pages; train with --pages {folder}")


if __name__ == "__main__":
    main()
