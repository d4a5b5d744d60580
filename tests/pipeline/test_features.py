"""Features: a scan is matched with its reference, and with nothing else."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import TemplateError
from pipeline.features import detect_features, find_feature_homography
from tests.pipeline.forms import (
    CLAIM,
    all_corners,
    hand_in,
    ink_on,
    lay,
    misses,
    print_form,
    scan,
)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The blank form as an image file."""
    path = tmp_path_factory.mktemp("reference") / "blank.png"
    cv2.imwrite(str(path), print_form(CLAIM))
    return path


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 3), st.floats(-5, 5), st.floats(0.9, 1.05), st.sampled_from([0.75, 1.0, 1.7]))
def test_a_filled_scan_is_laid_on_its_reference(reference, quarters, degrees, scale, resolution):
    """However the page lies, boxes are where they are to some pixels."""
    page = ink_on(print_form(CLAIM), hand_in(CLAIM, {"number": "160483527"}))
    lie, size = lay(
        CLAIM.size, quarters=quarters, degrees=degrees, scale=scale, resolution=resolution
    )
    found = find_feature_homography(detect_features(scan(page, lie, size)), reference, CLAIM.size)
    assert found is not None
    assert misses(found.homography, lie, all_corners(CLAIM)).max() < 8


@pytest.mark.parametrize("zoom", [0.5, 2.0])
def test_the_reference_may_be_of_another_resolution(tmp_path: Path, zoom: float) -> None:
    """It covers the whole page, whatever its pixels."""
    blank = print_form(CLAIM)
    path = tmp_path / "blank.png"
    cv2.imwrite(str(path), cv2.resize(blank, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA))
    found = find_feature_homography(detect_features(blank), path, CLAIM.size)
    assert found is not None
    assert misses(found.homography, np.eye(3), all_corners(CLAIM)).max() < 8


def test_what_is_not_the_form_matches_nothing(reference: Path) -> None:
    """A blank sheet, noise, a small black picture: no homography is made up."""
    rng = np.random.default_rng(6)
    for image in (
        np.full((1400, 1000), 255, np.uint8),
        rng.integers(0, 256, (1400, 1000)).astype(np.uint8),
        np.zeros((40, 30), np.uint8),
    ):
        assert find_feature_homography(detect_features(image), reference, CLAIM.size) is None


def test_a_reference_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    """The message names the file and says what to do."""
    path = tmp_path / "blank.png"
    path.write_text("no picture")
    with pytest.raises(TemplateError, match=r"blank\.png.*save it as PNG"):
        find_feature_homography(detect_features(print_form(CLAIM)), path, CLAIM.size)


def test_an_empty_reference_is_refused(tmp_path: Path) -> None:
    """There is nothing on it to align by."""
    path = tmp_path / "blank.png"
    cv2.imwrite(str(path), np.full((1400, 1000), 255, np.uint8))
    with pytest.raises(TemplateError, match="too little is printed"):
        find_feature_homography(detect_features(print_form(CLAIM)), path, CLAIM.size)
