"""What is printed inside the boxes of a blank form, such as `D D M M`: it is not ink.

A reference may be a filled page, and its digits must never be taken from another page's. So only
what is printed in one box as in another counts as print: nobody writes twice so alike. Where too
much of a reference is unlike anything else on it, nothing on it is trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import TemplateError
from pipeline.frames import FieldsView, view_fields
from pipeline.geometry import Edges, scaling
from pipeline.records import Box, GreyImage
from pipeline.strips import Groups

TILE = 40
"""Boxes are compared at this size."""
INSET = 0.12
"""What is left to the frame at each side of a box, as a share of its height."""
LEAST_PRINT = 0.06
"""Darkness from which something is printed."""
ALIKE = 0.9
"""The correlation of two boxes that have the same print."""
TRUSTED = 0.7
"""The share of boxes with something in them that must have the same in another."""
PRESENT = 0.8
"""The share of a hint that must be seen in a box for it to be taken away there."""
FAINTEST = 0.4
"""How pale a hint may be on a scan against the reference, and still be the hint."""
MOSTLY = 0.6
"""The share of boxes that must show their hints for any to be taken away."""
UNEVEN = 1.6
"""How much darker than on most of a page, light and lens may make a hint."""
NEXT = np.ones((3, 3), np.uint8)
ACROSS = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
DARKER = 1.35
"""What is this much darker than the hint is a stroke that crosses it."""


@dataclass(frozen=True, slots=True, eq=False)
class Hints:
    """The print inside the boxes of some fields, as a view of the reference shows it."""

    dark: GreyImage
    """(H, W): 0 where there is none."""
    edges: Edges
    """(N, 4): the boxes there."""
    groups: Groups
    printed: NDArray[np.bool_]
    """(N,): which have any."""


@lru_cache(maxsize=64)
def find_hints(
    reference: Path, size: tuple[float, float], fields: tuple[tuple[Box, ...], ...], box_px: int
) -> Hints | None:
    """Find what is printed inside the boxes of a form.

    Args:
        reference: Image file of the form, blank or filled, which covers the template's whole page.
        size: Template (height, width).
        fields: The boxes of each field in template pixels.
        box_px: Pixels to the height of a box in what is returned.

    Returns:
        The print, or nothing if there is none, or none that is surely print.

    Raises:
        TemplateError: If the reference cannot be read.
    """
    image = cv2.imdecode(np.fromfile(reference, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise TemplateError(f"{reference}: the reference image cannot be read; save it as PNG.")
    to_image = scaling(image.shape[1] / size[1], image.shape[0] / size[0])
    grey = np.asarray(image, np.uint8)
    view = view_fields(grey, to_image, fields, reach=0.35, box_px=box_px)
    tiles = np.array([_tile(view.dark, edges) for edges in view.frames.edges])
    inked = (tiles > 255 * LEAST_PRINT).mean(axis=(1, 2)) > 0.005
    printed = inked & (view.frames.seen.sum(axis=1) >= 3) & _has_twin(tiles, inked)
    if printed.sum() <= TRUSTED * inked.sum():
        return None
    return Hints(_inside(view, printed), view.frames.edges, view.strips.groups, printed)


def _tile(dark: GreyImage, edges: NDArray[np.float64]) -> GreyImage:
    """The inside of a box at the size at which boxes are compared."""
    inner = _inner(edges[None])[0]
    scale = (inner[2:] - inner[:2]) / TILE
    matrix = np.array([[scale[0], 0, inner[0]], [0, scale[1], inner[1]]])
    matrix[:, 2] += scale / 2 - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(dark, matrix, (TILE, TILE), flags=flags), np.uint8)


def _inner(edges: Edges) -> Edges:
    rim = INSET * (edges[:, 3:] - edges[:, 1:2])
    return np.asarray(edges + np.hstack([rim, rim, -rim, -rim]), np.float64)


def _has_twin(tiles: GreyImage, inked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell the boxes (N, TILE, TILE) that look like another."""
    soft = np.array([cv2.GaussianBlur(tile, (0, 0), 1.0) for tile in tiles], np.float64)
    flat = soft.reshape(len(tiles), -1)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1)
    alike = flat @ flat.T
    np.fill_diagonal(alike, 0)
    alike[:, ~inked] = 0
    return np.asarray(alike.max(axis=1, initial=0) > ALIKE, np.bool_)


def _inside(view: FieldsView, printed: NDArray[np.bool_]) -> GreyImage:
    """What is dark well inside the boxes that have print."""
    inside = np.zeros_like(view.dark)
    for left, top, right, bottom in np.rint(_inner(view.frames.edges[printed])).astype(int):
        near = slice(max(top, 0), bottom), slice(max(left, 0), right)
        inside[near] = np.where(view.dark[near] > 255 * LEAST_PRINT, view.dark[near], 0)
    return inside


def take_away(dark: GreyImage, edges: Edges, hints: Hints) -> tuple[GreyImage, NDArray[np.bool_]]:
    """Take a form's own print out of boxes, and leave the strokes that cross it.

    Args:
        dark: Darkness of the strips of a page, uint8 of shape (H, W).
        edges: The frames there (N, 4): print is laid on them box by box.
        hints: What is printed in these boxes.

    Returns:
        The darkness without the print, and the boxes that do not show theirs although most do,
        (N,): what is taken for writing there may be print beside its place.
    """
    printed = np.flatnonzero(hints.printed)
    laid = [_lay(hints, box, edges[box], dark.shape) for box in printed.tolist()]
    strengths = np.full(len(edges), np.nan)
    strengths[printed] = [_strength(dark[near], print_) for near, print_ in laid]
    missed = hints.printed & np.isnan(strengths)
    # A scanner may lose a pale hint, and what is no hint is not seen again on another page.
    if missed.sum() > (1 - MOSTLY) * len(printed):
        return dark, np.zeros(len(edges), bool)
    # It is printed alike in all boxes of a field; where it looks darker, strokes are on it.
    usual = np.fmin.reduceat(strengths, hints.groups.starts)
    usual = np.minimum(usual, UNEVEN * np.nanquantile(strengths, 0.25))[hints.groups.of_box]
    clean = dark.copy()
    for box, (near, print_) in zip(printed.tolist(), laid, strict=True):
        if not missed[box]:
            clean[near] = without(dark[near], print_, float(usual[box]))
    return clean, missed


def _lay(
    hints: Hints, box: int, edges: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], GreyImage]:
    """A box's print where its frame is on the page: which pixels, and how dark each is."""
    left, top, right, bottom = np.rint(edges).astype(int).tolist()
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, shape[1]), min(bottom, shape[0])
    there = hints.edges[box]
    scale = (there[2:] - there[:2]) / (edges[2:] - edges[:2])
    # Pixel i covers i to i + 1.
    start = there[:2] + (np.array([left, top]) + 0.5 - edges[:2]) * scale - 0.5
    matrix = np.array([[scale[0], 0, start[0]], [0, scale[1], start[1]]])
    size, flags = (max(right - left, 1), max(bottom - top, 1)), cv2.INTER_LINEAR
    laid = cv2.warpAffine(hints.dark, matrix, size, flags=flags | cv2.WARP_INVERSE_MAP)
    return (slice(top, bottom), slice(left, right)), np.asarray(laid, np.uint8)


def _strength(dark: GreyImage, print_: GreyImage) -> float:
    """How dark a box's hint is on the page against the reference; not a number if not there."""
    core = print_ > 0.6 * print_.max(initial=1)
    if not core.any():
        return np.nan
    ratios = cv2.dilate(dark, NEXT)[core] / print_[core]
    return float(np.quantile(ratios, 0.2)) if (ratios > FAINTEST).mean() >= PRESENT else np.nan


def without(dark: GreyImage, print_: GreyImage, strength: float) -> GreyImage:
    """Take print out of a part of a page, and join what is left of strokes across it.

    Args:
        dark: Darkness, uint8 of shape (h, w).
        print_: What is printed there, likewise.
        strength: How dark that is on this page, against the same print there.
    """
    # Dots of the reference run together where a form is printed coarsely, or a photo is not sharp.
    around = cv2.dilate(cv2.morphologyEx(print_, cv2.MORPH_CLOSE, ACROSS), NEXT)
    stroke = dark > DARKER * strength * around + 255 * LEAST_PRINT
    clean = np.where(stroke | (around == 0), dark, 0).astype(np.uint8)
    closed = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, ACROSS)
    return np.asarray(np.maximum(clean, np.minimum(closed, dark)), np.uint8)
