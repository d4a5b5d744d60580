"""AlignedPage to BoxCrops: each box's own ink, without its frame and without its neighbours'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.errors import SegmentationError
from pipeline.frames import FieldView, view_field
from pipeline.ink import measure_levels, pen_ink, remove_lines
from pipeline.lost import find_lost_strokes
from pipeline.ownership import Labels, share_out
from pipeline.records import AlignedPage, Box, BoxCrop, Floats
from pipeline.template import FieldSpec

BOX_PX = 48
"""Strip pixels to the height of a box: twice and more what the network sees."""
REACH = 0.35
"""How far the printed frames may be from where the page's alignment puts them, as a share of the
height of a box."""
OVERHANG = 0.3
"""How far a digit's ink may leave its box, likewise; a longer tail is cut off there."""


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
    view = view_field(
        aligned.page.image, aligned.homography, field.boxes, reach=REACH, box_px=BOX_PX
    )
    if view.strip.image.min() == view.strip.image.max():
        raise SegmentationError(f"field {field.name!r} lies outside the scan: scan the whole page.")
    boxes = view.frames.boxes
    levels = measure_levels(view.dark, boxes, view.frames.strength)
    ink = remove_lines(pen_ink(view.dark, levels), view.dark, boxes, levels)
    owners = share_out(ink, boxes)
    doubtful = find_lost_strokes(view.dark, owners, boxes, levels)
    crops = _crop(field.name, ink, owners, boxes)
    marked = (replace(crop, doubtful=bool(doubtful[crop.position])) for crop in crops)
    return FieldCut(view, ink, owners, tuple(marked))


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
        yield BoxCrop(field, position, cut)
