"""Combs: rows that are open above are found by their ticks, and whole frames are no combs."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.choose import choose
from pipeline.frames import FieldsView, view_fields
from pipeline.geometry import as_edges
from pipeline.page import cut_page, fields_found
from pipeline.records import Box, GreyImage
from tests.pipeline.forms import (
    CLAIM,
    MARKERS,
    all_corners,
    as_page,
    draw_frames,
    field,
    form,
    hand_in,
    ink_on,
    lay,
    misses,
    row,
    scan,
)

ROW = form("row", field("code", row(60, 60, 8)), size=(180.0, 500.0))
TEXTS = ("83492701", "11471147", "00000000", "7_______")
STYLES = ["ticks", "base", "tray"]


def draw_comb(image: GreyImage, boxes: Sequence[Box], style: str, high: float = 0.35) -> None:
    """Print ticks between boxes, with a line below them, or with ends as high as the boxes."""
    for x in sorted({box.left for box in boxes} | {box.right for box in boxes}):
        is_end = style == "tray" and x in {boxes[0].left, boxes[-1].right}
        top = boxes[0].bottom - (1.0 if is_end else high) * boxes[0].height
        image[round(top) : round(boxes[0].bottom), round(x) - 1 : round(x) + 2] = 60
    if style != "ticks":
        y = round(boxes[0].bottom)
        image[y - 1 : y + 2, round(boxes[0].left) : round(boxes[-1].right)] = 60


def view(image: GreyImage, across: float = 0.0, down: float = 0.0) -> FieldsView:
    """Look for the row's boxes a little aside of where they are."""
    moved = np.array([[1.0, 0.0, across], [0.0, 1.0, down], [0.0, 0.0, 1.0]])
    return view_fields(image, moved, [ROW.fields[0].boxes], reach=0.35, box_px=48)


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.floats(-13, 13), st.floats(0.3, 0.5), st.sampled_from(TEXTS), st.integers(0, 99))
def test_boxes_are_found_between_ticks(
    style: str, across: float, high: float, text: str, seed: int
) -> None:
    """Whatever is written there, and however far the row is moved aside, a quarter of a box."""
    image = np.full((180, 500), 250, np.uint8)
    boxes = ROW.fields[0].boxes
    draw_comb(image, boxes, style, high)
    found = view(ink_on(image, hand_in(ROW, {"code": text}, seed=seed)), across)
    assert found.frames.support.all()
    off = found.printed() + np.array([across, 0, across, 0]) - as_edges(boxes)
    assert np.abs(off[:, [0, 2]]).max() < 3


@pytest.mark.parametrize("level", [60, 150])
@pytest.mark.parametrize("seed", range(4))
def test_whole_frames_are_no_combs(seed: int, level: int) -> None:
    """Their upright lines go all the way."""
    image = np.full((180, 500), 250, np.uint8)
    draw_frames(image, ROW.fields[0].boxes, level=level)
    found = view(ink_on(image, hand_in(ROW, {"code": TEXTS[0]}, seed=seed)))
    off = found.printed() - as_edges(ROW.fields[0].boxes)
    assert np.abs(off).max() < 3
    assert found.frames.seen.all()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("degrees", [-3, 0, 4])
def test_a_form_of_combs_is_found_by_its_markers(style: str, degrees: float) -> None:
    """And all its fields are where the ticks say."""
    template = form("claim", *CLAIM.fields[:4], markers=MARKERS)
    sheet = np.full((1400, 1000), 252, np.uint8)
    for spec in template.fields:
        draw_comb(sheet, spec.boxes, style)
        if spec.name == "code":  # its boxes stand apart
            draw_frames(sheet, spec.boxes)
    for x, y in MARKERS.centres:
        sheet[round(y) - 15 : round(y) + 15, round(x) - 15 : round(x) + 15] = 0
    texts = {"number": "160483527", "day": "04072019", "amount": "_004711"}
    lie, size = lay(template.size, degrees=degrees, scale=0.98)
    page = as_page(scan(ink_on(sheet, hand_in(template, texts)), lie, size))
    _, aligned = choose(page, [template])
    assert misses(aligned.homography, lie, all_corners(template)).max() < 4
    assert all(fields_found(cut_page(page, [template])))


@pytest.mark.parametrize("degrees", [0, 2])
def test_a_form_of_ticks_alone_is_found_by_its_layout(degrees: float) -> None:
    """With neither markers nor a line; where it would almost fit a box aside, a person is asked."""
    template = form("claim", *CLAIM.fields[:2], *CLAIM.fields[3:])
    sheet = np.full((1400, 1000), 252, np.uint8)
    for spec in template.fields:
        draw_comb(sheet, spec.boxes, "ticks")
    texts = {"number": "160483527", "day": "04072019", "amount": "_004711"}
    lie, size = lay(template.size, degrees=degrees, scale=0.98)
    page = as_page(scan(ink_on(sheet, hand_in(template, texts)), lie, size))
    _, aligned = choose(page, [template])
    assert misses(aligned.homography, lie, all_corners(template)).max() < 4


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.floats(-8, 8), st.sampled_from(TEXTS), st.integers(0, 99))
def test_ticks_tell_how_far_down_a_row_is(down: float, text: str, seed: int) -> None:
    """By where they end, a sixth of a box off."""
    image = np.full((180, 500), 250, np.uint8)
    draw_comb(image, ROW.fields[0].boxes, "ticks")
    found = view(ink_on(image, hand_in(ROW, {"code": text}, seed=seed)), down=down)
    assert found.frames.support.all()
    off = found.printed() + np.array([0, down, 0, down]) - as_edges(ROW.fields[0].boxes)
    assert np.abs(off).max() < 3


def test_lines_that_end_nowhere_are_no_ticks() -> None:
    """They say nothing of how far down the row is."""
    image = np.full((180, 500), 250, np.uint8)
    for x in sorted({box.left for box in ROW.fields[0].boxes}):
        image[85:, round(x) - 1 : round(x) + 2] = 60
    assert view(image).frames.support.max() < 0.5
