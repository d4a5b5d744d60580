"""What scanners and faxes do to a whole page, undone before its form is looked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import GreyImage

SMOOTH_PX = 0.6
"""By so much a one-bit page is smoothed whose boxes are just fine enough: its edges are ragged by a
pixel, and its greys are dots."""
MOST_SMOOTH_PX = 0.8
"""And by so much the finest."""
FAX_LINES = 204 / 98
"""How many times as many pixels a fax of standard resolution has across the page as down it."""
LIKE = 1.2
"""How much a page's format may differ from its form's where its pixels' may not be square."""
BANDS = 16
"""A page is looked at for streaks in so many places, spread from edge to edge."""
BAND_PX = 4
"""And in each over so many pixels along them."""
PAPER = 170
"""Paper is at least this bright under a scanner; tables in photographs have lines, too."""
DARKER = 30
"""How many grey levels a streak is darker than the brightest beside it."""
LEAST_BANDS = 12
"""In so many places paper must be seen, and the streak on all of it but one."""
WIDEST = 1 / 250
"""How wide a streak may be, as a share of the page."""
MOST_STREAKS = 20


def mend(image: GreyImage, needed_px: Callable[[], int]) -> GreyImage:
    """Smooth a page of one bit a pixel, and take out what dust on a scanner's glass drew over it.

    Args:
        image: Grey scan of shape (H, W).
        needed_px: Says how long its longer side must be for its boxes to be fine enough.

    Returns:
        The same where there is nothing to mend.
    """
    if is_one_bit(image):
        smooth = min(SMOOTH_PX * max(image.shape) / needed_px(), MOST_SMOOTH_PX)
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), smooth), np.uint8)
    upright, level = find_streaks(image), find_streaks(image.T)
    if upright or level:
        image = image.copy()
        _fill(image, upright)
        _fill(image.T, level)
    return image


def is_one_bit(image: GreyImage) -> bool:
    """Tell whether a page is black and white only, as some rows of it show."""
    step = max(1, len(image) // 64)
    some = (image[len(image) // 2 :][:1], image[::step])
    return all(bool(((rows == 0) | (rows == 255)).all()) for rows in some)


def with_all_lines(image: GreyImage, formats: Sequence[tuple[float, float]]) -> GreyImage | None:
    """A fax of standard resolution with as many lines as its pixels are wide, or nothing.

    Most files say that their pixels are not square; converted ones do not.

    Args:
        image: Grey scan of shape (H, W).
        formats: Heights and widths of the forms that it may be.
    """
    if not is_one_bit(image):
        return None
    sides = np.sort([image.shape[0] * FAX_LINES, image.shape[1]])
    wanted = np.sort(np.array(formats, np.float64), axis=1)
    unlike = np.abs(np.log(sides[1] / sides[0] * wanted[:, 0] / wanted[:, 1]))
    if unlike.min() > np.log(LIKE):
        return None
    return np.asarray(cv2.resize(image, None, fx=1, fy=FAX_LINES), np.uint8)


def find_streaks(image: GreyImage) -> list[tuple[int, int]]:
    """Find lines that run straight down a scan from edge to edge, where paper is too.

    Print ends at a margin; what comes from the scanner's glass does not.

    Args:
        image: Grey scan of shape (H, W).

    Returns:
        First and last column of each, the last excluded.
    """
    places = np.linspace(0, max(len(image) - BAND_PX, 0), BANDS).astype(np.intp)
    paper, dark = _look_beside(image, places[[0, -1]])
    at_ends = (dark | ~paper).all(axis=0)
    if not at_ends.any():
        return []
    paper, dark = _look_beside(image, places)
    seen = paper.sum(axis=0)
    through = at_ends & (seen >= LEAST_BANDS) & (dark.sum(axis=0) >= seen - 1)
    narrow = [run for run in _runs(through) if run[1] - run[0] <= _widest(image)]
    return narrow if len(narrow) <= MOST_STREAKS else []


def _look_beside(
    image: GreyImage, places: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell at some places down a page (P, W) where paper is near, and where it is much darker."""
    bands = np.array([image[place : place + BAND_PX].max(axis=0) for place in places.tolist()])
    beside = cv2.dilate(bands, np.ones((1, 2 * _widest(image) + 3), np.uint8))
    paper = beside >= PAPER
    return paper, paper & (cv2.subtract(beside, bands) > DARKER)


def _widest(image: GreyImage) -> int:
    return max(2, round(WIDEST * int(image.shape[1])))


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last, excluded, of each row of true ones."""
    if not flags.any():
        return []
    changes = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
    return list(zip(np.flatnonzero(changes > 0), np.flatnonzero(changes < 0), strict=True))


def _fill(image: GreyImage, streaks: Sequence[tuple[int, int]]) -> None:
    """Draw what is beside streaks over them, in place: strokes that cross them stay."""
    for start, end in streaks:
        left, right = max(start - 2, 0), min(end + 1, image.shape[1] - 1)
        share = np.linspace(0, 1, right - left + 1)
        ends = image[:, [left, right]].astype(np.float64)
        between = ends[:, :1] * (1 - share) + ends[:, 1:] * share
        image[:, left : right + 1] = np.rint(between).astype(np.uint8)
