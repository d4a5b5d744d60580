"""Fields whose frames are no dark lines."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from pipeline.frames import FieldsView, find_frames
from pipeline.outlines import outlines
from pipeline.records import GreyImage
from pipeline.strips import Strips

SEEN = 0.7
"""With less of its lines seen a field may have a frame of another kind, if that shows as much."""
RIM = np.ones((7, 7), np.uint8)
"""What of a strip is near its edges, where it is set off itself."""


def look_by_tone(view: FieldsView, *, reach: float, box_px: int) -> FieldsView:
    """Look for the frames of fields that have no dark lines where their tone sets them off.

    Args:
        view: The fields as settled on dark lines.
        reach: How far off the printed frames may be, as a share of the height of a box.
        box_px: Strip pixels to the height of a box.

    Returns:
        The same, those fields settled anew that are found.
    """
    unseen = view.frames.support < SEEN
    if not unseen.any():
        return view
    lines = _lines_of(view.image, view.strips, box_px)
    again = find_frames(lines, view.strips, reach * box_px)
    found = unseen & (again.support >= SEEN)
    both = view.lines.copy()
    for field in np.flatnonzero(found).tolist():
        start, end, _ = view.strips.spans[field]
        both[:, start:end] = lines[:, start:end]
    frames = view.frames.taking(again, found, view.strips.groups)
    return replace(view, lines=both, frames=frames)


def _lines_of(sampled: GreyImage, strips: Strips, box_px: int) -> GreyImage:
    """What sets boxes off in the strips; not what sets off the strips."""
    on_white = np.asarray(cv2.max(sampled, cv2.bitwise_not(strips.mask)), np.uint8)
    within = cv2.erode(strips.mask, RIM)
    return np.asarray(cv2.bitwise_and(outlines(on_white, box_px), within), np.uint8)
