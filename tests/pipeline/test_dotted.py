"""Dotted frames are drawn through, so that nothing is left of them; solid ones are left alone."""

import numpy as np
import pytest

from pipeline.dotted import fill_dotted
from pipeline.frames import FieldsView, view_fields
from pipeline.records import AlignedPage, GreyImage
from pipeline.segment import segment
from tests.pipeline.forms import as_page, draw_frames, field, form, hand_in, ink_on, row

ROWS = form(
    "rows", field("code", row(60, 60, 8)), field("day", row(60, 180, 6)), size=(300.0, 560.0)
)
TEXTS = {"code": "8349_701", "day": "2_4071"}
DASHES = [(2, 3), (3, 3), (7, 5)]
"""How long dots and the gaps between them are."""


def draw_dotted(image: GreyImage, dash: int, gap: int) -> None:
    """Print frames of dots or dashes."""
    for spec in ROWS.fields:
        for box in spec.boxes:
            edges = (box.left, box.top, box.right, box.bottom)
            left, top, right, bottom = (round(edge) for edge in edges)
            for start in range(left, right, dash + gap):
                for y in (top, bottom):
                    image[y - 1 : y + 1, start : min(start + dash, right)] = 60
            for start in range(top, bottom, dash + gap):
                for x in (left, right):
                    image[start : min(start + dash, bottom), x - 1 : x + 1] = 60


def view(image: GreyImage) -> FieldsView:
    """The fields as seen."""
    boxes = [spec.boxes for spec in ROWS.fields]
    return view_fields(image, np.eye(3), boxes, reach=0.35, box_px=48)


@pytest.mark.parametrize(("dash", "gap"), DASHES)
def test_nothing_is_left_of_dots_and_all_of_the_digits(dash: int, gap: int) -> None:
    """A blank box is blank, and a digit as large as without a frame."""
    image = np.full((300, 560), 250, np.uint8)
    draw_dotted(image, dash, gap)
    ink = hand_in(ROWS, TEXTS)
    page = AlignedPage(as_page(ink_on(image, ink)), np.eye(3), 0.1)
    boxes = [box for spec in ROWS.fields for box in spec.boxes]
    crops = segment(page, ROWS.fields).crops
    for crop, character, box in zip(crops, "".join(TEXTS.values()), boxes, strict=True):
        own = ink[round(box.top) : round(box.bottom), round(box.left) : round(box.right)]
        expected = own.sum() * (48 / box.height) ** 2
        if character == "_":
            assert crop.ink.sum() < 5
        else:
            assert 0.75 * expected < crop.ink.sum() < 1.35 * expected


@pytest.mark.parametrize(("dash", "gap"), DASHES)
def test_gaps_are_filled_as_dark_as_dots(dash: int, gap: int) -> None:
    """And nothing between the lines."""
    image = np.full((300, 560), 250, np.uint8)
    draw_dotted(image, dash, gap)
    seen = view(image)
    filled = fill_dotted(seen)
    assert (filled.dark >= seen.dark).all()
    for left, top, right, bottom in np.rint(filled.frames.edges).astype(int):
        line = filled.dark[top - 1 : top + 2, left + 6 : right - 6].max(axis=0)
        assert line.min() > 0.5 * line.max()
        inside = slice(top + 8, bottom - 8), slice(left + 8, right - 8)
        assert (filled.dark[inside] == seen.dark[inside]).all()


@pytest.mark.parametrize("level", [60, 150, 220])
def test_solid_frames_are_left_alone(level: int) -> None:
    """Dark or pale, with writing across them."""
    image = np.full((300, 560), 250, np.uint8)
    draw_frames(image, [box for spec in ROWS.fields for box in spec.boxes], level=level)
    seen = view(ink_on(image, hand_in(ROWS, TEXTS)))
    assert fill_dotted(seen) is seen
