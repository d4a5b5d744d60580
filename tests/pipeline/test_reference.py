"""A template is checked against its reference image: which field is off, by how much, whither."""

from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from pipeline.errors import TemplateError
from pipeline.records import Box
from pipeline.reference import check_reference
from pipeline.template import FormTemplate
from tests.pipeline.forms import CLAIM, hand_in, ink_on, print_form


@pytest.fixture
def referenced(tmp_path: Path) -> FormTemplate:
    """The form with its blank page, in twice the template's pixels."""
    path = tmp_path / "blank.png"
    cv2.imwrite(str(path), cv2.resize(print_form(CLAIM), None, fx=2, fy=2))
    return replace(CLAIM, reference=path)


def moved(template: FormTemplate, name: str, x: float, y: float) -> FormTemplate:
    """The template with one field's boxes elsewhere."""
    return replace(
        template,
        fields=tuple(
            replace(
                spec,
                boxes=tuple(
                    Box(box.left + x, box.top + y, box.right + x, box.bottom + y)
                    for box in spec.boxes
                ),
            )
            if spec.name == name
            else spec
            for spec in template.fields
        ),
    )


def test_boxes_in_their_place_are_right(referenced: FormTemplate) -> None:
    """Whatever the reference's resolution; a template without one has nothing to check."""
    assert check_reference(referenced) == []
    assert check_reference(CLAIM) == []


def test_a_filled_reference_serves(referenced: FormTemplate) -> None:
    """Where no blank is to be had."""
    filled = ink_on(print_form(CLAIM), hand_in(CLAIM, {"number": "160483527", "day": "04072019"}))
    assert referenced.reference is not None
    cv2.imwrite(str(referenced.reference), filled)
    assert check_reference(referenced) == []


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [(-12, 0, "12 px to the right"), (9, 0, "9 px to the left"), (0, 10, "10 px above")],
)
def test_a_field_that_is_off_is_named(referenced: FormTemplate, x, y, words: str) -> None:
    """With how many template pixels, and in which direction its frames are."""
    (complaint,) = check_reference(moved(referenced, "day", x, y))
    assert "'day'" in complaint
    assert words in complaint


def test_a_field_without_frames_is_named(referenced: FormTemplate) -> None:
    """Its boxes are on bare paper."""
    (complaint,) = check_reference(moved(referenced, "amount", 0, 90))
    assert "'amount'" in complaint
    assert "found no frames" in complaint


def test_a_reference_of_another_format_is_refused(referenced: FormTemplate) -> None:
    """It cannot show the whole page."""
    assert referenced.reference is not None
    cv2.imwrite(str(referenced.reference), print_form(CLAIM)[:1000])
    with pytest.raises(TemplateError, match=r"found 1000 x 1000 px.*needs an image of the whole"):
        check_reference(referenced)
