"""A page found by its edges and the layout of its printed boxes alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.edges import find_page_edges
from pipeline.geometry import (
    Matrix,
    bounding_box,
    local_scale,
    reduce,
    sample_strip,
    scaling,
    transform,
    translation,
)
from pipeline.ink import darkness
from pipeline.records import Floats, GreyImage, Points
from pipeline.sketch import Sketch
from pipeline.template import FieldSpec, FormTemplate

BOX_PX = 14
"""Boxes are looked for at this height."""
SEARCH = 0.09
"""How far off a field may be, as a share of the page's longer side."""
PEAKS = 4
VOTERS = 8
"""How many fields, spread over the page, are asked where it lies."""
PART = (0.3, 0.85)
"""How much of its length may be left of a page one end of which is missing."""
TICK = 0.25
"""How much of an upright line open combs have, at its lower end."""
SCALES = (1.0, 0.98, 1.02, 0.96, 1.04, 0.94, 1.06, 0.92, 0.9, 0.88)
"""A scan may be larger than its page, and a page printed smaller than its template."""


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """A page at reduced size in which boxes are looked for."""

    level: Floats
    """How much each pixel looks like part of a level line."""
    upright: Floats
    to_search: Matrix
    """(3, 3), template pixels to pixels of the search."""
    steps: int
    """How far off a field may be, in pixels of the search."""
    combs: bool
    """Whether it is ticks that are looked for, and no lines."""


def find_layout_homographies(
    sketch: Sketch, template: FormTemplate, *, combs: bool = False
) -> Iterator[list[Matrix]]:
    """Guess how a page lies from its edges and the boxes printed on it.

    Args:
        sketch: The page.
        template: The form.
        combs: Whether its boxes are told by ticks between them, and have no other lines.

    Yields:
        For each guess at the page's edges some (3, 3) homographies, template pixels to scan
        pixels: rows of boxes look alike when shifted by a box, so the best of them is to be
        chosen, and may be wrong.
    """
    shape, outline = sketch.image.shape, sketch.outline
    for edges in find_page_edges(shape, template.size, outline, lambda: sketch.skew):
        corrections = _match_boxes(sketch.image, edges, template, combs=combs)
        yield [edges @ correction for correction in corrections]


def find_part_homographies(sketch: Sketch, template: FormTemplate) -> Iterator[Matrix]:
    """Guess how a page lies one end of which is missing, from its other edges and its boxes.

    Args:
        sketch: The page.
        template: The form.

    Yields:
        (3, 3) homographies, template pixels to scan pixels; most of them wrong.
    """
    height, width = sketch.image.shape
    shown = sketch.outline
    if shown is None:
        angle = np.deg2rad(sketch.skew)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        middle = np.array([width / 2, height / 2])
        ends = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
        shown = (ends - middle) @ turn + middle
    for quarters in range(4):
        for edges in _extend(np.roll(shown, -quarters, axis=0), template.size):
            yield from (
                edges @ each for each in _match_boxes(sketch.image, edges, template, combs=False)
            )


def _extend(shown: Points, size: tuple[float, float]) -> Iterator[Matrix]:
    """Ways to lay a page on the part of it with corners (4, 2) that goes on at one side."""
    first, along, _, down = shown
    sides = np.array([along - first, down - first])
    lengths = np.hypot(*sides.T)
    units, page = sides / lengths[:, None], np.array(size[::-1])
    for whole, part in ((0, 1), (1, 0)):
        scale = lengths[whole] / page[whole]
        share = lengths[part] / (scale * page[part])
        if not PART[0] < share < PART[1]:
            continue
        beyond = units[part] * (scale * page[part] - lengths[part])
        for origin in (first, first - beyond):
            yield np.vstack([np.column_stack([*(scale * units), origin]), (0.0, 0.0, 1.0)])


def _match_boxes(
    image: GreyImage, edges: Matrix, template: FormTemplate, *, combs: bool
) -> list[Matrix]:
    """Ways to correct a page's place by its boxes, (3, 3), template pixels to template pixels."""
    search = _prepare(image, edges, template, combs)
    stretches = [_stretch(template.size, scale) for scale in SCALES]
    fields = spread_fields(template.fields, VOTERS)
    votes = [_votes(search, fields, stretch) for stretch in stretches]
    best = int(np.argmax([each.max() for each in votes]))
    scale = search.to_search[0, 0]
    return [
        translation(x / scale, y / scale) @ stretches[best]
        for x, y in _peaks(votes[best], search.steps)
    ]


def _prepare(image: GreyImage, edges: Matrix, template: FormTemplate, combs: bool) -> _Search:
    boxes = [box for field in template.fields for box in field.boxes]
    reach = SEARCH * max(template.size)
    area = bounding_box(boxes, reach + max(box.height for box in boxes))
    scale = BOX_PX / float(np.median([box.height for box in boxes]))
    factor = max(1, int(local_scale(edges, (area.left, area.top)) / scale))
    factor = min(factor, *image.shape)
    small, to_small = reduce(image, factor), scaling(1 / factor, 1 / factor) @ edges
    dark = darkness(sample_strip(small, to_small, area, scale).image, reach=BOX_PX // 2)
    length = round((TICK if combs else 0.6) * BOX_PX)
    level = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    upright = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    # A black bar or picture must not outvote the many thin lines of the frames.
    ceiling = max(0.05 * 255, float(np.percentile(np.maximum(level, upright), 97)))
    to_search = scaling(scale, scale) @ translation(-area.left, -area.top)
    level, upright = (np.minimum(lines, ceiling).astype(np.float32) for lines in (level, upright))
    return _Search(level, upright, to_search, round(reach * scale), combs)


def _stretch(size: tuple[float, float], scale: float) -> Matrix:
    """Scale a page about its middle."""
    middle = size[1] / 2, size[0] / 2
    return translation(*middle) @ scaling(scale, scale) @ translation(-middle[0], -middle[1])


def _votes(search: _Search, fields: Sequence[FieldSpec], stretch: Matrix) -> Floats:
    """Let each field say where the page could be shifted to: (2 steps + 1, 2 steps + 1)."""
    votes = np.zeros((2 * search.steps + 1,) * 2, np.float32)
    for field in fields:
        votes += _field_votes(search, field, stretch)
    return votes


def _field_votes(search: _Search, field: FieldSpec, stretch: Matrix) -> Floats:
    points = np.array([[(b.left, b.top), (b.right, b.bottom)] for b in field.boxes])
    places = transform(search.to_search @ stretch, points.reshape(-1, 2)).reshape(-1, 2, 2)
    places = np.rint(places).astype(int)
    start = places.min(axis=(0, 1)) - 1
    size = places.max(axis=(0, 1)) - start + 2
    level, upright = (np.zeros(size[::-1], np.float32) for _ in range(2))
    for (left, top), (right, bottom) in places - start:
        level[[top, bottom], left : right + 1] = 1
        end = bottom - round(TICK * (bottom - top)) if search.combs else top
        upright[end : bottom + 1, [left, right]] = 1
    columns, rows = (
        slice(begin - search.steps, begin + length + search.steps)
        for begin, length in zip(start, size, strict=True)
    )
    lines = ((search.upright, upright), (search.level, level))
    fit = sum(
        cv2.matchTemplate(_cut(seen, rows, columns), wanted, cv2.TM_CCOEFF) / wanted.sum()
        for seen, wanted in lines[: 1 if search.combs else 2]
    )
    # Fields need not agree to the pixel: paper stretches, and the skew is known only roughly.
    return np.asarray(cv2.dilate(np.asarray(fit, np.float32), np.ones((5, 5), np.uint8)))


def spread_fields(fields: Sequence[FieldSpec], count: int) -> list[FieldSpec]:
    """Choose some fields that lie far from each other, those of many boxes first."""
    centres = np.array([_centre(field) for field in fields])
    chosen = [int(np.argmax([len(field.boxes) for field in fields]))]
    while len(chosen) < min(count, len(fields)):
        distances = np.linalg.norm(centres[:, None] - centres[chosen], axis=2).min(axis=1)
        chosen.append(int(np.argmax(distances)))
    return [fields[i] for i in chosen]


def _centre(field: FieldSpec) -> tuple[float, float]:
    box = bounding_box(field.boxes)
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _peaks(votes: Floats, steps: int) -> list[tuple[float, float]]:
    """The shifts x, y with the most votes, apart from each other by half a box or more."""
    left, peaks = votes.copy(), []
    for _ in range(PEAKS):
        row, column = np.unravel_index(int(np.argmax(left)), left.shape)
        peaks.append((float(column) - steps, float(row) - steps))
        cv2.circle(left, (int(column), int(row)), BOX_PX // 2, float(votes.min()), thickness=-1)
    return peaks


def _cut(image: Floats, rows: slice, columns: slice) -> Floats:
    """Cut a window that may reach over the image's edges, where it is 0."""
    inside = image[max(rows.start, 0) : rows.stop, max(columns.start, 0) : columns.stop]
    before = max(-rows.start, 0), max(-columns.start, 0)
    after = max(rows.stop - image.shape[0], 0), max(columns.stop - image.shape[1], 0)
    return np.pad(inside, ((before[0], after[0]), (before[1], after[1])))
