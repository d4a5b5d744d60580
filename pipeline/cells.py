"""Printed cells of a page, found once for all templates: what thin dark lines close off.

A box is a hole in the print: bright, of a box's size, bounded by four straight lines. Writing
inside does not change its outline unless it touches the frame, and then others tell where the
page lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import reduce
from pipeline.outlines import two_tones
from pipeline.records import GreyImage, Points

BOX_PX = 17.0
"""Cells are looked for in a scan halved while boxes stay at least this high."""
SMALLEST, LARGEST = 0.4, 1.7
"""Sizes accepted, against those of boxes in a scan that shows the page edge to edge: it may be
larger than its page, and boxes stand beside each other as single cells."""
CONTRAST = 6
"""A frame line is this many grey levels darker than what is around it."""
FULL = (0.75, 1.2)
"""How much of its four corners' area a cell fills: a letter's hole does not."""
LONGEST = 5.0
"""The longest cell, in widths."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Printed cells of a scan: centres and sides (N, 2), inside their lines, in scan pixels."""

    centres: Points
    rights: Points
    """From the left to the right side; which way the page is turned is not known yet."""
    downs: Points
    print: GreyImage
    """What is printed or written, 255, in a reduced scan."""
    factor: int
    """Scan pixels to one of `print`."""

    def __len__(self) -> int:
        return len(self.centres)


def find_cells(image: GreyImage, box_px: tuple[float, float], *, by_tone: bool = False) -> Cells:
    """Find the cells of about a box's size on a page.

    Args:
        image: Grey scan of shape (H, W).
        box_px: The smallest and the largest side of a box, in scan pixels.
        by_tone: Whether they may be closed off by tones, or by lines so pale that they are only
            seen where writing is left out.
    """
    factor = 2 ** max(0, int(np.log2(max(box_px[0] / BOX_PX, 1.0))))
    least, most = SMALLEST * box_px[0] / factor, LARGEST * box_px[1] / factor
    small = reduce(image, factor)
    if factor == 1:  # nothing has averaged the scanner's noise yet
        small = np.asarray(cv2.GaussianBlur(small, (3, 3), 0.5), np.uint8)
    around = 2 * round(0.8 * box_px[0] / factor) + 3
    # What `cv2.adaptiveThreshold` does, in two thirds of its time.
    mean = cv2.blur(small, (around, around), borderType=cv2.BORDER_REPLICATE)
    _, dark = cv2.threshold(cv2.subtract(mean, small), CONTRAST - 1, 255, cv2.THRESH_BINARY)
    quads = _find_holes(dark, least, most)
    if by_tone:
        tones = two_tones(small, (box_px[0] / factor, box_px[1] / factor))
        grounds = (cv2.max(dark, tones.darker), tones.lighter, tones.thinner(small, CONTRAST))
        quads = np.concatenate([quads, *(_find_holes(each, least, most) for each in grounds)])
        quads = _each_once(quads, round(least / 2))
    right = (quads[:, 1] - quads[:, 0] + quads[:, 2] - quads[:, 3]) / 2
    down = (quads[:, 3] - quads[:, 0] + quads[:, 2] - quads[:, 1]) / 2
    centres = (quads.mean(axis=1) + 0.5) * factor
    return Cells(centres, right * factor, down * factor, np.asarray(dark, np.uint8), factor)


def _each_once(quads: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Leave out those (N, 4, 2) whose middle is within reach of an earlier one's."""
    middles = np.rint(quads.mean(axis=1)).astype(int)
    taken = np.zeros(middles.max(axis=0, initial=0) + reach + 1, bool)
    kept = []
    for place, (x, y) in enumerate(middles.tolist()):
        if not taken[x, y]:
            kept.append(place)
            taken[max(x - reach, 0) : x + reach + 1, max(y - reach, 0) : y + reach + 1] = True
    return quads[kept]


def _find_holes(dark: cv2.typing.MatLike, least: float, most: float) -> NDArray[np.float64]:
    """The corners (N, 4, 2), clockwise from top left, of bright areas with four straight sides."""
    contours, tree = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    holes = [] if tree is None else np.flatnonzero(tree[0, :, 3] >= 0).tolist()
    if not holes:
        return np.zeros((0, 4, 2))
    # A page of text has a thousand holes, nearly all too small: they are measured all at once.
    outlines = [contours[hole] for hole in holes]
    starts = np.cumsum([0, *map(len, outlines[:-1])])
    points = np.concatenate(outlines)[:, 0]
    first, last = (each.reduceat(points, starts) for each in (np.minimum, np.maximum))
    extent = last - first + 1
    of_size = (extent.min(axis=1) > least) & (extent.max(axis=1) < 1.4 * most)
    kept = [outlines[hole] for hole in np.flatnonzero(of_size).tolist()]
    if not kept:
        return np.zeros((0, 4, 2))
    corners = _corners(kept).astype(np.float64)
    areas = np.array([cv2.contourArea(outline) for outline in kept])
    diagonals = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    spanned = np.abs(
        diagonals[0][:, 0] * diagonals[1][:, 1] - diagonals[0][:, 1] * diagonals[1][:, 0]
    )
    full = areas / np.maximum(spanned / 2, 1)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    good = (full > FULL[0]) & (full < FULL[1]) & (sides.min(axis=1) > least)
    good &= (sides.max(axis=1) < most) & (sides.max(axis=1) < LONGEST * sides.min(axis=1))
    return np.asarray(corners[good], np.float64)


def _corners(outlines: Sequence[cv2.typing.MatLike]) -> NDArray[np.int32]:
    """The points (N, 4, 2) farthest to the top left, top right, bottom right and bottom left."""
    lengths = [len(outline) for outline in outlines]
    starts = np.cumsum([0, *lengths[:-1]])
    points = np.concatenate(outlines)[:, 0]
    falling, rising = points[:, 0] + points[:, 1], points[:, 0] - points[:, 1]
    farthest = []
    for along in (-falling, rising, falling, -rising):
        most = np.maximum.reduceat(along, starts)
        reached = np.flatnonzero(along == np.repeat(most, lengths))
        farthest.append(points[reached[np.searchsorted(reached, starts)]])
    return np.stack(farthest, axis=1)
