"""Boxes that are set off by their tone alone are found, and nothing else is taken for them."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.cells import find_cells
from pipeline.choose import choose
from pipeline.errors import AlignmentError
from pipeline.frames import FieldsView, view_fields
from pipeline.page import cut_page, fields_found
from pipeline.records import Box, GreyImage
from pipeline.template import FormTemplate
from pipeline.tones import look_by_tone
from tests.pipeline.forms import (
    CLAIM,
    MARKERS,
    ORDER,
    all_corners,
    as_page,
    draw_frames,
    hand_in,
    ink_on,
    lay,
    misses,
    print_form,
    scan,
)

MARKED = replace(CLAIM, markers=MARKERS)
TEXTS = {"number": "160483527", "day": "0407____", "code": "834_01", "phone": "9876501234"}
STYLES = ["tiles", "row", "panel", "page"]
WHITE = 252


def fill(image: GreyImage, box: Box, level: int, inset: float) -> None:
    """Print a box that has no outline."""
    image[
        round(box.top + inset) : round(box.bottom - inset),
        round(box.left + inset) : round(box.right - inset),
    ] = level


def print_tones(template: FormTemplate, style: str, contrast: int = 40) -> GreyImage:
    """Print a form's boxes on a tint, or as tints, with its words and markers and no line."""
    sheet = print_form(replace(template, fields=()))
    sheet[sheet > 240] = WHITE
    tint = WHITE - contrast
    if style == "page":
        sheet[sheet == WHITE] = tint
    for spec in template.fields:
        first, last = spec.boxes[0], spec.boxes[-1]
        around = Box(first.left, first.top, last.right, last.bottom)
        if style == "panel":
            fill(sheet, around, tint, -18)
        if style == "row":
            fill(sheet, around, tint, 0)
            for box in spec.boxes[1:]:
                x = round(box.left)
                sheet[round(box.top) : round(box.bottom), x - 2 : x + 2] = WHITE
            continue
        for box in spec.boxes:
            fill(sheet, box, tint if style == "tiles" else WHITE, 2)
    return sheet


def view(image: GreyImage) -> FieldsView:
    """The form's fields on a page that lies straight, as far as dark lines tell."""
    return view_fields(
        image, np.eye(3), [spec.boxes for spec in CLAIM.fields], reach=0.35, box_px=48
    )


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("degrees", "contrast", "template"), [(0, 40, CLAIM), (3, 20, MARKED)])
def test_a_form_of_tones_is_found(
    style: str, degrees: float, contrast: int, template: FormTemplate
) -> None:
    """Whether it is the boxes that are tinted or what is around them, faintly or clearly."""
    fields = [spec for spec in template.fields if style != "row" or spec.name != "code"]
    template = replace(template, fields=tuple(fields))  # its boxes stand apart
    texts = {spec.name: TEXTS[spec.name] for spec in fields if spec.name in TEXTS}
    sheet = ink_on(print_tones(template, style, contrast), hand_in(template, texts))
    lie, size = lay(template.size, degrees=degrees, scale=0.98)
    page = as_page(scan(sheet, lie, size))
    _, aligned = choose(page, [template])
    assert misses(aligned.homography, lie, all_corners(template)).max() < 4
    assert all(fields_found(cut_page(page, [template])))


@pytest.mark.parametrize("style", ["tiles", "panel", "page"])
def test_a_digit_is_cut_whole_and_a_blank_box_is_blank(style: str) -> None:
    """No step of tone is ink."""
    ink = hand_in(CLAIM, TEXTS)
    crops = iter(cut_page(as_page(ink_on(print_tones(CLAIM, style), ink)), [CLAIM]).cut.crops)
    for spec in CLAIM.fields:
        for box, character in zip(
            spec.boxes, TEXTS.get(spec.name, "_" * len(spec.boxes)), strict=True
        ):
            mass = next(crops).ink.sum()
            own = ink[round(box.top) : round(box.bottom), round(box.left) : round(box.right)]
            expected = own.sum() * (48 / box.height) ** 2
            assert mass < 5 if character == "_" else 0.7 * expected < mass < 1.35 * expected


def test_a_form_with_lines_and_tones_is_found() -> None:
    """Each field by what it has."""
    lined = replace(CLAIM, fields=CLAIM.fields[:2])
    sheet = print_tones(replace(CLAIM, fields=CLAIM.fields[2:]), "tiles")
    draw_frames(sheet, [box for spec in lined.fields for box in spec.boxes])
    assert all(fields_found(cut_page(as_page(ink_on(sheet, hand_in(CLAIM, TEXTS))), [CLAIM])))


def test_lines_are_found_that_are_very_pale_beside_the_pen() -> None:
    """Print that drops out in the scanner leaves little more."""
    sheet = ink_on(print_form(CLAIM, thickness=1.5, level=222), hand_in(CLAIM, TEXTS))
    lie, size = lay(CLAIM.size, degrees=2)
    _, aligned = choose(as_page(scan(sheet, lie, size)), [CLAIM])
    assert misses(aligned.homography, lie, all_corners(CLAIM)).max() < 2


@pytest.mark.parametrize("style", STYLES)
def test_tones_of_another_form_are_refused(style: str) -> None:
    """They lie elsewhere."""
    with pytest.raises(AlignmentError):
        choose(as_page(print_tones(ORDER, style)), [CLAIM])


@pytest.mark.parametrize("level", [60, 200])
def test_where_lines_are_seen_no_tones_are_looked_for(level: int) -> None:
    """Nor where there is but one tone."""
    lined = view(ink_on(print_form(CLAIM, level=level), hand_in(CLAIM, TEXTS)))
    assert look_by_tone(lined, reach=0.35, box_px=48) is lined
    bare = view(ink_on(np.full((1400, 1000), WHITE, np.uint8), hand_in(CLAIM, TEXTS)))
    assert look_by_tone(bare, reach=0.35, box_px=48) is bare


@pytest.mark.parametrize("style", ["lines", "tiles", "panel"])
def test_each_box_is_one_cell(style: str) -> None:
    """However many ways show it."""
    sheet = print_form(CLAIM) if style == "lines" else print_tones(CLAIM, style)
    boxes = all_corners(CLAIM).reshape(-1, 4, 2).mean(axis=1)
    cells = find_cells(sheet, (46.0, 56.0), by_tone=True).centres
    near = np.abs(boxes[:, None] - cells).max(axis=2) < 10
    assert (near.sum(axis=1) == 1).all()
