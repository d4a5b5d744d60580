"""A page's print compared with that of reference images, near the boxes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import TemplateError
from pipeline.geometry import Matrix, bounding_box, reduce, transform
from pipeline.matching import PageRows
from pipeline.records import Box, GreyImage, Points
from pipeline.sketch import Sketch
from pipeline.template import FormTemplate

REFERENCE_PX = 900
"""The longer side at which a reference's print is compared."""
POINTS = 300
TOLERANCE = (-3.0, -1.5, 0.0, 1.5, 3.0)
"""How far off print may be, likewise."""
AROUND = 4.0
"""Print is compared this far around the boxes, in their heights: nothing is fitted farther away."""
FRAME = 0.2
"""A box's frame is no farther from it, likewise."""
LEAST_POINTS = 40
"""Two references that differ in less show no difference."""
TELLING = 0.25
"""How much better one of two forms' own print must agree than the other's."""
SHIFTS = np.array([(40, 0), (-40, 0), (0, 40), (0, -40), (29, 29), (-29, -29)])
"""How far off, in thousandths of the page, print agrees by chance alone."""


def look_up(page: PageRows, points: Points) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether there is print at scan points (N, 2), and whether the scan shows them."""
    print_ = page.cells.print
    at = np.floor(points / page.cells.factor).astype(int)
    inside = np.all((at >= 0) & (at < print_.shape[::-1]), axis=1)
    at = np.where(inside[:, None], at, 0)
    inside_too = np.asarray(inside, np.bool_)
    return np.asarray((print_[at[:, 1], at[:, 0]] > 0) & inside, np.bool_), inside_too


def agreement_of(
    page: PageRows, points: Points, homography: Matrix, size: tuple[float, float]
) -> float | None:
    """How much of a reference's print is on the page, against what would be by chance."""
    unit = max(size) / 1000
    places = np.concatenate([points, *(points + shift * unit for shift in SHIFTS)])
    # What is printed may be off a little; what is looked for are lines of print, not single dots.
    tolerance = np.array([(x, y) for x in TOLERANCE for y in TOLERANCE]) * unit
    there = transform(homography, (places[:, None] + tolerance).reshape(-1, 2))
    seen, inside = look_up(page, there)
    each = (len(places) // len(points), len(points), len(tolerance))
    found, shown = (np.any(what.reshape(each), axis=2) for what in (seen, inside))
    found, shown = np.asarray(found, np.bool_), np.asarray(shown, np.bool_)
    if shown[0].sum() < 0.2 * len(points):
        return None
    own = found[0][shown[0]].mean()
    chance = found[1:][shown[1:]].mean()
    return float((own - chance) / max(1 - chance, 0.05))


def prefer_by_print(
    sketch: Sketch, one: tuple[FormTemplate, Matrix], other: tuple[FormTemplate, Matrix]
) -> int | None:
    """Tell two forms apart by what is printed on one of their references only.

    Args:
        sketch: The page.
        one: A template, and how the page lies on it.
        other: Another.

    Returns:
        0 or 1 for the form whose own print the page has, None where that cannot be told.
    """
    (first, _), (second, _) = one, other
    if first.reference is None or second.reference is None or first.size != second.size:
        return None
    agreements = []
    for (template, homography), rival in ((one, second), (other, first)):
        own = _own_print(template.reference, rival.reference, template.size)
        agreement = None
        if len(own) >= LEAST_POINTS:
            agreement = agreement_of(sketch.rows, own, homography, template.size)
        agreements.append(agreement or 0.0)
    difference = agreements[0] - agreements[1]
    return None if abs(difference) < TELLING else int(difference < 0)


@lru_cache(maxsize=64)
def _own_print(reference: Path, rival: Path, size: tuple[float, float]) -> Points:
    """Points (N, 2), in template pixels, printed on one reference and not near there on another."""
    own, others = (_print_of(each) for each in (reference, rival))
    same_size = cv2.resize(others, own.shape[::-1], interpolation=cv2.INTER_NEAREST)
    left = np.where(cv2.dilate(same_size, np.ones((5, 5), np.uint8)) > 0, 0, own)
    return _some_points(np.asarray(left, np.uint8), size)


@lru_cache(maxsize=256)
def reference_print(template: FormTemplate) -> Points:
    """Some points (N, 2), in template pixels, that are printed on a reference around its boxes.

    Raises:
        TemplateError: If the reference cannot be read.
    """
    if template.reference is None:
        return np.zeros((0, 2))
    dark = _print_of(template.reference)
    around = np.zeros_like(dark)
    for field in template.fields:
        area = bounding_box(field.boxes, AROUND * field.boxes[0].height)
        around[_pixels(area, dark, template)] = 255
    return _some_points(np.asarray(cv2.bitwise_and(dark, around), np.uint8), template.size)


@lru_cache(maxsize=256)
def loose_print(template: FormTemplate) -> Points:
    """Some points (N, 2), in template pixels, that a reference shows beside boxes and frames.

    Raises:
        TemplateError: If the reference cannot be read.
    """
    if template.reference is None:
        return np.zeros((0, 2))
    dark = _print_of(template.reference).copy()
    for box in (box for field in template.fields for box in field.boxes):
        area = bounding_box((box,), FRAME * box.height)
        dark[_pixels(area, dark, template)] = 0
    return _some_points(dark, template.size)


def _pixels(area: Box, image: GreyImage, template: FormTemplate) -> tuple[slice, slice]:
    """Rows and columns of an image of a whole form that an area of its template takes up."""
    y, x = np.array(image.shape) / np.array(template.size)
    top, bottom = (max(round(each * y), 0) for each in (area.top, area.bottom))
    left, right = (max(round(each * x), 0) for each in (area.left, area.right))
    return slice(top, bottom), slice(left, right)


@lru_cache(maxsize=64)
def _print_of(reference: Path) -> GreyImage:
    """What is dark on a reference image, 255, at about REFERENCE_PX."""
    image = read_reference(reference)
    small = reduce(image, max(1, round(max(image.shape) / REFERENCE_PX)))
    return np.asarray(
        cv2.adaptiveThreshold(
            small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 15, 12
        ),
        np.uint8,
    )


def _some_points(dark: GreyImage, size: tuple[float, float]) -> Points:
    y, x = np.nonzero(dark)
    chosen = np.random.default_rng(0).permutation(len(x))[:POINTS]
    to_template = np.array([size[1] / dark.shape[1], size[0] / dark.shape[0]])
    return np.asarray((np.column_stack([x, y])[chosen] + 0.5) * to_template, np.float64)


def read_reference(reference: Path) -> GreyImage:
    """Decode a reference image.

    Raises:
        TemplateError: If it cannot be read.
    """
    image = cv2.imdecode(np.frombuffer(reference.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise TemplateError(f"{reference}: the reference image cannot be read; save it as PNG.")
    return np.asarray(image, np.uint8)
