"""The page that is filled: a blank reference as it is, a filled one cleared, else one drawn."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.authoring.blank import AUTO, DRAWN, REFERENCE, at_full_resolution, blank_page
from pipeline.errors import InputFileError, TemplateError
from pipeline.template import FormTemplate
from tests.pipeline.authoring.pages import CARD, box_windows
from tests.pipeline.forms import hand_in, ink_on, print_form

TEXTS = {"number": "01234567", "pin": "89012", "amount": "345678"}


@pytest.fixture
def referred(tmp_path: Path):
    """Give the card with an image of it as reference."""

    def refer(image: np.ndarray) -> FormTemplate:
        path = tmp_path / "page.png"
        cv2.imwrite(str(path), image)
        return replace(CARD, reference=path)

    return refer


def hinted() -> np.ndarray:
    """Print the card with a pale letter in every box."""
    page = print_form(CARD)
    for spec in CARD.fields:
        for box in spec.boxes:
            place = round(box.left) + 12, round(box.bottom) - 14
            cv2.putText(page, "D", place, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 190, 2, cv2.LINE_AA)
    return page


@pytest.mark.parametrize("page", [print_form(CARD), hinted()], ids=["blank", "hinted"])
def test_a_blank_reference_is_taken_as_it_is(page: np.ndarray, referred) -> None:
    """Its pixels are the page's, also where hints are printed in its boxes."""
    blank = blank_page(referred(page))
    assert np.array_equal(blank.image, np.dstack([page] * 3))
    assert "wrote on page.png" in blank.remark


def test_a_filled_reference_is_cleared(referred) -> None:
    """No ink is left in its boxes, their frames are printed, the rest stays; the remark says so."""
    filled = ink_on(print_form(CARD), hand_in(CARD, TEXTS, seed=3))
    template = referred(filled)
    blank = blank_page(template)
    assert "filled page (19 boxes hold ink)" in blank.remark
    for box in box_windows(blank.image, CARD):
        assert box[6:-6, 6:-6].min() > 200
        assert box[0].max() < 200
    assert np.array_equal(blank.image[:200, :, 0], filled[:200])
    as_it_is = blank_page(template, REFERENCE)
    assert np.array_equal(as_it_is.image[:, :, 0], filled)


def test_a_page_is_drawn_without_a_reference() -> None:
    """Frames on the boxes' edges, markers at their places, nothing inside."""
    blank = blank_page(CARD)
    assert blank.image.shape == (*CARD.size, 3)
    for box in box_windows(blank.image, CARD):
        assert box[4:-4, 4:-4].min() == 255
        assert max(box[0].max(), box[:, 0].max()) < 200
    for x, y in CARD.markers.centres:
        assert blank.image[y, x].max() < 60
    assert np.array_equal(blank_page(CARD, DRAWN).image, blank.image)


def test_any_image_of_the_form(referred, tmp_path: Path) -> None:
    """A blank page at another resolution is brought to the template's."""
    page = print_form(CARD)
    cv2.imwrite(str(tmp_path / "half.png"), cv2.resize(page, None, fx=0.5, fy=0.5))
    blank = blank_page(CARD, str(tmp_path / "half.png"))
    assert blank.image.shape == (*CARD.size, 3)
    assert np.abs(blank.image[:, :, 0].astype(int) - page).mean() < 8


def test_what_cannot_be_written_on(tmp_path: Path) -> None:
    """A damaged image, a missing one, and a reference that the template has not."""
    (tmp_path / "bad.png").write_bytes(b"no image")
    for name in ("bad.png", "none.png"):
        with pytest.raises(InputFileError, match=name):
            blank_page(CARD, str(tmp_path / name))
    with pytest.raises(TemplateError, match="card has no align > reference"):
        blank_page(CARD, REFERENCE)
    with pytest.raises(TemplateError, match=r"bad\.png"):
        blank_page(replace(CARD, reference=tmp_path / "bad.png"), AUTO)


def test_a_form_in_coarser_pixels() -> None:
    """A template drawn at 150 dpi is filled at 300: all its lengths double."""
    fine = at_full_resolution(CARD, 150)
    assert fine.size == (2800, 2000)
    assert fine.markers.size == 60
    assert fine.markers.centres[2] == (1900, 2700)
    boxes = zip(fine.fields[1].boxes, CARD.fields[1].boxes, strict=True)
    assert all((one.left, one.height) == (2 * other.left, 2 * other.height) for one, other in boxes)
    assert at_full_resolution(CARD, 300) is CARD
