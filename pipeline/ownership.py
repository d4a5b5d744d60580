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

Labels = NDArray[np.int32]


def share_out(ink: Floats, boxes: Sequence[Box]) -> Labels:
    """Give each connected piece of ink to the box that holds most of it.

    A piece with much ink in two boxes is two digits that touch: it is cut between them. A piece
    that is mostly outside all boxes is print, and nobody's; so is what a frame or dust has left.

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
    good = ~along_frame & ~_is_speck(stats, boxes[0].height) & (_peaks(labels, amount, count) > 0.5)
    good[0] = False
    cut = good & _touches(inside) & (inside.sum(axis=1) > 0.5 * total)
    owner = np.where(good & (most > 0.4 * total), inside.argmax(axis=1), -1)
    owner[most < SPECK * _largest(most, owner, len(boxes))[owner]] = -1
    owners[inked] = np.where(cut[labels], cells, owner[labels])
    return owners


def _touches(inside: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell pieces with much ink in two boxes or more."""
    return np.asarray((inside > 0.25 * inside.max(axis=1, keepdims=True)).sum(axis=1) > 1, np.bool_)


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


def _is_speck(stats: cv2.typing.MatLike, height: float) -> NDArray[np.bool_]:
    """Tell pieces too small for any stroke."""
    return np.asarray(np.asarray(stats)[:, 2:4].max(axis=1) < height / 8, np.bool_)


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
