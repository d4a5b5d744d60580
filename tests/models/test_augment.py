"""What must hold of training samples: MNIST's geometry, and one seed, one sample."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.augment import augment, degrade, warp
from models.batches import BatchMaker
from models.dataset import load_mnist
from models.negatives import draw_negative, put_side_by_side, strike_out
from models.pens import redraw, thin
from models.remains import cut_off, leave_frame, leave_neighbour
from models.samples import BATCH, CLASSES, Recipe, Samples, as_ink, make_batch
from models.scanning import drop_specks, scan
from pipeline.normalize import normalize


@pytest.fixture
def ink(simulated):
    """Drawn digits as ink, 0 to 1."""
    return [as_ink(image) for image in simulated[0][:60]]


def test_normalize_leaves_its_own_result_as_it_is(ink):
    """A digit in MNIST's geometry comes back unchanged."""
    for digit in ink:
        assert np.array_equal(normalize(digit), np.rint(255 * digit).astype(np.uint8))


def test_a_blank_stays_blank(rng):
    """Where there is no ink, bending, another pen and normalizing make none."""
    blank = np.zeros((28, 28), np.float32)
    assert not warp(blank, rng(), strength=1.0).any()
    assert not redraw(blank, rng(), 2.0).any()
    assert not normalize(blank).any()


def test_a_scan_leaves_paper_at_exactly_zero(ink):
    """Whatever the scanner does, most of a box is paper, and paper is 0."""
    rng = np.random.default_rng(2)
    for digit in ink:
        assert (scan(warp(digit, rng, 1.0), rng) == 0).mean() > 0.3


@pytest.mark.parametrize("make", [augment, degrade])
def test_samples_have_the_geometry_of_mnist(make, ink):
    """Each sample is uint8 28x28, its darkest pixel 255, its ink within 20x20."""
    rng = np.random.default_rng(1)
    for digit in ink:
        sample = make(digit, ink[0], rng)
        rows, columns = (np.flatnonzero(sample.any(axis=axis)) for axis in (1, 0))
        assert sample.shape == (28, 28)
        assert sample.dtype == np.uint8
        assert sample.max() == 255
        assert max(np.ptp(rows), np.ptp(columns)) < 20


def test_one_seed_gives_one_sample(ink, rng):
    """The same state of the generator gives the same sample, another one another."""
    assert np.array_equal(degrade(ink[3], ink[4], rng()), degrade(ink[3], ink[4], rng()))
    other = degrade(ink[3], ink[4], np.random.default_rng(6))
    assert not np.array_equal(degrade(ink[3], ink[4], rng()), other)


def test_augmentation_leaves_its_arguments_alone(ink):
    """Arguments are never modified."""
    before = [digit.copy() for digit in ink]
    rng = np.random.default_rng(1)
    for digit in ink:
        degrade(digit, ink[0], rng)
        for spoil in (leave_frame, cut_off, strike_out):
            spoil(digit, rng)
        leave_neighbour(digit, ink[0], rng)
    assert all(np.array_equal(*pair) for pair in zip(before, ink, strict=True))


def test_thinning_keeps_pieces_and_holes(ink):
    """A digit's middle line is thin, lies in the digit, and has its pieces and its holes."""
    for digit in ink:
        mask = np.pad(digit > 0.45, 1).astype(np.uint8)
        line = thin(mask)
        assert not (line & ~mask).any()
        assert line.sum() < mask.sum()
        assert _pieces(line, 8) == _pieces(mask, 8)
        assert _pieces(1 - line, 4) == _pieces(1 - mask, 4)


def _pieces(mask, connectivity):
    return cv2.connectedComponents(mask, connectivity=connectivity)[0]


def test_a_wider_pen_leaves_more_ink(ink, rng):
    """From hairline to felt tip the ink grows."""
    amounts = [redraw(warp(ink[8], rng(), 0.0), rng(), radius).sum() for radius in (0.7, 1.5, 3, 5)]
    assert amounts == sorted(amounts)


def test_specks_go_and_strokes_stay():
    """A dot beside a stroke goes; a second stroke stays."""
    ink = np.zeros((40, 40), np.float32)
    ink[5:35, 10:14] = 1
    ink[20:24, 20:30] = 1
    dirty = ink.copy()
    dirty[2, 30] = 1
    assert np.array_equal(drop_specks(dirty), ink)


def test_negatives_are_drawn_in_every_class(ink):
    """Blank, struck out and illegible all occur, in the geometry of digits."""
    rng = np.random.default_rng(3)
    drawn = [draw_negative(rng, lambda: ink[rng.integers(len(ink))]) for _ in range(60)]
    assert {mark for _, mark in drawn} == set("_X#")
    assert all(image.shape == (28, 28) and image.any() for image, _ in drawn)


def test_two_digits_are_wider_than_one(ink):
    """What is put side by side holds both digits."""
    rng = np.random.default_rng(3)
    pair = put_side_by_side(lambda: ink[rng.integers(len(ink))], rng)
    assert pair.shape[1] > pair.shape[0] * 0.5


def test_batches_follow_from_seed_epoch_and_number(mnist_folder):
    """A batch made again, here or in the other process, is the same."""
    digits, _ = load_mnist(mnist_folder)
    batch = make_batch(digits, Recipe.FORMS, seed=1, epoch=2, number=0)
    assert batch.images.shape == (BATCH, 28, 28, 1)
    assert batch.labels.max() < len(CLASSES)
    with BatchMaker(digits, Recipe.FORMS, seed=1) as maker:
        (elsewhere,) = maker.epoch(2)
    assert np.array_equal(batch.images, elsewhere.images)
    assert np.array_equal(batch.labels, elsewhere.labels)
    assert not np.array_equal(batch.images, make_batch(digits, Recipe.FORMS, 1, 3, 0).images)


def test_an_epoch_that_uses_samples_again_has_each_once_a_little_moved(mnist_folder):
    """None is quite the same as before; a run taken up in the middle goes on with the same."""
    digits, _ = load_mnist(mnist_folder)
    twice = digits.take(np.tile(np.arange(len(digits)), 2))
    with BatchMaker(twice, Recipe.PLAIN, seed=1) as maker:
        first, again = list(maker.epoch(0)), list(maker.epoch(1))
    with BatchMaker(twice, Recipe.PLAIN, seed=1) as maker:
        resumed = list(maker.epoch(1, first=1))
    assert len(again) == len(first) == len(resumed) + 1
    assert all(np.array_equal(a.images, b.images) for a, b in zip(again[1:], resumed, strict=True))
    alike = _blurred(again) @ _blurred(first).T
    assert alike.max(axis=1).min() > 0.7
    labels = [np.concatenate([batch.labels for batch in part]) for part in (first, again)]
    assert np.array_equal(np.sort(labels[0]), np.sort(labels[1]))
    known = {image.tobytes() for batch in first for image in batch.images}
    assert not any(image.tobytes() in known for batch in again for image in batch.images)


def _blurred(batches: list[Samples]) -> NDArray[np.float64]:
    """Unit vectors (N, 784) whose product says how alike two images are."""
    images = np.concatenate([batch.images[..., 0] for batch in batches])
    flat = np.stack([cv2.GaussianBlur(image, (0, 0), 1.0) for image in images]).reshape(
        len(images), -1
    )
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)
