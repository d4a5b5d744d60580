"""Lost strokes: a bar on the frame line is missed, and the box is marked for it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.classifier import load_classifier
from pipeline.recognize import DOUBT, recognize
from pipeline.records import AlignedPage, GreyImage
from pipeline.segment import Cut, segment
from tests.pipeline.forms import as_page, draw_frames, field, row

BOXES = row(70, 64, 8, width=60, height=72)
PEN, FRAME = 90, 110


def form() -> GreyImage:
    """A row of empty boxes, their lines about as dark as the pen."""
    page = np.full((200, 640), 250, np.uint8)
    draw_frames(page, BOXES, thickness=3, level=FRAME)
    return page


def write_seven(page: GreyImage, number: int, bar_below_line: int) -> None:
    """Write a 7 whose bar runs on the upper line, or so many pixels below it."""
    box = BOXES[number]
    y = round(box.top) + bar_below_line
    cv2.line(page, (round(box.left) + 14, y), (round(box.right) - 12, y), PEN, 5)
    cv2.line(page, (round(box.right) - 14, y), (round(box.left) + 24, y + 48), PEN, 5)


def cut(page: GreyImage) -> Cut:
    """Cut a page that lies straight."""
    return segment(AlignedPage(as_page(page), np.eye(3), 0.0), [field("code", BOXES)])


def test_clean_boxes_are_not_doubted() -> None:
    """Empty ones, and digits well inside."""
    page = form()
    write_seven(page, 3, bar_below_line=14)
    assert not any(crop.doubtful for crop in cut(page).crops)


@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2])
def test_a_seven_without_its_bar_is_not_taken_for_a_one(offset: int) -> None:
    """The bar on the line is kept with the digit, or the box is doubted."""
    page = form()
    write_seven(page, 3, bar_below_line=offset)
    crop = cut(page).crops[3]
    has_bar = crop.ink.shape[1] > 0.8 * crop.ink.shape[0] * (60 - 26) / 48
    assert has_bar or crop.doubtful


def test_a_doubted_box_is_never_sure() -> None:
    """Whatever the network makes of what is left."""
    page = form()
    write_seven(page, 3, bar_below_line=14)
    found = cut(page)
    sure = recognize(found.crops, load_classifier())
    doubted = [replace(crop, doubtful=True) for crop in found.crops]
    for before, after in zip(sure, recognize(doubted, load_classifier()), strict=True):
        assert after.ranked()[0][0] == before.ranked()[0][0]
        assert after.ranked()[0][1] < 1 - DOUBT / 2
        assert after.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_a_box_whose_ink_went_to_its_neighbour_is_no_sure_blank() -> None:
    """A dash that runs into the next digit is kept, or its box is doubted; bare boxes are not."""
    page = form()
    left, right = BOXES[3], BOXES[4]
    y = round(left.top) + 36
    cv2.line(page, (round(left.left) + 34, y), (round(right.left) + 22, y), PEN, 5)
    write_seven(page, 4, bar_below_line=14)
    cv2.line(page, (round(right.left) + 14, y), (round(right.right) - 14, y), PEN, 12)
    crops = cut(page).crops
    assert crops[3].doubtful or (crops[3].ink > 0).sum() > 1
    assert not any(crops[place].doubtful for place in (0, 1, 2, 5, 6, 7))


@pytest.mark.parametrize("dashed", [False, True])
def test_a_fold_through_an_empty_box_is_no_one(dashed: bool) -> None:
    """It goes on above and below; the box is empty, but not surely."""
    page = form()
    write_seven(page, 3, bar_below_line=14)
    x = round(BOXES[1].left) + 31
    for y in range(0, 200, 9):
        cv2.line(page, (x, y), (x + 1, y + (5 if dashed else 9)), 140, 3)
    crops = cut(page).crops
    assert not crops[1].ink.any() and crops[1].doubtful
    assert crops[3].ink.any()


def test_a_one_that_leaves_its_box_is_a_one() -> None:
    """At one end, or at both ends by less than a fold; with print above it too."""
    page = form()
    for number, (above, below) in enumerate([(20, -8), (-8, 20), (6, 6)]):
        box, x = BOXES[number], round(BOXES[number].left) + 31
        cv2.line(page, (x, round(box.top) - above), (x - 3, round(box.bottom) + below), PEN, 5)
    cv2.putText(page, "number", (70, 56), cv2.FONT_HERSHEY_DUPLEX, 0.8, 40, 1, cv2.LINE_AA)
    assert all(crop.ink.any() for crop in cut(page).crops[:3])
