"""What is printed alike around every box and is no plain frame: ticks, double and rounded lines.

A frame's four lines are taken from the ink line by line. What else belongs to it is found by laying
all boxes of a page upon each other: writing differs from box to box, print does not.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.frames import FieldsView
from pipeline.geometry import Edges
from pipeline.hints import LEAST_PRINT, without
from pipeline.ink import LINE_REACH
from pipeline.lacking import find_covered
from pipeline.quantiles import median
from pipeline.records import Floats, GreyImage

TILE = (72, 60)
"""Height and width at which boxes are laid upon each other, with what is around them."""
AROUND = 0.15
"""How much of that is around a box at each side, as a share of its height."""
LEAST_BOXES = 6
"""With fewer boxes writing may be alike in most."""
MANY_BOXES = 9
RIM = 0.2
"""With fewer than that, what is further from the frame than this may be writing that is alike in
most, likewise: all boxes but one must show it."""
USUAL = 0.35
"""A pixel is printed if so large a share of boxes is no darker, and that is dark."""
BESIDE = np.array([0.06, 0.08, 0.1])
"""A line that is dark so far from its middle, in heights of a box, is thick, or one of two."""
PLACES = np.array([0.3, 0.5, 0.7])
SQUARE = 0.4
"""Corners are this dark at least, against the lines that meet there, if they are not rounded."""


def without_repeated(view: FieldsView, present: NDArray[np.bool_] | None = None) -> FieldsView:
    """Take ticks, and rounded, thick and double frames, out of the darkness of fields.

    Args:
        view: The fields as settled on their frames.
        present: (F,): those whose place the scan shows, if not all.
    """
    frames, groups = view.frames, view.strips.groups
    odd = (frames.alike == 0) | _is_rounded(view) | _is_thick(view)
    odd &= ~view.by_tone
    if not odd.any():
        return view
    shown = ~find_covered(view) if present is None else ~find_covered(view) & present[groups.of_box]
    boxes = np.flatnonzero(odd[groups.of_box] & shown)
    if len(boxes) < LEAST_BOXES:
        return view
    edges = frames.edges[boxes]
    print_ = _print_of(view.dark, edges)
    clean = view.dark.copy()
    for each in edges:
        near, laid = _lay(print_, each, clean.shape)
        clean[near] = without(clean[near], laid, 1.0)
    for field in np.flatnonzero(odd & (groups.total(shown) > 0)):
        first, last = groups.starts[field], groups.starts[field] + groups.counts[field] - 1
        for x, box in ((0, first), (2, last)):
            _clear_end(clean, view.dark, frames.edges[box], x)
    return replace(view, dark=clean)


def _clear_end(clean: GreyImage, dark: GreyImage, edges: NDArray[np.float64], side: int) -> None:
    """Take away the line at one end of a row, which no other box has, if it goes all the way."""
    reach = round(LINE_REACH * (edges[3] - edges[1]))
    x, top, bottom = (round(float(each)) for each in edges[[side, 1, 3]])
    near = slice(max(top, 0), bottom + 1), slice(max(x - reach, 0), x + reach + 1)
    line = np.quantile(dark[near], 0.25, axis=0, keepdims=True)
    laid = np.broadcast_to(line, dark[near].shape).astype(np.uint8)
    clean[near] = np.minimum(clean[near], without(dark[near], laid, 1.0))


def _is_rounded(view: FieldsView) -> NDArray[np.bool_]:
    """Tell the fields whose lines are there but do not meet: (F,)."""
    frames, groups = view.frames, view.strips.groups
    x, y = frames.edges[:, [0, 2, 0, 2]], frames.edges[:, [1, 1, 3, 3]]
    near = np.array([-1, 0, 1])
    around = _at(view.dark, x[:, :, None, None] + near, y[:, :, None, None] + near[:, None])
    corners = around.max(axis=(2, 3)) / 255
    return np.asarray(
        (groups.middle(corners) < SQUARE * frames.strength) & (frames.support > 0.5), np.bool_
    )


def _is_thick(view: FieldsView) -> NDArray[np.bool_]:
    """Tell the fields whose lines are so wide that what crosses them hides in them, or double."""
    frames, groups = view.frames, view.strips.groups
    left, top, right, bottom = frames.edges.T
    beside = (bottom - top)[:, None] * BESIDE
    # Inside the left line and above the upper one: left of the left one may be the next box.
    inside = left[:, None] + beside, (top + (bottom - top) * PLACES[:, None]).T
    above = (left + (right - left) * PLACES[:, None]).T, top[:, None] - beside
    dark = [
        _at(view.dark, inside[0][:, None, :], inside[1][:, :, None]).min(axis=1),
        _at(view.dark, above[0][:, :, None], above[1][:, None, :]).min(axis=1),
    ]
    seen = groups.middles(np.hstack(dark)) / 255
    return np.asarray(seen.max(axis=1) > frames.strength / 2, np.bool_)


def _at(dark: GreyImage, x: NDArray[np.float64], y: NDArray[np.float64]) -> GreyImage:
    """The pixels of an image that are nearest to places, or to its edge."""
    height, width = dark.shape
    column = np.minimum(np.maximum(np.rint(x).astype(np.intp), 0), width - 1)
    row = np.minimum(np.maximum(np.rint(y).astype(np.intp), 0), height - 1)
    return np.asarray(dark[row, column], np.uint8)


def _print_of(dark: GreyImage, edges: Edges) -> GreyImage:
    """What most boxes show, uint8 of TILE, 0 where that is nothing."""
    tiles = np.sort(np.array([_tile(dark, each) for each in edges]), axis=0)
    usual = tiles[int(USUAL * len(tiles))]
    if len(edges) < MANY_BOXES:
        inside = _inside(edges)
        usual[inside] = tiles[1][inside]
    return np.where(usual > 255 * LEAST_PRINT, usual, 0).astype(np.uint8)


def _inside(edges: Edges) -> tuple[slice, slice]:
    """What of a tile is not near the frame."""
    height = median(edges[:, 3] - edges[:, 1])
    outer = np.array([height, median(edges[:, 2] - edges[:, 0])]) + 2 * AROUND * height
    top, left = np.rint((AROUND + RIM) * height / outer * TILE).astype(int).tolist()
    return slice(top, TILE[0] - top), slice(left, TILE[1] - left)


def _tile(dark: GreyImage, edges: NDArray[np.float64]) -> GreyImage:
    size, flags = TILE[::-1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(dark, _to_strip(edges), size, flags=flags), np.uint8)


def _lay(
    print_: GreyImage, edges: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], GreyImage]:
    """A box's print where its frame is: which pixels, and how dark each is."""
    left, top, right, bottom = np.rint(_outer(edges)).astype(int).tolist()
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, shape[1]), min(bottom, shape[0])
    to_tile = cv2.invertAffineTransform(_to_strip(edges))
    to_tile[:, 2] += to_tile[:, :2] @ (left, top)
    size, flags = (max(right - left, 1), max(bottom - top, 1)), cv2.INTER_LINEAR
    laid = cv2.warpAffine(print_, to_tile, size, flags=flags | cv2.WARP_INVERSE_MAP)
    return (slice(top, top + size[1]), slice(left, left + size[0])), np.asarray(laid, np.uint8)


def _to_strip(edges: NDArray[np.float64]) -> Floats:
    """(2, 3): pixels of a tile to those of the strips; pixel i covers i to i + 1."""
    outer = _outer(edges)
    scale = (outer[2:] - outer[:2]) / TILE[::-1]
    start = outer[:2] + scale / 2 - 0.5
    return np.array([[scale[0], 0, start[0]], [0, scale[1], start[1]]])


def _outer(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    rim = AROUND * (edges[3] - edges[1])
    return np.asarray(edges + np.array([-rim, -rim, rim, rim]), np.float64)
