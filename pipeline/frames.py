"""Where the printed frames of a field's boxes really are.

A frame line is dark along its whole length, a pen stroke is not: a line's profile is therefore
the darkness of all but the faintest of a few sections along it. The lines of a field are moved
together first, since no pen imitates all of them at once, and then each for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Matrix, Strip, bounding_box, sample_strip
from pipeline.ink import darkness
from pipeline.records import Box, Floats, GreyImage

MARGIN = 0.5
"""What is sampled around the boxes, as a share of their height: strokes leave their boxes."""
SECTION_ENDS = np.linspace(0.12, 0.88, 6)
"""A line is looked at in sections that end here, as shares of its length."""
LINE_WIDTH = 0.14
"""The widest line that counts as a frame, as a share of the box height."""
LEAST_DARKNESS = 0.04
"""A line must be this much darker than its surroundings to be seen at all."""
STRETCHES = np.linspace(0.97, 1.03, 13)
HEIGHTS = np.linspace(0.97, 1.03, 3)
TILTS = np.linspace(-0.02, 0.02, 5)
OWN_REACH_X = 0.2
"""How far one upright line may be from where the others put it, as a share of the box height."""
OWN_REACH_Y = 0.08
"""The same for level lines: less, since the next row's frame may be close."""
MERGED = 0.9
"""What a dark column counts that is not thin, as a stroke beside a line is not."""
ANCHOR = 2.0
"""What it costs a line, against seeing it clearly, to be off by a box height, squared."""
BENDING = 40.0
"""What it costs if a line is off by a box height more than the one before it, squared."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameFit:
    """The frames of one field as printed, in strip pixels; edges are the middles of lines."""

    boxes: tuple[Box, ...]
    seen: NDArray[np.bool_]
    """(N, 4): whether the left, top, right, bottom line of each box was seen."""
    strength: float
    """Median darkness of the lines."""

    @property
    def support(self) -> float:
        """The share of lines that were seen."""
        return float(self.seen.mean())


@dataclass(frozen=True, slots=True, eq=False)
class FieldView:
    """One field of a scan: its strip, its darkness, its frames in strip pixels."""

    strip: Strip
    dark: Floats
    frames: FrameFit


def view_field(
    image: GreyImage, homography: Matrix, boxes: Sequence[Box], *, reach: float, box_px: int
) -> FieldView:
    """Sample a field from a scan and find its frames.

    Args:
        image: Grey scan of shape (H, W).
        homography: (3, 3), template pixels to scan pixels.
        boxes: The field's boxes in template pixels.
        reach: How far off the printed frames may be, as a share of the height of a box.
        box_px: Strip pixels to the height of a box.
    """
    height = float(np.median([box.height for box in boxes]))
    area = bounding_box(boxes, MARGIN * height)
    strip = sample_strip(image, homography, area, box_px / height)
    dark = darkness(strip.image, reach=box_px // 4)
    frames = settle(dark, [strip.locate(box) for box in boxes], reach * box_px)
    return FieldView(strip, dark, frames)


def settle(dark: Floats, boxes: Sequence[Box], reach: float) -> FrameFit:
    """Move the boxes of one field onto the frame lines printed around them.

    Args:
        dark: Darkness of the field's strip, float32 of shape (H, W).
        boxes: Where the frames are expected, in strip pixels.
        reach: How far off they may be, in strip pixels; less than half a box, or a box is taken
            for its neighbour.

    Returns:
        The frames, with what was seen of them.
    """
    edges = np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], np.float64)
    height = float(np.median(edges[:, 3] - edges[:, 1]))
    rows, _ = _profiles(dark, edges[:, [0, 2]], height)
    edges[:, [1, 3]] = _fit_rows(rows, edges, reach)
    # All lines of a frame are printed in one ink: what is darker is pen, and counts no more.
    ceiling = _level_strength(rows, edges)
    rows = np.minimum(rows, ceiling)
    columns, solid = (np.minimum(each, ceiling) for each in _column_profiles(dark, edges, height))
    edges[:, [0, 2]] = _fit_columns(columns, edges, reach)
    strengths = np.empty_like(edges)
    # A stroke that merges with a line hides that it is thin, but not that it is dark.
    beside = np.repeat(np.maximum(columns, MERGED * solid), 2, axis=0)
    upright, darkest = _trace(beside, edges[:, [0, 2]].ravel(), OWN_REACH_X * height, height)
    edges[:, [0, 2]], strengths[:, [0, 2]] = upright.reshape(-1, 2), darkest.reshape(-1, 2)
    for side in (1, 3):
        traced = _trace(rows, edges[:, side], OWN_REACH_Y * height, height)
        edges[:, side], strengths[:, side] = traced
    strength = _middle(strengths)
    # Noise has something like a line everywhere; the strongest of those nearby was chosen.
    noise = 4 * max(_middle(rows), _middle(columns))
    seen = strengths > max(LEAST_DARKNESS, noise, strength / 3)
    return FrameFit(tuple(Box(*map(float, edge)) for edge in edges), seen, strength)


def _level_strength(rows: Floats, edges: NDArray[np.float64]) -> float:
    """How dark the level lines are, where they were found."""
    near = cv2.dilate(rows, np.ones((1, 5), np.uint8))
    at = np.minimum(np.maximum(np.rint(edges[:, [1, 3]]).astype(int), 0), rows.shape[1] - 1)
    return max(LEAST_DARKNESS, _middle(near[np.arange(len(rows))[:, None], at]))


def _middle(values: NDArray[Any]) -> float:
    """The median, many times as fast as numpy's for few values."""
    return float(np.partition(values.ravel(), values.size // 2)[values.size // 2])


def _profiles(dark: Floats, spans: NDArray[np.float64], height: float) -> tuple[Floats, Floats]:
    """For each span (N, 2) of columns, how much each row looks like a line, and how dark it is.

    Returns:
        Twice (N, H); a line is thin, a dark row need not be.
    """
    # Where sections are long, their sums need not be exact to the pixel, and a quarter is faster.
    shortest = float((spans[:, 1] - spans[:, 0]).min())
    coarse = max(1, dark.shape[1] // max(1, min(4, int(shortest / 8))))
    sums = np.zeros((dark.shape[0], coarse + 1), np.float32)
    narrow = cv2.resize(dark, (coarse, dark.shape[0]), interpolation=cv2.INTER_AREA)
    np.cumsum(narrow, axis=1, out=sums[:, 1:])
    left, width = spans[:, :1], spans[:, 1:] - spans[:, :1]
    cuts = (left + width * SECTION_ENDS) * (coarse / dark.shape[1])
    cuts = np.minimum(np.maximum(np.rint(cuts).astype(int), 0), coarse)
    at_cuts = sums[:, cuts]
    sections = at_cuts[:, :, 1:] - at_cuts[:, :, :-1]
    sections /= np.maximum(cuts[:, 1:] - cuts[:, :-1], 1)
    sections.partition(1, axis=2)
    smooth = cv2.blur(np.ascontiguousarray(sections[:, :, 1].T), (3, 1))
    kernel = np.ones((1, 2 * round(LINE_WIDTH * height / 2) + 3), np.uint8)
    thin = cv2.morphologyEx(smooth, cv2.MORPH_TOPHAT, kernel)
    return np.asarray(thin, np.float32), np.asarray(smooth, np.float32)


def _column_profiles(
    dark: Floats, edges: NDArray[np.float64], height: float
) -> tuple[Floats, Floats]:
    """For each box, how much each column looks like a line beside it: twice (N, W)."""
    rounded = np.rint(edges[:, [1, 3]] / (height / 16))
    spans, inverse = rounded[:1], np.zeros(len(edges), int)
    if (rounded != spans).any():
        spans, inverse = np.unique(rounded, axis=0, return_inverse=True)
    thin, solid = _profiles(np.ascontiguousarray(dark.T), spans * height / 16, height)
    return thin[inverse.ravel()], solid[inverse.ravel()]


def _fit_rows(profiles: Floats, edges: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Shift, tilt and stretch top and bottom lines together onto the profiles: (N, 2)."""
    lines = edges[:, [1, 3]]
    across = edges[:, [0, 2]].mean(axis=1, keepdims=True)
    across -= across.mean()
    middle = lines.mean()
    candidates = [
        middle + (lines - middle) * stretch + across * tilt
        for stretch, tilt in product(HEIGHTS, TILTS)
    ]
    return _best(profiles, np.array(candidates), lines, reach)


def _fit_columns(profiles: Floats, edges: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Shift and stretch left and right lines together onto the profiles: (N, 2)."""
    lines = edges[:, [0, 2]]
    middle = lines.mean()
    candidates = [middle + (lines - middle) * stretch for stretch in STRETCHES]
    return _best(profiles, np.array(candidates), lines, reach)


def _best(
    profiles: Floats, candidates: NDArray[np.float64], expected: NDArray[np.float64], reach: float
) -> NDArray[np.float64]:
    """Choose among candidates (C, N, 2), each shifted by up to reach, the one on most lines."""
    # Printed boxes are not all equally wide: a line nearby counts almost like one in its place.
    near = cv2.dilate(profiles, np.ones((1, 2 * round(0.12 * reach) + 1), np.uint8))
    ceiling = max(LEAST_DARKNESS, _middle(profiles.max(axis=1)))
    score = np.minimum(profiles, ceiling) + 2 * np.minimum(near, ceiling)
    steps = int(reach)
    padded = cv2.copyMakeBorder(score, 0, 0, steps, steps, cv2.BORDER_CONSTANT, value=0)
    last = profiles.shape[1] - 1
    starts = np.minimum(np.maximum(np.rint(candidates).astype(int), 0), last)
    starts += (np.arange(len(profiles)) * padded.shape[1])[:, None]
    shifts = np.arange(-steps, steps + 1)
    found = padded.ravel()[starts.reshape(len(candidates), -1, 1) + (shifts + steps)]
    scores = found.sum(axis=1) / (3 * ceiling * expected.size)
    bent = np.abs(candidates - expected).mean(axis=(1, 2))
    off = (bent[:, None] + np.abs(shifts)) / max(reach, 1)
    chosen, shift = np.unravel_index(np.argmax(scores - 0.1 * off), scores.shape)
    return np.asarray(candidates[chosen] + shifts[shift], np.float64)


def _trace(
    profiles: Floats, lines: NDArray[np.float64], reach: float, height: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move each line (M,) to the middle of a strong one near it, and tell how strong it is.

    Lines that follow each other move alike unless the print says otherwise: the best path
    through all offsets, found by dynamic programming (Viterbi, 1967).
    """
    offsets = np.arange(-round(reach), round(reach) + 1)
    index = np.rint(lines).astype(int)[:, None] + offsets
    each = np.arange(len(lines))
    near = profiles[each[:, None], np.minimum(np.maximum(index, 0), profiles.shape[1] - 1)]
    ceiling = max(LEAST_DARKNESS, _middle(near.max(axis=1)))
    gains = np.minimum(near, ceiling) / ceiling - ANCHOR * np.square(offsets / height)
    chosen = _best_path(gains, offsets / height)
    around = np.where(np.abs(np.arange(len(offsets)) - chosen[:, None]) <= 2, near, 0) + 1e-9
    middle = (around * (index + 0.5)).sum(axis=1) / around.sum(axis=1)
    strength = near[each, chosen].astype(np.float64)
    return np.where(strength > LEAST_DARKNESS, middle, lines + offsets[chosen]), strength


def _best_path(gains: NDArray[np.float64], offsets: NDArray[np.float64]) -> NDArray[np.int_]:
    """Which offset each line takes (M,), for the most gain (M, offsets) and the least bending."""
    bend = BENDING * np.square(offsets[:, None] - offsets)
    total = gains[0]
    came_from = []
    for gain in gains[1:]:
        reached = total - bend
        came_from.append(reached.argmax(axis=1))
        total = reached.max(axis=1) + gain
    path = [int(np.argmax(total))]
    for previous in reversed(came_from):
        path.append(int(previous[path[-1]]))
    return np.array(path[::-1])
