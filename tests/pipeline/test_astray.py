"""Fields on their neighbours' frames are told by how unevenly all were moved."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.astray import call_back, is_astray
from pipeline.frames import FieldsView, view_fields
from pipeline.records import GreyImage
from pipeline.template import FieldSpec
from tests.pipeline.forms import draw_frames, field, row

FIELDS = [field(f"code_{n}", row(60, 40 + 70 * n, 6, width=36, height=44)) for n in range(4)]


def page() -> GreyImage:
    """Four rows of boxes, one below another."""
    image = np.full((340, 400), 250, np.uint8)
    for each in FIELDS:
        draw_frames(image, each.boxes)
    return image


def view(fields: list[FieldSpec]) -> FieldsView:
    """Settle fields on the frames of the page."""
    boxes = [each.boxes for each in fields]
    return view_fields(page(), np.eye(3), boxes, reach=0.35, box_px=48)


def moved(each: FieldSpec, across: float) -> FieldSpec:
    """A field of a template that has it elsewhere."""
    boxes = (replace(box, left=box.left + across, right=box.right + across) for box in each.boxes)
    return replace(each, boxes=tuple(boxes))


@pytest.mark.parametrize("across", [0, 9, -9])
def test_fields_that_are_off_alike_are_at_home(across: int) -> None:
    """A page that lies a quarter of a box aside is no reason for doubt, nor is one field."""
    fields = [moved(each, across) for each in FIELDS]
    assert not is_astray(view(fields), fields)
    one = [moved(FIELDS[0], 14)]
    assert not is_astray(view(one), one)


def test_a_field_one_box_further_is_astray() -> None:
    """Aligned by half a box wrongly, one field settles on the box before its own."""
    fields = [moved(FIELDS[0], -20), *(moved(each, -13) for each in FIELDS[1:])]
    found = view(fields)
    first = found.printed()[0]
    assert abs(first[0] - (FIELDS[0].boxes[0].left - 36)) < 6
    assert is_astray(found, fields)
    assert is_astray(call_back(found), fields)


def test_a_field_that_went_alone_is_called_back() -> None:
    """Where half of its frame is gone and strokes stand in its boxes, the page's others tell."""
    image = page()
    lefts = [round(box.left) for box in FIELDS[1].boxes]
    top, bottom = (round(edge) for edge in (FIELDS[1].boxes[0].top, FIELDS[1].boxes[0].bottom))
    for left in lefts[::2]:
        image[top + 2 : bottom - 12, left - 3 : left + 4] = 250
    for left in lefts:
        image[top + 4 : bottom - 4, left + 17 : left + 21] = 40
    boxes = [each.boxes for each in FIELDS]
    alone = view_fields(image, np.eye(3), boxes, reach=0.35, box_px=48)
    assert np.abs(alone.printed()[6:12, 0] - lefts).max() > 10
    assert np.abs(call_back(alone).printed()[6:12, 0] - lefts).max() < 3


def test_a_field_that_stands_elsewhere_stays() -> None:
    """A template that has one field wrong is followed to where its frames are."""
    fields = [FIELDS[0], moved(FIELDS[1], 14), *FIELDS[2:]]
    found = view(fields)
    assert call_back(found).printed()[6][0] == pytest.approx(FIELDS[1].boxes[0].left, abs=2)


@pytest.mark.parametrize("boxes", [1, -1])
def test_a_page_that_lies_one_box_aside_is_astray(boxes: int) -> None:
    """All fields fit, but at one end of every row there is nothing."""
    fields = [moved(each, 36 * boxes) for each in FIELDS]
    assert is_astray(view(fields), fields)


def test_rows_whose_ends_are_pale_are_at_home() -> None:
    """Where the outer lines of half of the rows are broken."""
    image = page()
    for each in FIELDS[::2]:
        end = each.boxes[-1]
        image[round(end.top) - 3 : round(end.top) + 24, round(end.right) - 4 :] = 250
    boxes = [each.boxes for each in FIELDS]
    assert not is_astray(view_fields(image, np.eye(3), boxes, reach=0.35, box_px=48), FIELDS)
