"""A guess at how a page lies, moved onto the printed frames of some fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.frames import FieldsView, view_fields
from pipeline.geometry import Matrix, as_edges, edge_corners, transform
from pipeline.growth import Match, fit_correction
from pipeline.quantiles import median, quantile
from pipeline.records import Box
from pipeline.rows import is_lone
from pipeline.sketch import Sketch
from pipeline.template import FieldSpec, FormTemplate
from pipeline.tones import look_by_tone

BOX_PX = 32
"""Strip pixels to the height of a box: frames are found as well as on larger strips."""
REACH = 0.42
"""How far a frame may be from where a guess puts it, as a share of the height of a box."""
SEEN = 0.7
"""The share of a field's frame lines that must be seen where they belong."""
BROKEN = 0.5
"""With less of them a field is not there."""
NEAR = 0.08
"""A guess off by less than this, as a share of the height of a box, need not be refined twice."""
PROMISING = 0.25
"""With this share they are a guess to be followed up."""
CELLS = 0.4
"""With this share of its boxes among the page's cells a field is there."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How a page lies by the frames of some fields."""

    homography: Matrix
    """(3, 3), template pixels to scan pixels."""
    support: float
    """The share of their lines that were seen, where a field has enough."""
    residual_px: float
    """The median distance of frames from where the homography puts them."""
    worst_px: float
    """The same for all but a fifth of the frames' corners or centres."""
    moved_px: float
    """How far the guess was off, in the median."""


def refine(sketch: Sketch, first: Fit, fields: Sequence[FieldSpec]) -> Fit:
    """Move a promising fit onto the printed frames once more, and measure what is left."""
    if first.support < PROMISING or first.moved_px < NEAR * box_height(fields):
        return first
    return settle_fields(sketch, first.homography, fields, REACH / 2)


def settle_fields(sketch: Sketch, guess: Matrix, fields: Sequence[FieldSpec], reach: float) -> Fit:
    """Move a guess onto the frames of fields that are within reach, in heights of a box."""
    boxes = [field.boxes for field in fields]
    view = _view(sketch, guess, boxes, reach)
    there = view.frames.support >= SEEN
    support = float((view.frames.support * there).mean())
    if not there.any():
        return Fit(guess, support, np.inf, np.inf, np.inf)
    expected = edge_corners(as_edges([box for field in boxes for box in field]))
    printed = edge_corners(view.printed())
    seen = view.frames.seen & there[view.strips.groups.of_box, None]
    found = (seen & np.roll(seen, 1, axis=1)).ravel()
    offsets = printed[found] - expected[found]
    boxes_there = np.repeat(there, [len(each) for each in boxes])
    side = box_height(fields)
    lone = is_lone(expected.reshape(-1, 4, 2).mean(axis=1)[boxes_there], side)
    correction = fit_correction(expected[found], offsets, side=side, lone=lone)
    misses = np.hypot(*(transform(correction, expected[found]) - printed[found]).T)
    moved = median(np.hypot(*offsets.T))
    return Fit(guess @ correction, support, *summarise(misses), moved_px=moved)


def _view(
    sketch: Sketch, guess: Matrix, boxes: Sequence[tuple[Box, ...]], reach: float
) -> FieldsView:
    view = view_fields(sketch.image, guess, boxes, reach=reach, box_px=BOX_PX)
    return look_by_tone(view, reach=reach, box_px=BOX_PX) if sketch.by_tone else view


def summarise(misses: NDArray[np.float64]) -> tuple[float, float]:
    """Their median and the value that four fifths keep below."""
    return median(misses), quantile(misses, 0.8)


def box_height(fields: Sequence[FieldSpec]) -> float:
    """The median height of the boxes of some fields, in template pixels."""
    return median(np.array([box.height for field in fields for box in field.boxes]))


def find_fields(
    sketch: Sketch,
    template: FormTemplate,
    homography: Matrix,
    match: Match | None,
    sizes: NDArray[np.intp],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], float]:
    """Which fields are there, which are not, and the share of boxes or lines of those there.

    Of a field with broken frames neither can be said.
    """
    shares = np.zeros(len(sizes))
    if match is not None:
        of_box = np.repeat(np.arange(len(sizes)), sizes)
        shares = np.bincount(of_box[match.boxes], minlength=len(sizes)) / sizes
    there = shares >= CELLS
    others = np.flatnonzero(~there)
    if len(others):
        boxes = [template.fields[i].boxes for i in others]
        view = _view(sketch, homography, boxes, REACH)
        shares[others] = view.frames.support
        there[others] = view.frames.support >= SEEN
    return there, shares < BROKEN, float((shares * sizes)[there].sum() / max(sizes[there].sum(), 1))
