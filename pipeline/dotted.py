"""Dotted and dashed frames, drawn through so that they are taken away like any other.

A frame's line is told from the strokes on it by being as dark all along; one of dots is not. Its
gaps are filled first, as far as its dots are dark.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.bands import Bands, level_bands, upright_bands
from pipeline.frames import FieldsView
from pipeline.geometry import Edges
from pipeline.quantiles import median
from pipeline.records import Floats
from pipeline.strips import Groups

PALE = 0.4
"""Lines that are darker than this on the average have no gaps."""
GAPS = (0.2, 0.8)
"""Gaps take more of a dotted line than the first of these shares, dots more than the rest."""
DOTTED = 0.35
"""How dark gaps are at most, against dots."""
LONGEST = 0.15
"""The longest gap that is filled, as a share of the height of a box."""
NEAR_PX = 2
"""How far from its middle a line goes, in strip pixels."""


def fill_dotted(view: FieldsView) -> FieldsView:
    """Draw dotted and dashed lines through in the darkness of fields."""
    frames, groups = view.frames, view.strips.groups
    pale = (frames.strength < PALE) & (frames.support > 0.5) & (frames.alike > 0)
    which = np.flatnonzero(pale[groups.of_box])
    if not len(which):
        return view
    edges = frames.edges[which]
    bands = _bands(view, edges)
    levels = _dot_levels(
        [each.of(view.dark) for each in bands], Groups.of_sizes(groups.counts[pale])
    )
    if not levels.any():
        return view
    dark = view.dark.copy()
    of_line = np.repeat(levels, 2 * groups.counts[pale])
    length = round(LONGEST * median(edges[:, 3] - edges[:, 1])) // 2 * 2 + 1
    for each in bands:
        _fill(dark.ravel(), each.pixels, of_line, length)
    strength = frames.strength.copy()
    strength[pale] = np.maximum(strength[pale], levels)
    return replace(view, dark=dark, frames=replace(frames, strength=strength))


def _bands(view: FieldsView, edges: Edges) -> tuple[Bands, Bands]:
    shape = view.dark.shape
    return (
        upright_bands(shape, edges, NEAR_PX, beyond=0),
        level_bands(shape, edges, NEAR_PX, beyond=0),
    )


def _dot_levels(bands: list[Floats], groups: Groups) -> NDArray[np.float64]:
    """How dark the dots of each field are, 0 where its lines have none: (F,)."""
    lines = Groups.of_sizes(2 * groups.counts)
    profiles = [np.sort(each.max(axis=1), axis=1) for each in bands]
    gaps, dots = (
        np.array([lines.middle(each[:, round(share * (each.shape[1] - 1))]) for each in profiles])
        for share in GAPS
    )
    # Lines between boxes are drawn twice: dots fall into gaps.
    is_dotted = (gaps < DOTTED * dots).any(axis=0)
    return np.asarray(np.where(is_dotted, dots.max(axis=0), 0.0), np.float64)


def _fill(
    dark: NDArray[np.uint8], pixels: NDArray[np.intp], levels: NDArray[np.float64], length: int
) -> None:
    """Fill the gaps of lines, whose pixels are (lines, width, length), in place."""
    shown = dark.take(pixels)
    along = shown.reshape(-1, shown.shape[2])
    filled = cv2.morphologyEx(along, cv2.MORPH_CLOSE, np.ones((1, length), np.uint8))
    most = np.rint(255 * levels).astype(np.uint8)[:, None, None]
    dark[pixels] = np.maximum(shown, np.minimum(filled.reshape(shown.shape), most))
