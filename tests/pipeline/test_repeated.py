"""What is printed alike around all boxes is not ink; what is written there is."""

import cv2
import numpy as np
import pytest

from pipeline.frames import FieldsView, view_fields
from pipeline.records import AlignedPage, Box, GreyImage
from pipeline.repeated import without_repeated
from pipeline.segment import segment
from tests.pipeline.forms import as_page, draw_frames, field, form, hand_in, ink_on, row

ROWS = form(
    "rows",
    field("code", row(60, 60, 8, gap=8)),
    field("day", row(60, 180, 6, gap=8)),
    size=(300.0, 560.0),
)
TEXTS = {"code": "8349_701", "day": "2_4071"}
BOXES = [spec.boxes for spec in ROWS.fields]


def rounded(box: Box, image: GreyImage, radius: int = 11) -> None:
    """Print a frame with round corners."""
    left, top, right, bottom = (round(e) for e in (box.left, box.top, box.right, box.bottom))
    for start, end in (
        ((left + radius, top), (right - radius, top)),
        ((left + radius, bottom), (right - radius, bottom)),
        ((left, top + radius), (left, bottom - radius)),
        ((right, top + radius), (right, bottom - radius)),
    ):
        cv2.line(image, start, end, 60, 2, cv2.LINE_AA)
    for x, y, angle in (
        (left + radius, top + radius, 180),
        (right - radius, top + radius, 270),
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 90),
    ):
        cv2.ellipse(image, (x, y), (radius, radius), angle, 0, 90, 60, 2, cv2.LINE_AA)


def tray(boxes: tuple[Box, ...], image: GreyImage) -> None:
    """Print a box around a row, with short ticks in it."""
    left, top, right, bottom = boxes[0].left, boxes[0].top, boxes[-1].right, boxes[0].bottom
    draw_frames(image, [Box(left, top, right, bottom)])
    for box in boxes[1:]:
        x = round(box.left)
        image[round(bottom - 0.35 * box.height) : round(bottom), x - 1 : x + 2] = 60


def grown(box: Box, by: float) -> Box:
    """A box with its sides so much farther out."""
    return Box(box.left - by, box.top - by, box.right + by, box.bottom + by)


def sheet(style: str) -> GreyImage:
    """The blank form."""
    image = np.full((300, 560), 250, np.uint8)
    for boxes in BOXES:
        if style == "rounded":
            for box in boxes:
                rounded(box, image)
        elif style == "tray":
            tray(boxes, image)
        elif style == "double":
            draw_frames(image, [grown(box, by) for box in boxes for by in (-3, 3)], thickness=1.5)
        elif style == "thick":
            draw_frames(image, boxes, thickness=8)
        else:
            draw_frames(image, boxes)
    return image


def view(image: GreyImage) -> FieldsView:
    """Its fields as seen."""
    return view_fields(image, np.eye(3), BOXES, reach=0.35, box_px=48)


@pytest.mark.parametrize("style", ["rounded", "tray", "double", "thick"])
def test_nothing_is_left_of_frames_and_all_of_the_digits(style: str) -> None:
    """A blank box is blank, and a digit is as large as on a page without any frame."""
    template = ROWS
    if style == "tray":  # its boxes join
        template = form(
            "rows", field("code", row(60, 60, 8)), field("day", row(60, 180, 6)), size=ROWS.size
        )
        image = np.full((300, 560), 250, np.uint8)
        for spec in template.fields:
            tray(spec.boxes, image)
    else:
        image = sheet(style)
    ink = hand_in(template, TEXTS)
    page = AlignedPage(as_page(ink_on(image, ink)), np.eye(3), 0.1)
    written = "".join(TEXTS.values())
    for crop, character, box in zip(
        segment(page, template.fields).crops,
        written,
        (box for spec in template.fields for box in spec.boxes),
        strict=True,
    ):
        if character == "_":
            assert crop.ink.sum() < 5
            continue
        height = round(box.top), round(box.bottom)
        own = ink[height[0] : height[1], round(box.left) : round(box.right)]
        expected = own.sum() * (48 / box.height) ** 2
        assert 0.75 * expected < crop.ink.sum() < 1.35 * expected


def test_plain_frames_are_left_to_be_taken_line_by_line() -> None:
    """Nothing is repeated around them but their lines."""
    seen = view(ink_on(sheet("plain"), hand_in(ROWS, TEXTS)))
    assert without_repeated(seen) is seen
