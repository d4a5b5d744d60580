"""The page that is filled: the template's reference, or a plain one with its boxes printed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from pipeline.authoring.picture import DPI, boxes_of
from pipeline.complaints import listening
from pipeline.errors import InputFileError, TemplateError
from pipeline.geometry import bounding_box
from pipeline.records import Box, GreyImage
from pipeline.template import FieldSpec, FormTemplate

_MARKER_LEVEL = 20
_SHIFT_BITS = 4
_FILLED_SHARE = 0.3
"""From this share of boxes with dark ink in them, a reference is taken for a filled page."""


AUTO = "auto"
"""Write on the reference; where that is a filled page, clear its boxes and print them anew."""
REFERENCE = "reference"
"""Write on the reference as it is."""
DRAWN = "drawn"
"""Write on a plain page with the boxes' frames and the markers."""


@dataclass(frozen=True, slots=True)
class Line:
    """How frames are printed."""

    px: int = 3
    """Their thickness, at 300 dpi."""
    level: int = 70
    """Their grey, 0 black."""


LINE = Line()


@dataclass(frozen=True, slots=True, eq=False)
class BlankPage:
    """A page to write on, and what was done to get it."""

    image: GreyImage
    """uint8 of shape (H, W, 3), RGB, at the template's own size."""
    remark: str


def at_full_resolution(template: FormTemplate, dpi: float) -> FormTemplate:
    """Give the same form in pixels at 300 dpi.

    Args:
        template: The form.
        dpi: What its pixels are; templates in millimetres are at 300 dpi already.
    """
    times = DPI / dpi
    if times == 1:
        return template
    markers = template.markers
    if markers is not None:
        centres = tuple((x * times, y * times) for x, y in markers.centres)
        markers = replace(markers, size=markers.size * times, centres=centres)
    return replace(
        template,
        size=(template.size[0] * times, template.size[1] * times),
        markers=markers,
        fields=tuple(_scaled(spec, times) for spec in template.fields),
    )


def _scaled(spec: FieldSpec, times: float) -> FieldSpec:
    edges = ((box.left, box.top, box.right, box.bottom) for box in spec.boxes)
    return replace(spec, boxes=tuple(Box(*(edge * times for edge in each)) for each in edges))


def blank_page(template: FormTemplate, base: str = AUTO, line: Line = LINE) -> BlankPage:
    """Get the page that is filled.

    Args:
        template: The form, at 300 dpi.
        base: AUTO, REFERENCE, DRAWN, or the path of an image of the blank form.
        line: Of the frames that are drawn.

    Raises:
        TemplateError: If no reference is there where one is asked for, or it is damaged.
        InputFileError: If the image is missing or damaged.
    """
    if base not in {AUTO, REFERENCE, DRAWN}:
        return BlankPage(_read(Path(base), template.size, InputFileError), f"wrote on {base}")
    if template.reference is None:
        if base == REFERENCE:
            raise TemplateError(
                f"template {template.template_id} has no align > reference; give it one, or "
                "leave --page out."
            )
        return BlankPage(
            _draw(template, line), "no reference: wrote on a plain page with its frames"
        )
    if base == DRAWN:
        return BlankPage(_draw(template, line), "wrote on a plain page with the frames")
    page = _read(template.reference, template.size, TemplateError)
    inked = _inked_boxes(page, template)
    if base == REFERENCE or inked < _FILLED_SHARE * len(boxes_of(template)):
        return BlankPage(page, f"wrote on {template.reference.name}")
    remark = (
        f"{template.reference.name} is a filled page ({inked} boxes hold ink): cleared its boxes "
        "and printed their frames anew; --page reference writes on it as it is"
    )
    return BlankPage(_cleared(page, template, line), remark)


def _read(
    path: Path, size: tuple[float, float], error: type[InputFileError | TemplateError]
) -> GreyImage:
    if not path.is_file():
        raise error(f"{path} does not exist; name an image of the blank form.")
    with listening():
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise error(f"{path}: cannot be decoded as an image; save it anew, as PNG.")
    height, width = (round(length) for length in size)
    area = cv2.INTER_AREA if image.shape[0] > height else cv2.INTER_CUBIC
    sized = cv2.resize(image, (width, height), interpolation=area)
    return np.asarray(cv2.cvtColor(sized, cv2.COLOR_BGR2RGB), np.uint8)


def _inked_boxes(page: GreyImage, template: FormTemplate) -> int:
    """Count the boxes in whose middle there is ink much darker than the paper round it."""
    grey = np.asarray(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), np.uint8)
    return sum(_is_inked(grey, box) for box in boxes_of(template))


def _is_inked(grey: GreyImage, box: Box) -> bool:
    in_x, in_y = 0.2 * box.width, 0.2 * box.height
    rows = slice(round(box.top + in_y), round(box.bottom - in_y))
    middle = grey[rows, round(box.left + in_x) : round(box.right - in_x)]
    paper = float(np.percentile(middle, 80))
    return bool((middle < 0.6 * paper).mean() > 0.02)


def _cleared(page: GreyImage, template: FormTemplate, line: Line) -> GreyImage:
    cleared = page.copy()
    for spec in template.fields:
        for box in spec.boxes:
            over = 0.08 * box.height
            rows = slice(max(round(box.top - over), 0), round(box.bottom + over))
            window = cleared[rows, max(round(box.left - over), 0) : round(box.right + over)]
            window[:] = np.percentile(window.reshape(-1, 3), 80, axis=0)
        _draw_frames(cleared, spec, line)
    return cleared


def _draw(template: FormTemplate, line: Line) -> GreyImage:
    height, width = (round(length) for length in template.size)
    page = np.full((height, width, 3), 255, np.uint8)
    for spec in template.fields:
        _draw_frames(page, spec, line)
        _label(page, spec, boxes_of(template))
    if template.markers is not None:
        half = template.markers.size / 2
        for x, y in template.markers.centres:
            if template.markers.shape == "square":
                cv2.rectangle(
                    page,
                    _fine(x - half, y - half),
                    _fine(x + half, y + half),
                    (_MARKER_LEVEL,) * 3,
                    -1,
                    cv2.LINE_AA,
                    _SHIFT_BITS,
                )
            else:
                radius = round(half * (1 << _SHIFT_BITS))
                cv2.circle(
                    page, _fine(x, y), radius, (_MARKER_LEVEL,) * 3, -1, cv2.LINE_AA, _SHIFT_BITS
                )
    return page


def _draw_frames(page: GreyImage, spec: FieldSpec, line: Line) -> None:
    for box in spec.boxes:
        start, end = _fine(box.left, box.top), _fine(box.right, box.bottom)
        cv2.rectangle(page, start, end, (line.level,) * 3, line.px, cv2.LINE_AA, _SHIFT_BITS)


def _fine(x: float, y: float) -> tuple[int, int]:
    """Give a point to parts of a pixel, as cv2 takes it; its pixels' middles are whole numbers."""
    return round((x - 0.5) * (1 << _SHIFT_BITS)), round((y - 0.5) * (1 << _SHIFT_BITS))


def _label(page: GreyImage, spec: FieldSpec, boxes: list[Box]) -> None:
    """Print a field's name above it, where no box stands."""
    around = bounding_box(spec.boxes)
    text, font, size = spec.name.replace("_", " "), cv2.FONT_HERSHEY_SIMPLEX, 1.0
    (width, height), below = cv2.getTextSize(text, font, size, 2)
    room = Box(around.left, around.top - height - below - 14, around.left + width, around.top - 8)
    taken = any(
        room.left < box.right
        and box.left < room.right
        and room.top < box.bottom
        and box.top < room.bottom
        for box in boxes
    )
    if not taken and room.top > 0 and room.right < page.shape[1]:
        place = round(room.left), round(around.top) - below - 10
        cv2.putText(page, text, place, font, size, (60, 60, 60), 2, cv2.LINE_AA)
