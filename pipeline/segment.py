"""AlignedPage to BoxCrops: each box's own ink, without its frame and without its neighbours'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.astray import call_back
from pipeline.dotted import fill_dotted
from pipeline.frames import FieldsView, view_fields
from pipeline.geometry import Edges
from pipeline.hints import Hints, take_away
from pipeline.ink import Levels, measure_levels, pen_ink, remove_lines
from pipeline.lost import find_left_out, find_lost_strokes, find_passing
from pipeline.ownership import Labels, share_out
from pipeline.quantiles import median
from pipeline.records import AlignedPage, BoxCrop, Floats, GreyImage
from pipeline.repeated import without_repeated
from pipeline.strips import Groups
from pipeline.template import FieldSpec
from pipeline.tones import look_by_tone
from pipeline.unseen import draw_unseen

BOX_PX = 48
"""Strip pixels to the height of a box: twice and more what the network sees."""
LEAST_BOX_PX = 40
"""Pixels of a scan to the height of a box that are worth decoding: more is averaged away."""
LEAST_SIDES = 2
"""Of a box that is covered fewer are seen."""
ON_LINE = 0.12
"""How far from the middle of a line what is on it reaches, as a share of the height of a box."""
REACH = 0.35
"""How far the printed frames may be from where the page's alignment puts them, as a share of the
height of a box."""
OVERHANG = 0.3
"""How far a digit's ink may leave its box, likewise; a longer tail is cut off there."""
AROUND = 0.7
"""How far around a digit is looked, as a share of its longer side: as far as the network sees."""
FIELD_SUPPORT = 0.5
"""A field with less of its frames found goes to a person."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The fields of a page on their way from strips to crops; kept whole to be looked at."""

    view: FieldsView
    ink: GreyImage
    """(H, W): 0 paper, 255 pen, without the frames."""
    owners: Labels
    """(H, W): the box, counted over all fields, that a pixel's ink belongs to, -1 for none."""
    crops: tuple[BoxCrop, ...]


def segment(aligned: AlignedPage, fields: Sequence[FieldSpec], hints: Hints | None = None) -> Cut:
    """Cut the ink of every box of a page.

    Args:
        aligned: The page with its homography.
        fields: The template's fields.
        hints: What is printed inside their boxes, on strips of BOX_PX.

    Returns:
        The crops in the template's order, with what they come from.
    """
    image, boxes = aligned.page.image, [field.boxes for field in fields]
    view = view_fields(image, aligned.homography, boxes, reach=REACH, box_px=BOX_PX)
    present = np.array([field.name not in aligned.absent for field in fields])
    view = look_by_tone(view, reach=REACH, box_px=BOX_PX)
    view = without_repeated(fill_dotted(call_back(view)), present)
    edges, groups, line = view.frames.edges, view.strips.groups, view.frames.strength
    missed = np.zeros(len(edges), bool)
    if hints is not None:
        clean, missed = take_away(view.dark, edges, hints)
        view = replace(view, dark=clean)
    levels = measure_levels(view.dark, edges, groups, line)
    printed = pen_ink(view.dark, levels, view.strips)
    ink = remove_lines(printed, view.dark, edges, groups, levels)
    owners = share_out(ink, edges)
    pixels = np.flatnonzero(owners >= 0)
    owner = owners.ravel().take(pixels)
    empty = np.bincount(owner, minlength=len(edges)) == 0
    lost = missed | _find_lost(view, owners, empty, levels)
    names = [(field.name, place) for field in fields for place in range(len(field.boxes))]
    cut_out, extents = _cut_out(ink, *_near(pixels, owner, ink.shape[1], edges), len(edges))
    stuck = _is_on_line(extents, edges) | find_passing(printed, extents, edges)
    lost |= stuck
    for box in np.flatnonzero(stuck).tolist():
        cut_out[box] = np.zeros((1, 1), np.float32)
    around = _look_around(draw_unseen(printed, edges, groups), owners, extents)
    parts = zip(names, cut_out, lost.tolist(), around, strict=True)
    crops = tuple(BoxCrop(*name, *part) for name, *part in parts)
    return Cut(view, ink, owners, crops)


def _find_lost(
    view: FieldsView, owners: Labels, empty: NDArray[np.bool_], levels: Levels
) -> NDArray[np.bool_]:
    """Tell the boxes, (N,), of which a stroke may be lost; `empty` are those without ink."""
    edges, groups = view.frames.edges, view.strips.groups
    lost = find_lost_strokes(view.dark, owners, edges, groups, levels)
    lost |= find_left_out(view.dark, empty, edges, groups, levels)
    # What was not found is not surely blank, nor what may be covered.
    lost |= (view.frames.support < FIELD_SUPPORT)[groups.of_box]
    return lost | _are_covered(view.frames.seen, groups)


def _look_around(printed: GreyImage, owners: Labels, extents: NDArray[np.intp]) -> list[GreyImage]:
    """Show all that is not a box's own beside its ink, as far as the network sees it."""
    sides = (extents[:, 2:] - extents[:, :2]).max(axis=1)
    margins = np.ceil(sides * AROUND).astype(np.intp)
    most = int(margins.max(initial=0))
    seen, whose = (
        cv2.copyMakeBorder(each, *4 * (most,), cv2.BORDER_CONSTANT, value=0)
        for each in (printed, owners)
    )
    ends = extents + most + margins[:, None] * np.array([-1, -1, 1, 1])
    around = []
    for box, (left, top, right, bottom) in enumerate(ends.tolist()):
        part = slice(top, bottom), slice(left, right)
        around.append(np.asarray(seen[part] * (whose[part] != box), np.uint8))
    return around


def _cut_out(
    ink: GreyImage, pixels: NDArray[np.intp], owner: Labels, boxes: int
) -> tuple[list[Floats], NDArray[np.intp]]:
    """Cut out the ink of each box, with as much around it as that takes, and tell where it is."""
    rows, columns = np.divmod(pixels, ink.shape[1])
    extents = _extents(owner, columns, rows, boxes)
    left, top, right, bottom = extents.T
    heights, widths = bottom - top, right - left
    ends = np.cumsum(heights * widths)
    starts = ends - heights * widths
    # All crops in one array, so that a pixel's place in its crop is found for all at once.
    crops = np.zeros(int(ends[-1]), np.float32)
    places = (starts - top * widths - left).take(owner) + rows * widths.take(owner) + columns
    crops[places] = ink.ravel().take(pixels) * np.float32(1 / 255)
    limits = zip(starts.tolist(), ends.tolist(), heights.tolist(), widths.tolist(), strict=True)
    return [crops[start:end].reshape(shape) for start, end, *shape in limits], extents


def _are_covered(seen: NDArray[np.bool_], groups: Groups) -> NDArray[np.bool_]:
    """Tell boxes of which hardly a side is seen, in fields whose other boxes show all theirs.

    Args:
        seen: Whether the left, top, right, bottom line of each box was seen, (N, 4).
        groups: Their fields.
    """
    sides = seen.sum(axis=1)
    return np.asarray((sides < LEAST_SIDES) & (groups.middle(sides) == 4)[groups.of_box], np.bool_)


def _is_on_line(extents: NDArray[np.intp], edges: Edges) -> NDArray[np.bool_]:
    """Tell boxes all of whose ink is on one of their upright lines, (N,).

    It may be a 1, but of a line that is wider in part there is as much left: nobody can tell.
    """
    reach = ON_LINE * median(edges[:, 3] - edges[:, 1])
    starts, ends = extents[:, [0]], extents[:, [2]]
    lines = edges[:, [0, 2]]
    near = (starts >= lines - reach) & (ends <= lines + reach) & (ends > 1)
    return np.asarray(near.any(axis=1), np.bool_)


def _near(
    pixels: NDArray[np.intp], owner: Labels, stride: int, edges: Edges
) -> tuple[NDArray[np.intp], Labels]:
    """Of ink in the flattened image, and whose it is, (P,), what is in its box or near it."""
    reach = OVERHANG * median(edges[:, 3] - edges[:, 1])
    window = np.rint(edges + np.array([-reach, -reach, reach, reach])).astype(np.intp)
    rows, columns = np.divmod(pixels, stride)
    left, top, right, bottom = window.T.take(owner, axis=1)
    near = (columns >= left) & (columns < right) & (rows >= top) & (rows < bottom)
    return pixels[near], owner[near]


def _extents(
    owner: Labels, columns: NDArray[np.intp], rows: NDArray[np.intp], boxes: int
) -> NDArray[np.intp]:
    """The columns and rows that each box's pixels take up: (N, 4), one pixel where none."""
    most = np.iinfo(np.intp).max
    extents = np.tile(np.array([most, most, 0, 0], np.intp), (boxes, 1))
    for side, place in enumerate((columns, rows)):
        np.minimum.at(extents[:, side], owner, place)
        np.maximum.at(extents[:, side + 2], owner, place + 1)
    extents[extents[:, 2] == 0] = (0, 0, 1, 1)
    return extents
