"""Degradations: each keeps what an image is, does nothing at strength 0, and repeats by seed."""

import numpy as np
import pytest

from pipeline.authoring.degrade import DEGRADATIONS, degrade

RESIZING = {"bed", "resolution"}


def page(colour: bool) -> np.ndarray:
    """Draw a page with black bars on white."""
    image = np.full((160, 240), 255, np.uint8)
    image[40:50, 30:200] = image[90:130, 60:64] = 0
    return np.dstack([image] * 3) if colour else image


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("name", DEGRADATIONS)
def test_type_and_size_are_kept(name: str, colour: bool) -> None:
    """A degraded image is uint8 of the same size, but for the two that say otherwise."""
    image = page(colour)
    worse = DEGRADATIONS[name](image, 1.0, np.random.default_rng(1))
    assert worse.dtype == np.uint8
    assert worse.ndim == image.ndim
    assert (worse.shape == image.shape) == (name not in RESIZING)
    assert np.array_equal(image, page(colour)), "the argument was changed"


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_strength_0_changes_nothing(name: str) -> None:
    """At strength 0 the page comes back as it was."""
    worse = DEGRADATIONS[name](page(True), 0.0, np.random.default_rng(1))
    assert np.array_equal(worse, page(True))


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_full_strength_is_seen(name: str) -> None:
    """At strength 1 the page has changed, in the same way for the same seed."""
    first, second = (
        DEGRADATIONS[name](page(False), 1.0, np.random.default_rng(9)) for _ in range(2)
    )
    assert np.array_equal(first, second)
    assert first.shape != page(False).shape or (first != page(False)).any()


def test_resolution_halves_at_strength_1() -> None:
    """A page scanned at half the resolution has half the pixels each way."""
    assert degrade(page(True), {"resolution": 1.0}, np.random.default_rng(1)).shape == (80, 120, 3)


def test_skew_stays_within_two_degrees() -> None:
    """A long bar is turned, but by no more than 2 degrees."""
    for seed in range(10):
        skewed = degrade(page(False), {"skew": 1.0}, np.random.default_rng(seed))
        ends = [np.flatnonzero(skewed[20:75, x] < 128).mean() for x in (50, 180)]
        angle = np.degrees(np.arctan2(ends[1] - ends[0], 130))
        assert 0.7 < abs(angle) < 2.3


def test_degradations_are_applied_in_the_order_given() -> None:
    """A bed laid before the resolution is halved is halved too."""
    rng = np.random.default_rng(1)
    worse = degrade(page(False), {"bed": 1.0, "resolution": 1.0}, rng)
    assert 120 < worse.shape[1] < 140
