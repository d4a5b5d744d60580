"""Pictures of how a page was read, whole and stage by stage; for people looking for a cause."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import bounding_box, sample_strip
from pipeline.normalize import SIDE, fit_all
from pipeline.page import CutPage
from pipeline.records import Box, FieldResult, Flag, PageResult
from pipeline.segment import Cut
from pipeline.surroundings import show_around
from pipeline.template import FieldSpec

ColourImage = NDArray[np.uint8]
ENLARGE = 3
CAPTION = 18
RED, GREEN, AMBER = (40, 40, 220), (60, 150, 40), (0, 130, 240)
GREY, WHITE = (90, 90, 90), (255, 255, 255)
READING_WIDTH = 1600
FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_reading(page: CutPage, result: PageResult) -> ColourImage:
    """Draw a page with what was read beside each field: green where accepted, amber for review.

    Args:
        page: The page as cut.
        result: The same page as read.

    Returns:
        uint8 of shape (H, W, 3), blue, green, red; as wide as READING_WIDTH.
    """
    height, width = page.template.size
    scale = READING_WIDTH / width
    whole = Box(0.0, 0.0, width, height)
    scan = sample_strip(page.aligned.page.image, page.aligned.homography, whole, scale)
    picture = np.asarray(cv2.cvtColor(scan.image, cv2.COLOR_GRAY2BGR), np.uint8)
    for spec, field in zip(page.template.fields, result.fields, strict=True):
        _write_field(picture, spec, field, scale)
    return picture


def _write_field(picture: ColourImage, spec: FieldSpec, field: FieldResult, scale: float) -> None:
    colour = GREEN if field.flag is Flag.ACCEPTED else AMBER
    for box in spec.boxes:
        start = round(box.left * scale), round(box.top * scale)
        end = round(box.right * scale), round(box.bottom * scale)
        cv2.rectangle(picture, start, end, colour, 2, cv2.LINE_AA)
    text, around = f"{field.raw}  {100 * field.confidence:.1f} %", bounding_box(spec.boxes)
    (width, height), _ = cv2.getTextSize(text, FONT, 0.8, 2)
    left = around.right * scale + 14
    if left + width > picture.shape[1]:
        left = around.left * scale - 14 - width
    base = (around.top + around.bottom) / 2 * scale + height / 2
    place = round(left), round(base)
    corner = place[0] + width + 4, place[1] + 9
    cv2.rectangle(picture, (place[0] - 4, place[1] - height - 7), corner, WHITE, thickness=-1)
    cv2.putText(picture, text, place, FONT, 0.8, colour, 2, cv2.LINE_AA)


def draw_stages(page: CutPage, captions: Sequence[str] = ()) -> ColourImage:
    """Draw every field of a page: its strip with the frames found, its ink, its boxes as read.

    Args:
        page: The page as cut.
        captions: A text for each field, such as what was read.

    Returns:
        uint8 of shape (H, W, 3), blue, green, red.
    """
    texts = captions or [field.name for field in page.template.fields]
    numbered = zip(range(len(page.template.fields)), texts, strict=True)
    rows = [_draw_field(page.cut, number, text) for number, text in numbered]
    width = max(row.shape[1] for row in rows)
    padded = [cv2.copyMakeBorder(r, 0, 8, 0, width - r.shape[1], 0, value=GREY) for r in rows]
    return np.asarray(np.vstack(padded), np.uint8)


def _draw_field(cut: Cut, number: int, text: str) -> ColourImage:
    start, end, height = cut.view.strips.spans[number]
    near = slice(height), slice(start, end)
    of_field = np.flatnonzero(cut.view.strips.groups.of_box == number)
    edges = np.rint(ENLARGE * (cut.view.frames.edges[of_field] - (start, 0, start, 0))).astype(int)
    strip = _enlarge(cut.view.image[near])
    for (left, top, right, bottom), seen in zip(
        edges.tolist(), cut.view.frames.seen[of_field], strict=True
    ):
        colour = GREEN if seen.all() else RED
        cv2.rectangle(strip, (left, top), (right, bottom), colour, 1)
    ink = cut.ink[near]
    ink = _enlarge(255 - np.where(cut.owners[near] >= 0, ink, ink // 3))
    digits = np.full((SIDE * ENLARGE, strip.shape[1], 3), GREY, np.uint8)
    crops = [cut.crops[box] for box in of_field]
    seen = show_around(fit_all([crop.ink for crop in crops]), crops)
    for image, (left, *_) in zip(seen, edges.tolist(), strict=True):
        tile = _enlarge(image)
        place = int(np.clip(left, 0, strip.shape[1] - tile.shape[1]))
        digits[:, place : place + tile.shape[1]] = tile
    title = np.full((CAPTION, strip.shape[1], 3), 255, np.uint8)
    cv2.putText(title, text, (4, 13), FONT, 0.45, RED, 1, cv2.LINE_AA)
    return np.asarray(np.vstack([title, strip, ink, digits]), np.uint8)


def _enlarge(image: NDArray[np.uint8]) -> ColourImage:
    large = cv2.resize(image, None, fx=ENLARGE, fy=ENLARGE, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), np.uint8)
