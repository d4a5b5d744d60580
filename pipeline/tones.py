"""Fields whose frames are no dark lines."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from pipeline.frames import WHOLE, FieldsView, find_frames
from pipeline.outlines import LEAST_STEP, outlines
from pipeline.records import GreyImage
from pipeline.strips import Strips

SEEN = 0.7
"""The share of its lines that shows a frame told by its tone."""
PALE = 0.08
"""Lines that are no darker may be none."""
CLEARER = 1.5
"""How many times as dark outlines are then, if the frame is one of tones."""
STRONGER = 3
"""How many times as dark the outlines of tones are drawn: they show less noise than lines do."""
SHARES = (0.2, 0.8)
"""Of a strip with two tones more than the first is of the darker, and more than the rest of the
lighter; less than that is written."""
EVERY = 3
"""Every so manieth pixel tells."""
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
    support, strength = view.frames.support, view.frames.strength
    # What looks like the ticks of a comb may be the gaps between tinted boxes, and what looks like
    # a pale line the shade where two tones meet.
    pale = strength < PALE
    unseen = (support < WHOLE) | (view.frames.alike == 0) | pale
    if not any(_has_two_tones(view, field) for field in np.flatnonzero(unseen).tolist()):
        return view
    lines = _lines_of(view.image, view.strips, box_px)
    again = find_frames(lines, view.strips, reach * box_px)
    again = replace(again, strength=again.strength / STRONGER)
    clearer = (again.support > support) | (pale & (again.strength > CLEARER * strength))
    found = unseen & (again.support >= SEEN) & clearer
    both = view.lines.copy()
    for field in np.flatnonzero(found).tolist():
        start, end, _ = view.strips.spans[field]
        both[:, start:end] = lines[:, start:end]
    frames = view.frames.taking(again, found, view.strips.groups)
    return replace(view, lines=both, frames=frames, by_tone=found)


def _has_two_tones(view: FieldsView, field: int) -> bool:
    """Tell whether a part of a field's strip as large as its boxes is of another tone."""
    start, end, height = view.strips.spans[field]
    tones = np.sort(view.image[:height:EVERY, start:end:EVERY], axis=None)
    darker, lighter = (int(tones[int(share * len(tones))]) for share in SHARES)
    return lighter - darker >= LEAST_STEP


def _lines_of(sampled: GreyImage, strips: Strips, box_px: int) -> GreyImage:
    """What sets boxes off in the strips; not what sets off the strips."""
    on_white = np.asarray(cv2.max(sampled, cv2.bitwise_not(strips.mask)), np.uint8)
    within = cv2.erode(strips.mask, RIM)
    drawn = cv2.convertScaleAbs(outlines(on_white, box_px), alpha=STRONGER)
    return np.asarray(cv2.bitwise_and(drawn, within), np.uint8)
