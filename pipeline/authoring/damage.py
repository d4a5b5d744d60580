"""What befalls a filled sheet before it is scanned: punched, stained, folded.

Paper may be covered or lost, but never what a person needs to read a box: holes, folds and dark
blots keep clear of boxes, and what does cross them lets the writing show through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from pipeline.authoring.picture import Picture, box_corners, develop, is_flat
from pipeline.errors import TemplateError
from pipeline.geometry import local_scale, transform
from pipeline.records import Floats, GreyImage, Points
from pipeline.template import PX_PER_MM

_CLEAR_MM = 1.0
_TRIES = 40
_ROUND = np.linspace(0, 2 * np.pi, 48, endpoint=False)
_COFFEE = np.array((0.72, 0.56, 0.36))
_DARK_INK = np.array((0.12, 0.14, 0.25))


def holes(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Punch two holes, above strength 1 four, along an edge.

    Where and how large: ISO 838, 6 mm wide, 12 mm from the edge, 80 mm apart.
    """
    if strength == 0:
        return picture
    sheet, mm = _flat(picture)
    height, width = sheet.size
    radius = 3 * mm * min(max(strength, 0.3), 1.0)
    along = mm * 80 * (np.array([-0.5, 0.5]) if strength <= 1 else np.array([-1.5, -0.5, 0.5, 1.5]))
    down, across = (length / 2 + along + mm * rng.normal(0, 2) for length in (height, width))
    inward = mm * (12 + rng.normal(0, 1))
    edges = (
        [(inward, y) for y in down],
        [(x, inward) for x in across],
        [(width - inward, y) for y in down],
        [(x, height - inward) for x in across],
    )
    for spots in edges:
        if all(_is_clear(sheet, _disc(spot, radius), mm) for spot in spots):
            cut = tuple(_disc(spot, radius) for spot in spots)
            return _on_ground(replace(sheet, holes=sheet.holes + cut), rng)
    raise _no_room("holes", picture)


def corner(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Fold a corner over or under, up to 40 mm of it at strength 1; it may take a marker along."""
    if strength == 0:
        return picture
    sheet, mm = _flat(picture)
    for triangle, flap in _folds(sheet, min(max(strength, 0.1), 2.0) * mm, rng):
        lost = sheet.lost | _markers_in(sheet, [triangle, flap], mm)
        clear = _is_clear(sheet, triangle, mm) and _is_clear(sheet, flap, mm)
        if clear and (len(lost) < 2 or lost == sheet.lost):
            return _on_ground(_fold(replace(sheet, lost=lost), triangle, flap, rng), rng)
    raise _no_room("corner", picture)


def stains(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Spill: rings and splashes of coffee that show what is below, and blots beside the boxes."""
    if strength == 0:
        return picture
    sheet, mm = _flat(picture)
    image = sheet.image.copy()
    for _ in range(1 + int(rng.poisson(1.5 * min(strength, 3)))):
        spot = rng.uniform(0.05, 0.95, 2) * sheet.size[::-1]
        radii = (36 * mm, 33.5 * mm) if rng.random() < 0.5 else (rng.uniform(4, 16) * mm, 0.0)
        tint = 1 - (1 - _COFFEE) * min(0.65 * strength, 0.9)
        _spill(image, sheet.image, _Drop(spot, radii, tint), rng)
    for _ in range(int(rng.integers(0, 3))):
        if (spot_and_size := _free_spot(sheet, mm, rng)) is not None:
            _spill(image, sheet.image, _Drop(*spot_and_size, _DARK_INK), rng)
    return replace(sheet, image=image)


def _flat(picture: Picture) -> tuple[Picture, float]:
    """Give the page as it is seen, and its pixels to a millimetre."""
    seen = picture if is_flat(picture) else develop(picture)
    return seen, PX_PER_MM * local_scale(seen.place, (0.0, 0.0))


def _disc(spot: tuple[float, float], radius: float) -> Points:
    return np.array(spot) + radius * np.column_stack([np.cos(_ROUND), np.sin(_ROUND)])


def _is_clear(sheet: Picture, outline: Points, mm: float) -> bool:
    """Tell whether a convex outline (N, 2) keeps clear of all boxes."""
    room = _CLEAR_MM * mm * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return not any(_overlap(outline, box + room) for box in box_corners(sheet))


def _overlap(first: Points, second: Points) -> bool:
    pair = first.astype(np.float32), second.astype(np.float32)
    return bool(cv2.intersectConvexConvex(*pair)[0] > 0)


def _markers_in(sheet: Picture, outlines: list[Points], mm: float) -> frozenset[int]:
    """Number the markers that one of some convex outlines touches."""
    markers = None if sheet.template is None else sheet.template.markers
    if markers is None:
        return frozenset()
    centres = transform(sheet.pose @ sheet.place, np.array(markers.centres))
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * markers.size / 2
    touched = (
        number
        for number, centre in enumerate(centres)
        if any(_overlap(outline, centre + square) for outline in outlines)
    )
    return frozenset(touched)


def _folds(sheet: Picture, mm: float, rng: Generator) -> Iterator[tuple[Points, Points]]:
    """Try folds, large ones first: the triangle that is lost, and the flap that covers as much."""
    height, width = sheet.size
    places = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    inward = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    order = sorted(rng.permutation(4).tolist(), key=lambda number: number not in sheet.lost)
    legs = mm * rng.uniform(18, 40) * rng.uniform(0.7, 1.0, 2)
    for shrink in np.geomspace(1, 0.2, 8):
        for number in order:
            along_x, along_y = inward[number] * legs * shrink
            tip = places[number]
            ends = tip + np.array([(along_x, 0), (0, along_y)])
            line = ends[1] - ends[0]
            foot = ends[0] + line * ((tip - ends[0]) @ line) / (line @ line)
            yield np.vstack([tip, ends]), np.vstack([2 * foot - tip, ends])


def _fold(sheet: Picture, triangle: Points, flap: Points, rng: Generator) -> Picture:
    """Cut the corner off; two times in three its back shows on the page, with a shadow."""
    height, width = sheet.size
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    gone = int(np.argmin(np.abs(frame - triangle[0]).sum(axis=1)))
    turned = np.roll(frame, -gone, axis=0)
    first, last = triangle[1], triangle[2]
    if abs(turned[1] - turned[0]) @ abs(first - turned[0]) < 1:
        first, last = last, first
    outline = np.vstack([first, turned[1:], last])
    image = sheet.image if rng.random() < 1 / 3 else _draw_flap(sheet.image, flap)
    return replace(sheet, image=image, outline=outline)


def _draw_flap(image: GreyImage, flap: Points) -> GreyImage:
    """Draw the back of a corner: plain paper, a little darker, lying in a shadow of its own."""
    changed = image.copy()
    reach = 12
    low = np.maximum(np.floor(flap.min(axis=0)).astype(int) - 3 * reach, 0)
    high = np.ceil(flap.max(axis=0)).astype(int) + 3 * reach
    window = changed[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(window.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(flap - low).astype(np.int32), 255, lineType=cv2.LINE_AA)
    shadow = cv2.GaussianBlur(mask, (0, 0), reach * 0.6).astype(np.float32) / 255
    cover = _like(window, mask.astype(np.float32) / 255)
    paper = np.percentile(image[::16, ::16].reshape(-1, *image.shape[2:]), 90, axis=0) * 0.965
    lit = window * _like(window, 1 - 0.45 * shadow)
    window[:] = np.rint(lit * (1 - cover) + paper * cover).astype(np.uint8)
    return changed


def _like(window: GreyImage, layer: Floats | Points) -> Floats | Points:
    return layer[:, :, None] if window.ndim == 3 else layer


def _on_ground(sheet: Picture, rng: Generator) -> Picture:
    """Give a page that no longer covers its ground a scanner's lid, most often white."""
    if sheet.ground is not None:
        return sheet
    level = rng.uniform(215, 250) if rng.random() < 0.7 else rng.uniform(15, 60)
    return replace(sheet, ground=np.full((2, 2, *sheet.image.shape[2:]), round(level), np.uint8))


def _free_spot(
    sheet: Picture, mm: float, rng: Generator
) -> tuple[Points, tuple[float, float]] | None:
    for _ in range(_TRIES):
        spot = rng.uniform(0.03, 0.97, 2) * sheet.size[::-1]
        radius = float(rng.uniform(1.5, 6)) * mm
        reach = _disc((spot[0], spot[1]), 1.4 * radius)
        if _is_clear(sheet, reach, mm) and not _markers_in(sheet, [reach], mm):
            return spot, (radius, 0.0)
    return None


class _Drop(NamedTuple):
    """A liquid that falls on a page."""

    spot: Points
    radii: tuple[float, float]
    """Outer and inner radius in pixels; an inner one of 0 makes a spot, not a ring."""
    tint: Points
    """Share of red, green and blue light that passes where it is thickest."""


def _spill(image: GreyImage, clean: GreyImage, drop: _Drop, rng: Generator) -> None:
    """Let a liquid dry on an image, changed in place; where two do, the darker one shows."""
    reach = int(1.4 * drop.radii[0])
    x, y = (round(float(part)) for part in drop.spot)
    top, left = max(y - reach, 0), max(x - reach, 0)
    window = image[top : y + reach, left : x + reach]
    rows = np.arange(top - y, top - y + window.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(left - x, left - x + window.shape[1], dtype=np.float32)[None]
    amount = _like(window, _dry(rows, columns, drop.radii, rng))
    shade = drop.tint if image.ndim == 3 else drop.tint.mean()
    below = clean[top : y + reach, left : x + reach]
    stained = np.rint(below * (1 - amount * (1 - shade))).astype(np.uint8)
    np.minimum(window, stained, out=window)


def _dry(rows: Floats, columns: Floats, radii: tuple[float, float], rng: Generator) -> Floats:
    """Give how much of a liquid is left round its middle: ragged, most of it at its rim.

    Args:
        rows: How far below its middle, shape (h, 1).
        columns: How far right of it, shape (1, w).
        radii: Of the drop.
        rng: The source of all variation.

    Returns:
        float32 of shape (h, w), 0 to 1.
    """
    outer, inner = radii
    angle, far = np.arctan2(rows, columns), np.hypot(rows, columns)
    phases, waves = rng.uniform(0, 2 * np.pi, 6), rng.normal(0, 0.028, 6)
    edge = np.full(far.shape, outer, np.float32)
    for order, (wave, phase) in enumerate(zip(waves, phases, strict=True), start=1):
        edge += outer * wave * np.sin(order * angle + phase)
    soft = 0.02 * outer + 1
    within = np.clip((edge - far) / soft, 0, 1) * np.clip((far - inner) / soft, 0, 1)
    rim = np.exp(-np.abs(edge - far) / (0.05 * outer))
    missing = np.clip(1.2 + 1.6 * np.sin(angle + phases[0]), 0.15, 1) if inner else 1.0
    return np.asarray(within * missing * np.clip(0.45 + 0.55 * rim, 0, 1), np.float32)


def _no_room(name: str, picture: Picture) -> TemplateError:
    form = "the page" if picture.template is None else f"template {picture.template.template_id}"
    return TemplateError(
        f"{form}: its boxes leave no room for {name!r}; leave it out of --degrade."
    )
