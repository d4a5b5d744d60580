"""Frames that the ink does not show are drawn; those that it shows are not touched."""

import numpy as np
import pytest

from pipeline.geometry import as_edges
from pipeline.records import AlignedPage, GreyImage
from pipeline.segment import segment
from pipeline.strips import Groups
from pipeline.unseen import draw_unseen
from tests.pipeline.forms import as_page, draw_frames, field, hand_in, ink_on, row
from tests.pipeline.forms import form as form_of

BOXES = row(60, 60, 6)
OTHERS = row(60, 180, 4)
EDGES = as_edges(BOXES + OTHERS)
GROUPS = Groups.of_sizes([6, 4])
FORM = form_of("row", field("code", BOXES), size=(180.0, 400.0))


def inked(*rows: tuple) -> GreyImage:
    """Ink that shows the frames of some rows."""
    image = np.full((300, 420), 255, np.uint8)
    for boxes in rows:
        draw_frames(image, boxes, level=0)
    return np.asarray(255 - image, np.uint8)


def test_frames_that_are_seen_are_left() -> None:
    """The very same ink is given back."""
    ink = inked(BOXES, OTHERS)
    assert draw_unseen(ink, EDGES, GROUPS) is ink


def test_frames_that_are_not_seen_are_drawn() -> None:
    """Those of one field alone, and no ink is lost."""
    ink = inked(BOXES)
    drawn = draw_unseen(ink, EDGES, GROUPS)
    assert (drawn >= ink).all()
    assert (drawn[:150] == ink[:150]).all()
    for box in OTHERS:
        left, top, right, bottom = (round(e) for e in (box.left, box.top, box.right, box.bottom))
        assert drawn[top, left : right + 1].min() == 255
        assert drawn[bottom, left : right + 1].min() == 255
        assert drawn[top : bottom + 1, [left, right]].min() == 255
        assert not drawn[top + 4 : bottom - 4, left + 4 : right - 4].any()


@pytest.mark.parametrize("level", [60, 225])
def test_what_is_around_a_digit_shows_its_frame_however_pale(level: int) -> None:
    """The digit itself is the same."""
    image = np.full((180, 400), 250, np.uint8)
    draw_frames(image, BOXES, level=level)
    page = AlignedPage(as_page(ink_on(image, hand_in(FORM, {"code": "834701"}))), np.eye(3), 0.1)
    for crop in segment(page, FORM.fields).crops:
        assert crop.around is not None
        assert (crop.around > 128).sum() > 100
