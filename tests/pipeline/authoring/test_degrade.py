"""Degradations: each keeps what an image is, does nothing at strength 0, and repeats by seed."""

import numpy as np
import pytest

from pipeline.authoring.degrade import DEGRADATIONS, degrade

RESIZING = {"bed", "crop", "perspective", "turn", "resolution", "fax"}
GREY_ALWAYS = {"fax"}


def page(colour: bool) -> np.ndarray:
    """Draw a page of 108 by 163 mm with black bars on white."""
    image = np.full((1280, 1920), 255, np.uint8)
    image[323:400, 243:1600] = image[720:1040, 485:512] = 0
    return np.dstack([image] * 3) if colour else image


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("name", DEGRADATIONS)
def test_type_and_size_are_kept(name: str, colour: bool) -> None:
    """A degraded image is uint8 of the same size, but for those that say otherwise."""
    image = page(colour)
    worse = degrade(image, {name: 1.0}, np.random.default_rng(1))
    assert worse.dtype == np.uint8
    assert worse.ndim == (2 if name in GREY_ALWAYS else image.ndim)
    assert name in RESIZING or worse.shape == image.shape
    assert np.array_equal(image, page(colour)), "the argument was changed"


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_strength_0_changes_nothing(name: str) -> None:
    """At strength 0 the page comes back as it was."""
    worse = degrade(page(True), {name: 0.0}, np.random.default_rng(1))
    assert np.array_equal(worse, page(True))


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_full_strength_is_seen(name: str) -> None:
    """At strength 1 the page has changed, in the same way for the same seed."""
    first, second = (degrade(page(False), {name: 1.0}, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.shape != page(False).shape or (first != page(False)).any()


def test_resolution_halves_at_strength_1() -> None:
    """A page scanned at half the resolution has half the pixels each way."""
    assert degrade(page(True), {"resolution": 1.0}, np.random.default_rng(1)).shape == (640, 960, 3)


def test_skew_stays_within_two_degrees() -> None:
    """A long bar is turned, but by no more than 2 degrees."""
    for seed in range(10):
        skewed = degrade(page(False), {"skew": 1.0}, np.random.default_rng(seed))
        ends = [np.flatnonzero(skewed[160:600, x] < 128).mean() for x in (400, 1440)]
        angle = np.degrees(np.arctan2(ends[1] - ends[0], 1040))
        assert 0.7 < abs(angle) < 2.3


def test_degradations_are_applied_in_the_order_given() -> None:
    """A bed laid before the resolution is halved is halved too."""
    rng = np.random.default_rng(1)
    worse = degrade(page(False), {"bed": 1.0, "resolution": 1.0}, rng)
    assert 960 < worse.shape[1] < 1120
