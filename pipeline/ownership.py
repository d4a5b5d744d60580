"""Which ink belongs to which box of a field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, Floats

SPECK = 0.06
"""A piece of ink is dust if it is smaller than this share of the box's largest."""
DUST = 0.125
"""No stroke is smaller than this, as a share of the height of a box."""
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


def share_out(ink: Floats, boxes: Sequence[Box]) -> Labels:
    """Give each connected piece of ink to the box that holds most of it.

    A piece with much ink in two boxes is two digits that touch: it is cut between them, unless
    one of the boxes has a digit of its own already. A piece that is mostly outside all boxes is
    print: nobody's, but for a digit that touches it, which is cut off at its box. Nobody's, too,
    is what a frame or dust has left.

    Args:
        ink: float32 of shape (H, W), 0 paper, 1 pen, frames removed.
        boxes: The field's boxes in the pixels of `ink`.

    Returns:
        int32 of shape (H, W): the position of each pixel's box, -1 for none.
    """
    count, found, stats, _ = cv2.connectedComponentsWithStats((ink > 0).astype(np.uint8))
    owners = np.full(ink.shape, -1, np.int32)
    if count == 1:
        return owners
    inked = np.nonzero(ink)
    labels, amount = np.asarray(found, np.int32)[inked], ink[inked]
    cells = _cells(ink.shape, boxes)[inked]
    mass = np.bincount(labels * (len(boxes) + 1) + cells + 1, amount, count * (len(boxes) + 1))
    mass = mass.reshape(count, -1)
    total, inside = mass.sum(axis=1), mass[:, 1:]
    most = inside.max(axis=1)
    band = _frame_band(ink.shape, boxes)[inked]
    along_frame = np.bincount(labels, np.where(band, amount, 0), count) > 0.8 * total
    width, height = (np.asarray(stats)[:, 2:4] / boxes[0].height).T
    upright = (width > THIN) & (height > FRAME_REST)
    dust = (np.maximum(width, height) < DUST) | (along_frame & ~upright)
    good = ~dust & (_peaks(labels, amount, count) > 0.5)
    good[0] = False
    shared = good & _is_shared(inside) & (inside.sum(axis=1) > 0.5 * total)
    cut = shared & ~_is_guest(inside, good & ~shared)
    at_home = most > 0.4 * total
    cut |= good & ~at_home & (most > DIGIT * boxes[0].height ** 2)
    owner = np.where(good & at_home, inside.argmax(axis=1), -1)
    owner[most < SPECK * _largest(most, owner, len(boxes))[owner]] = -1
    owners[inked] = np.where(cut[labels], cells, owner[labels])
    for piece in np.flatnonzero(cut):
        _cut_lead_ins(owners, np.asarray(found) == piece, boxes)
    return owners


def _cut_lead_ins(owners: Labels, piece: NDArray[np.bool_], boxes: Sequence[Box]) -> None:
    """Take from each digit of a piece that was cut what its neighbours' strokes left in its box.

    The thin end of the left neighbour's last stroke is given back to it; what is not connected
    with the largest part is nobody's.
    """
    for position, box in enumerate(boxes):
        columns = slice(max(round(box.left), 0), round(box.right) + 1)
        own = piece[:, columns] & (owners[:, columns] == position)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(own.astype(np.uint8))
        if count == 1:
            continue
        largest = parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        owners[:, columns][own & ~largest] = -1
        if position == 0 or not (owners[piece] == position - 1).any():
            continue
        lead_in = largest[:, : _lead_in_end(largest.sum(axis=0), box)]
        owners[:, columns][:, : lead_in.shape[1]][lead_in] = position - 1


def _lead_in_end(thickness: NDArray[np.int_], box: Box) -> int:
    """Where a thin stroke that comes in from the left grows into a digit; 0 if none does.

    Args:
        thickness: How many pixels of ink each column of the box has, (W,).
        box: The box.
    """
    inked = np.flatnonzero(thickness)
    if inked.size == 0 or inked[0] > 0.1 * box.width:
        return 0
    stroke = float(np.median(thickness[inked[0] : inked[0] + 5]))
    thicker = np.flatnonzero(thickness > 1.8 * stroke + 1)
    if stroke > STROKE * box.height or thicker.size == 0 or thicker[0] > LEAD_IN * box.width:
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


def _peaks(labels: Labels, amount: Floats, count: int) -> Floats:
    """How dark each piece is at its darkest."""
    peaks = np.zeros(count, np.float32)
    np.maximum.at(peaks, labels, amount)
    return peaks


def _largest(mass: NDArray[Any], owner: NDArray[np.int_], boxes: int) -> NDArray[np.float64]:
    """The mass of each box's largest piece: (boxes + 1,), the last for pieces that are nobody's."""
    largest = np.zeros(boxes + 1)
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


def _frame_band(shape: tuple[int, ...], boxes: Sequence[Box]) -> NDArray[np.bool_]:
    """Where frame lines are, with what may be left beside them."""
    band = np.zeros(shape, np.uint8)
    for box in boxes:
        start, end = (round(box.left), round(box.top)), (round(box.right), round(box.bottom))
        cv2.rectangle(band, start, end, 1, thickness=round(box.height / 6))
    return band.astype(bool)
