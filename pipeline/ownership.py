"""Which ink belongs to which box of a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Edges
from pipeline.quantiles import median
from pipeline.records import GreyImage

SPECK = 0.06
"""A piece of ink is dust if it is smaller than this share of the box's largest."""
DUST = 0.125
"""No stroke is smaller than this, as a share of the height of a box."""
SMALLEST = 0.2
"""And no digit is: a box with nothing larger has a number printed in its corner, or dust."""
BEAD, BEADS = 0.055, 3
"""But so many pieces this large are a stroke that a pen left gaps in."""
FRAME_REST = 0.45
THIN = 0.08
"""What lies along a frame, and is lower or thinner than this, is left of the frame; a 1 is not."""
DIGIT = 0.04
"""The least ink of a digit, a short 1, as a share of the square of a box's height."""
SHARED = 0.25
"""A piece is in a second box too if it has this share there of what it has in its first."""
STROKE = 0.15
"""The widest pen stroke, as a share of the height of a box."""
LEAD_IN = 0.65
"""How far a neighbour's stroke may run into a digit's box, as a share of the box's width."""

Labels = NDArray[np.int32]


def share_out(ink: GreyImage, edges: Edges) -> Labels:
    """Give each connected piece of ink to the box that holds most of it.

    A piece with much ink in two boxes is two digits that touch: it is cut between them, unless
    one of the boxes has a digit of its own already. A piece that is mostly outside all boxes is
    print: nobody's, but for a digit that touches it, which is cut off at its box. Nobody's, too,
    is what a frame or dust has left.

    Args:
        ink: uint8 of shape (H, W), 0 paper, 255 pen, frames removed.
        edges: The boxes (N, 4) in the pixels of `ink`.

    Returns:
        int32 of shape (H, W): the box of each pixel, -1 for none.
    """
    owners = np.full(ink.shape, -1, np.int32)
    pieces = _find_pieces(ink, edges)
    if pieces.count == 0:
        return owners
    total, inside = pieces.total, pieces.inside
    most = inside.max(axis=1)
    good = ~pieces.is_dust() & (pieces.peak > 0.5)
    shared = good & _is_shared(inside) & (inside.sum(axis=1) > 0.5 * total)
    cut = shared & ~_is_guest(inside, good & ~shared)
    at_home = most > 0.4 * total
    cut |= good & ~at_home & (most > DIGIT * pieces.height**2)
    owner = np.where(good & at_home, inside.argmax(axis=1), -1)
    owner[most < SPECK * _largest(most, owner, len(edges))[owner]] = -1
    owner[_largest(pieces.reach(), owner, len(edges))[owner] < SMALLEST] = -1
    home = inside.argmax(axis=1)
    beads = pieces.is_bead() & (owner < 0)
    many = np.bincount(home[beads], minlength=len(edges)) >= BEADS
    many &= np.isin(np.arange(len(edges)), owner)
    owner = np.where(beads & many[home], home, owner)
    given = np.where(cut.take(pieces.labels), pieces.cells, owner.take(pieces.labels))
    owners.ravel()[pieces.pixels] = given
    for piece in np.flatnonzero(cut).tolist():
        _cut_lead_ins(owners, pieces, piece, edges)
    return owners


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Connected pieces of ink, P of them, and where each is."""

    count: int
    pixels: NDArray[np.intp]
    """Where the ink is in the flattened image, (pixels,)."""
    labels: Labels
    """Which piece each of these pixels is of."""
    cells: NDArray[np.int16]
    """Which box each is in, -1 for none."""
    total: NDArray[np.float64]
    """How much ink there is in each piece, (P,)."""
    inside: NDArray[np.float64]
    """How much of it is in each box, (P, N)."""
    along_frame: NDArray[np.float64]
    """How much of it is along a frame, (P,)."""
    peak: NDArray[np.float64]
    """How dark each is at its darkest, (P,)."""
    extent: NDArray[np.intp]
    """(P, 4): first column and row, last column and row, excluded."""
    height: float
    """That of a box."""

    def reach(self) -> NDArray[np.float64]:
        """How far each goes from one end to the other along an axis, in heights of a box: (P,)."""
        return np.asarray((self.extent[:, 2:] - self.extent[:, :2]).max(axis=1) / self.height)

    def is_bead(self) -> NDArray[np.bool_]:
        """Tell what may be part of a stroke that a pen left gaps in."""
        reach = self.reach()
        large = (reach > BEAD) & (reach < DUST) & (self.peak > 0.5)
        inside = self.inside.max(axis=1) > 0.9 * self.total
        return np.asarray(large & inside & (self.along_frame < 0.1 * self.total), np.bool_)

    def is_dust(self) -> NDArray[np.bool_]:
        """Tell what dust and what frames leave."""
        width, height = ((self.extent[:, 2:] - self.extent[:, :2]) / self.height).T
        upright = (width > THIN) & (height > FRAME_REST)
        along_frame = self.along_frame > 0.8 * self.total
        return np.asarray((np.maximum(width, height) < DUST) | (along_frame & ~upright))


def _find_pieces(ink: GreyImage, edges: Edges) -> _Pieces:
    height = median(edges[:, 3] - edges[:, 1])
    count, found = cv2.connectedComponents(ink)
    pixels = np.flatnonzero(ink > 0)
    labels = np.asarray(found.ravel().take(pixels) - 1, np.int32)
    amount = ink.ravel().take(pixels) / 255
    cells = _cells(ink.shape, edges).ravel().take(pixels)
    band = _frame_band(ink.shape, edges, height).ravel().take(pixels)
    boxes, pieces = len(edges) + 1, count - 1
    mass = _amounts(labels * boxes + cells + 1, amount, pieces * boxes).reshape(-1, boxes)
    peak = np.zeros(pieces)
    np.maximum.at(peak, labels, amount)
    extent = np.tile(np.array([*ink.shape[::-1], 0, 0], np.intp), (pieces, 1))
    places = np.divmod(pixels, ink.shape[1])[::-1]
    for side, place in enumerate(places):
        np.minimum.at(extent[:, side], labels, place)
        np.maximum.at(extent[:, side + 2], labels, place + 1)
    along_frame = _amounts(labels, np.where(band, amount, 0), pieces)
    return _Pieces(
        count=pieces,
        pixels=pixels,
        labels=labels,
        cells=cells,
        total=mass.sum(axis=1),
        inside=mass[:, 1:],
        along_frame=along_frame,
        peak=peak,
        extent=extent,
        height=height,
    )


def _amounts(labels: Labels, amount: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """How much there is of each label, (count,)."""
    return np.asarray(np.bincount(labels, amount, count), np.float64)


def _cut_lead_ins(owners: Labels, pieces: _Pieces, piece: int, edges: Edges) -> None:
    """Take from each digit of a piece that was cut what its neighbours' strokes left in its box.

    The thin end of the left neighbour's last stroke is given back to it; what is not connected
    with the largest part is nobody's.
    """
    whole = np.zeros(owners.shape, np.uint8)
    whole.ravel()[pieces.pixels[pieces.labels == piece]] = 1
    for position in np.flatnonzero(pieces.inside[piece]):
        left, _, right, _ = edges[position]
        columns = slice(max(round(left), 0), round(right) + 1)
        own = whole[:, columns] & (owners[:, columns] == position)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(own)
        if count == 1:
            continue
        largest = parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        owners[:, columns][(own > 0) & ~largest] = -1
        if position == 0 or not (owners[whole > 0] == position - 1).any():
            continue
        end = _lead_in_end(largest.sum(axis=0), right - left, pieces.height)
        lead_in = largest[:, :end]
        owners[:, columns][:, :end][lead_in] = position - 1


def _lead_in_end(thickness: NDArray[np.int_], width: float, height: float) -> int:
    """Where a thin stroke that comes in from the left grows into a digit; 0 if none does.

    Args:
        thickness: How many pixels of ink each column of the box has, (W,).
        width: That of the box.
        height: That of a box.
    """
    inked = np.flatnonzero(thickness)
    if inked.size == 0 or inked[0] > 0.1 * width:
        return 0
    stroke = float(np.median(thickness[inked[0] : inked[0] + 5]))
    thicker = np.flatnonzero(thickness > 1.8 * stroke + 1)
    if stroke > STROKE * height or thicker.size == 0 or thicker[0] > LEAD_IN * width:
        return 0
    return int(thicker[0])


def _is_shared(inside: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell pieces with much ink in two boxes or more."""
    return np.asarray(
        (inside > SHARED * inside.max(axis=1, keepdims=True)).sum(axis=1) > 1, np.bool_
    )


def _is_guest(inside: NDArray[Any], alone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell pieces that are one digit leaning into boxes that have digits of their own.

    Args:
        inside: Ink of each piece in each box, (pieces, boxes).
        alone: Which pieces are in one box only.
    """
    whole = np.where(alone[:, None], inside, 0).max(axis=0)
    home = inside.argmax(axis=1)[:, None] == np.arange(inside.shape[1])
    visited = (inside > SHARED * inside.max(axis=1, keepdims=True)) & ~home
    return np.asarray((~visited | (whole > inside)).all(axis=1), np.bool_)


def _largest(mass: NDArray[Any], owner: NDArray[np.int_], boxes: int) -> NDArray[np.float64]:
    """The most of each box's pieces: (boxes + 1,), the last for pieces that are nobody's."""
    largest = np.zeros(boxes + 1)
    np.maximum.at(largest, owner, mass)
    largest[-1] = 0
    return largest


def _cells(shape: tuple[int, ...], edges: Edges) -> NDArray[np.int16]:
    """For each pixel the position of the box it is in, -1 for none."""
    cells = np.full(shape, -1, np.int16)
    for position, (left, top, right, bottom) in enumerate(np.rint(edges).astype(int).tolist()):
        cells[max(top, 0) : bottom + 1, max(left, 0) : right + 1] = position
    return cells


def _frame_band(shape: tuple[int, ...], edges: Edges, height: float) -> NDArray[np.bool_]:
    """Where frame lines are, with what may be left beside them."""
    band = np.zeros(shape, np.uint8)
    for left, top, right, bottom in np.rint(edges).astype(int).tolist():
        cv2.rectangle(band, (left, top), (right, bottom), 1, thickness=round(height / 6))
    return band.view(np.bool_)
