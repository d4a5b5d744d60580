"""Fields on their neighbours' frames are told by how unevenly all were moved."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.astray import is_astray
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


@pytest.mark.parametrize("boxes", [-1, 1])
def test_a_page_all_of_whose_fields_lack_their_end_is_astray(boxes: int) -> None:
    """Laid one box aside, every field has a box at one end around which nothing is printed."""
    fields = [moved(each, 36 * boxes) for each in FIELDS]
    assert is_astray(view(fields), fields)
