"""Boxes of simulated pages: the inked ones of fields that were found, each in its turn."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from models.learning import Plan
from models.page_boxes import PageBoxes
from models.samples import CLASSES, DIGITS, Samples
from models.train import train
from pipeline.errors import ModelError

TEXTS = np.array([["12", "3_"], ["45", "6X"]])


def keep(folder: Path, half: str = "training", **changes: np.ndarray) -> None:
    """Write two pages of two fields; box n of them is of darkness n + 1."""
    seen = np.arange(1, 9, dtype=np.uint8).reshape(2, 4, 1, 1) * np.ones((28, 28), np.uint8)
    arrays = {
        "numbers": np.arange(2),
        "texts": TEXTS,
        "seen": seen,
        "doubtful": np.zeros((2, 4), bool),
        "found": np.ones((2, 2), bool),
    }
    packed = BytesIO()
    np.savez(packed, **{**arrays, **changes})
    (folder / f"{half}-mix-1-000000.npz").write_bytes(packed.getvalue())


def batch(count: int) -> Samples:
    """Drawn samples to add boxes to."""
    return Samples(np.zeros((count, 28, 28, 1), np.uint8), np.zeros(count, np.uint8))


def pairs(samples: Samples) -> set[tuple[int, str]]:
    """Which box each sample is, and what it is said to hold."""
    return {
        (int(image.max()), CLASSES[label])
        for image, label in zip(samples.images, samples.labels, strict=True)
    }


def test_each_box_comes_before_any_comes_again(tmp_path: Path) -> None:
    """With what was written in it, half of each batch, and the same in another run."""
    keep(tmp_path)
    boxes = PageBoxes(tmp_path, CLASSES, seed=1)
    added = [boxes.add_to(batch(4), step) for step in range(2)]
    assert [len(one) for one in added] == [8, 8]
    own = [one.take(np.arange(4, 8)) for one in added]
    written = set(enumerate("123_456X", start=1))
    assert pairs(own[0]) | pairs(own[1]) == written
    again = PageBoxes(tmp_path, CLASSES, seed=1).add_to(batch(4), 1)
    assert np.array_equal(again.images, added[1].images)


def test_what_teaches_nothing_is_left_out(tmp_path: Path) -> None:
    """Fields whose frames were not found, and boxes without ink."""
    keep(tmp_path, found=np.array([[True, False], [True, True]]))
    assert len(PageBoxes(tmp_path, CLASSES, seed=1)) == 6
    seen = np.zeros((2, 4, 28, 28), np.uint8)
    seen[0, 0] = 9
    keep(tmp_path, seen=seen)
    assert len(PageBoxes(tmp_path, CLASSES, seed=1)) == 1


def test_a_network_of_digits_learns_from_digits(tmp_path: Path) -> None:
    """What it has no class for is left out."""
    keep(tmp_path)
    boxes = PageBoxes(tmp_path, DIGITS, seed=1)
    assert len(boxes) == 6
    assert pairs(boxes.add_to(batch(6), 0)) - {(0, "0")} == set(enumerate("123_456", 1)) - {
        (4, "_")
    }


def test_a_network_is_trained_and_calibrated_by_pages(tmp_path: Path, mnist_folder: Path) -> None:
    """Its card says so, and how it reads the pages of held-out writers."""
    pages = tmp_path / "pages"
    pages.mkdir()
    keep(pages)
    keep(pages, "held_out")
    plan = Plan("mlp", 1, 1, mnist_folder, tmp_path / "weights", pages=pages)
    card = train(plan)
    assert card.figures["held_out_pages"]["samples"] == 6
    assert "boxes of simulated pages" in card.trained_on


def test_boxes_have_no_doubt_beside_what_teachers_say(tmp_path: Path) -> None:
    """What was written is known for certain."""
    keep(tmp_path)
    drawn = batch(4)
    taught = Samples(drawn.images, drawn.labels, np.full((4, len(CLASSES)), 0.1, np.float32))
    beliefs = PageBoxes(tmp_path, CLASSES, seed=1).add_to(taught, 0).beliefs
    assert beliefs is not None
    assert (beliefs[4:].max(axis=1) == 1).all()
    assert (beliefs[4:].sum(axis=1) == 1).all()


def test_a_folder_without_pages_is_named(tmp_path: Path) -> None:
    """Or one whose files are of another version."""
    with pytest.raises(ModelError, match="holds no pages"):
        PageBoxes(tmp_path, CLASSES, seed=1)
    np.savez(tmp_path / "training-mix-1-000000.npz", texts=TEXTS)
    with pytest.raises(ModelError, match="lacks 'numbers'"):
        PageBoxes(tmp_path, CLASSES, seed=1)
