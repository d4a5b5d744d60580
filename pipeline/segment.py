"""AlignedPage to BoxCrops: each box's own ink, without its frame and without its neighbours'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import SegmentationError
from pipeline.frames import BOX_HEIGHT, FieldView, FrameFit, view_field
from pipeline.records import AlignedPage, Box, BoxCrop, Floats
from pipeline.template import FieldSpec

REACH = 0.35
"""How far the printed frames may be from where the page's alignment puts them, as a share of the
height of a box."""
OVERHANG = 0.3
"""How far a digit's ink may leave its box, likewise; a longer tail is cut off there."""
SPECK = 0.06
"""A piece of ink is dust if it is smaller than this share of the box's largest."""
LEAST_PEN = 0.15
"""Darkness below which nothing is ink, on any paper."""

Labels = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class FieldCut:
    """One field on its way from strip to crops; kept whole so that it can be looked at."""

    view: FieldView
    ink: Floats
    owners: Labels
    """For each strip pixel the position of the box that its ink belongs to, -1 for none."""
    crops: tuple[BoxCrop, ...]


def segment(aligned: AlignedPage, fields: Sequence[FieldSpec]) -> list[FieldCut]:
    """Cut the ink of every box of a page.

    Args:
        aligned: The page with its homography.
        fields: The template's fields.

    Returns:
        A cut for each field, in the template's order.

    Raises:
        SegmentationError: If a field lies outside the scan.
    """
    return [_cut_field(aligned, field) for field in fields]


def _cut_field(aligned: AlignedPage, field: FieldSpec) -> FieldCut:
    view = view_field(aligned.page.image, aligned.homography, field.boxes, REACH)
    if view.strip.image.min() == view.strip.image.max():
        raise SegmentationError(f"field {field.name!r} lies outside the scan: scan the whole page.")
    boxes = view.frames.boxes
    ink = remove_frames(pen_ink(view.dark, boxes), view.dark, view.frames)
    owners = share_out(ink, boxes)
    return FieldCut(view, ink, owners, tuple(_crop(field.name, ink, owners, boxes)))


def pen_ink(dark: Floats, boxes: Sequence[Box]) -> Floats:
    """Scale darkness so that paper with its noise is 0 and the pen is 1.

    Paper and its noise are taken from the brighter part of the boxes, which no writing reaches.
    The pen is taken from the boxes themselves: the second darkest hundredth of each, and of
    those the upper quartile, so that empty boxes do not count.
    """
    inside = np.concatenate([_interior(dark, box).ravel() for box in boxes])
    brightest, bright, paper = np.percentile(inside, (5, 20, 40))
    noise = max(paper - bright, bright - brightest)
    darkest = [np.percentile(_interior(dark, box), 98) for box in boxes]
    pen = max(float(np.percentile(darkest, 75)), LEAST_PEN + paper)
    low = paper + max(4 * noise, 0.25 * (pen - paper), LEAST_PEN / 2)
    high = max(paper + 0.8 * (pen - paper), low + 0.02)
    return np.asarray(np.clip((dark - low) / (high - low), 0, 1), np.float32)


def _interior(image: Floats, box: Box, inset: float = 0.12) -> Floats:
    """The part of a box well inside its frame."""
    rim = inset * box.height
    top, bottom = int(max(box.top + rim, 0)), int(box.bottom - rim) + 1
    left, right = int(max(box.left + rim, 0)), int(box.right - rim) + 1
    return image[top:bottom, left:right]


def remove_frames(ink: Floats, dark: Floats, frames: FrameFit) -> Floats:
    """Take the printed lines out of the ink and leave the strokes that cross them.

    A line is as dark all along as its median tells; what is clearly darker is pen on top of it.
    Where a line is as dark as the pen, a gap with ink on both sides is a stroke that crosses.
    """
    clean = ink.copy()
    for box in frames.boxes:
        for edge in (box.left, box.right):
            _erase_line(clean, dark, edge, (box.top, box.bottom))
        for edge in (box.top, box.bottom):
            _erase_line(clean.T, dark.T, edge, (box.left, box.right))
    return _bridge(clean, ink)


def _erase_line(ink: Floats, dark: Floats, edge: float, ends: tuple[float, float]) -> None:
    """Set to 0 the pixels of one upright line that are no darker than the line is."""
    reach = BOX_HEIGHT // 12
    left = max(int(edge) - reach, 0)
    top, bottom = max(int(ends[0]) - 2, 0), int(ends[1]) + 3
    band = dark[top:bottom, left : int(edge) + reach + 1]
    if band.size == 0:
        return
    line = np.percentile(band, 40, axis=0)
    line = cv2.dilate(line.astype(np.float32)[None], np.ones((1, 5), np.uint8))[0]
    ink[top:bottom, left : left + band.shape[1]][band < line + np.maximum(0.08, 0.3 * line)] = 0


def _bridge(clean: Floats, ink: Floats) -> Floats:
    """Give back erased ink that joins what is left on both its sides."""
    size = BOX_HEIGHT // 12
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (size // 2) + 3,) * 2)
    closed = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, kernel)
    return np.asarray(np.where(clean > 0, clean, np.minimum(closed, ink)), np.float32)


def share_out(ink: Floats, boxes: Sequence[Box]) -> Labels:
    """Give each connected piece of ink to the box that holds most of it.

    A piece with much ink in two boxes is two digits that touch: it is cut between them. A piece
    that is mostly outside all boxes is print, and nobody's; so is what a frame or dust has left.

    Returns:
        int32 of shape (H, W): the position of each pixel's box, -1 for none.
    """
    count, found, stats, _ = cv2.connectedComponentsWithStats((ink > 0).astype(np.uint8))
    labels = np.asarray(found, np.int32)
    cells = _cells(ink.shape, boxes)
    mass = _sum_by(labels, cells, ink, count, len(boxes))
    total, inside = mass.sum(axis=1), mass[:, 1:]
    most, first = inside.max(axis=1), inside.argmax(axis=1)
    good = ~_is_remnant(stats, labels, ink, boxes)
    good[0] = False
    cut = good & (np.sort(inside, axis=1)[:, -2:-1] > 0.25 * most[:, None]).all(axis=1)
    cut &= inside.sum(axis=1) > 0.5 * total
    owner = np.where(good & (most > 0.4 * total), first, -1)
    owner[most < SPECK * _largest(most, owner, len(boxes))[owner]] = -1
    return np.where(cut[labels], cells, owner[labels]).astype(np.int32)


def _sum_by(labels: Labels, cells: Labels, ink: Floats, count: int, boxes: int) -> Floats:
    """How much ink of each piece is outside all boxes and in each box: (pieces, boxes + 1)."""
    index = (labels * (boxes + 1) + cells + 1).ravel()
    sums = np.bincount(index, ink.ravel(), count * (boxes + 1))
    return sums.reshape(count, boxes + 1).astype(np.float32)


def _largest(mass: Floats, owner: NDArray[np.int64], boxes: int) -> Floats:
    """The mass of each box's largest piece: (boxes + 1,), the last for pieces that are nobody's."""
    largest = np.zeros(boxes + 1, np.float32)
    np.maximum.at(largest, owner, mass)
    largest[-1] = 0
    return largest


def _cells(shape: tuple[int, ...], boxes: Sequence[Box]) -> Labels:
    """For each pixel the position of the box it is in, -1 for none."""
    cells = np.full(shape, -1, np.int32)
    for position, box in enumerate(boxes):
        rows = slice(max(round(box.top), 0), round(box.bottom) + 1)
        cells[rows, max(round(box.left), 0) : round(box.right) + 1] = position
    return cells


def _is_remnant(
    stats: cv2.typing.MatLike, labels: Labels, ink: Floats, boxes: Sequence[Box]
) -> NDArray[np.bool_]:
    """Tell what a frame line or dust has left from ink, for each piece."""
    count = len(stats)
    mass = np.bincount(labels.ravel(), ink.ravel(), count) + 1e-9
    on_frame = np.where(_frame_band(ink.shape, boxes), ink, 0)
    along_frame = np.bincount(labels.ravel(), on_frame.ravel(), count) > 0.8 * mass
    small = np.asarray(stats[:, 2:4]).max(axis=1) < BOX_HEIGHT / 8
    peak = np.zeros(count, np.float32)
    np.maximum.at(peak, labels.ravel(), ink.ravel())
    return np.asarray(along_frame | small | (peak < 0.5), np.bool_)


def _frame_band(shape: tuple[int, ...], boxes: Sequence[Box]) -> NDArray[np.bool_]:
    """Where frame lines are, with what may be left beside them."""
    band = np.zeros(shape, np.uint8)
    for box in boxes:
        start, end = (round(box.left), round(box.top)), (round(box.right), round(box.bottom))
        cv2.rectangle(band, start, end, 1, thickness=BOX_HEIGHT // 6)
    return band.astype(bool)


def _neighbourhood(box: Box) -> tuple[slice, slice]:
    """The pixels of a box and of its overhang."""
    reach = OVERHANG * box.height
    return (
        slice(max(round(box.top - reach), 0), round(box.bottom + reach)),
        slice(max(round(box.left - reach), 0), round(box.right + reach)),
    )


def _crop(field: str, ink: Floats, owners: Labels, boxes: Sequence[Box]) -> Iterator[BoxCrop]:
    """Cut out each box with as much around it as its ink takes."""
    for position, box in enumerate(boxes):
        near = _neighbourhood(box)
        own = np.zeros(owners.shape, bool)
        own[near] = owners[near] == position
        rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
        if rows.size == 0:
            cut = np.zeros((1, 1), np.float32)
        else:
            area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            cut = np.where(own[area], ink[area], 0).astype(np.float32)
        yield BoxCrop(field, position, cut, (box.height, box.width))
