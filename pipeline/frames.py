"""Where the printed frames of the boxes really are.

A frame line is dark along its whole length, a pen stroke is not: a line's profile is therefore
the darkness of all but the faintest of a few sections along it. The lines of a field are moved
together first, since no pen imitates all of them at once, and then each for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import product

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.combs import fit_combs
from pipeline.geometry import Edges, Matrix
from pipeline.ink import darkness
from pipeline.profiles import Profiles, column_profiles, row_profiles
from pipeline.records import Box, Floats, GreyImage
from pipeline.strips import Groups, Strips, arrange
from pipeline.tracing import LEAST_DARKNESS, trace

STRETCHES = np.linspace(0.97, 1.03, 13)
HEIGHTS = np.linspace(0.97, 1.03, 3)
TILTS = np.linspace(-0.02, 0.02, 5)
OWN_REACH_X = 0.2
"""How far one upright line may be from where the others put it, as a share of the box height."""
OWN_REACH_Y = 0.08
"""The same for level lines: less, since the next row's frame may be close."""
MERGED = 0.9
"""What a dark column counts that is not thin, as a stroke beside a line is not."""


WHOLE = 0.8
"""With fewer of its lines seen a field may be an open comb, or set off by its tone alone."""
ALIKE = 0.7
"""And with one side so much paler than another: all lines of a frame are printed in one ink."""
TICKS = 0.8
"""The share of ticks that makes one."""
CLEARLY = (0.15, 1.2)
"""And how many more they are than the upright lines of whole frames, as a share of all, or how many
times as dark."""
CLOSED = 0.3
"""The share of boxes with a line above them, if a row has one."""
BOTH = 0.9
"""How much it counts that lines are seen on both sides, against how dark they are."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameFit:
    """Frames as printed, in strip pixels; edges are the middles of lines."""

    edges: Edges
    """(N, 4)."""
    seen: NDArray[np.bool_]
    """(N, 4): whether the left, top, right, bottom line of each box was seen."""
    strength: NDArray[np.float64]
    """(F,): median darkness of the lines of each field."""
    support: NDArray[np.float64]
    """(F,): the share of each field's lines that were seen."""
    upright: NDArray[np.float64]
    """(F,): median darkness of their upright lines."""
    alike: NDArray[np.float64]
    """(F,): how dark the palest of their sides is, as a share of the others."""

    def taking(self, other: FrameFit, taken: NDArray[np.bool_], groups: Groups) -> FrameFit:
        """The same, with some fields (F,) as another fit has them."""
        of_box = taken[groups.of_box, None]
        both = ((getattr(self, each.name), getattr(other, each.name)) for each in fields(FrameFit))
        return FrameFit(
            *(np.where(of_box if own.ndim == 2 else taken, new, own) for own, new in both)
        )


@dataclass(frozen=True, slots=True, eq=False)
class FieldsView:
    """Fields of a scan: their strips, how dark these are, and the frames in them."""

    strips: Strips
    image: GreyImage
    dark: GreyImage
    """(H, W): 0 as bright as the paper nearby, 255 black."""
    lines: GreyImage
    """(H, W): where the frames were looked for, 255 on their lines."""
    frames: FrameFit
    by_tone: NDArray[np.bool_]
    """(F,): whether each field's frames are told by their tone, and are no dark lines."""

    def printed(self) -> Edges:
        """The frames in template pixels, (N, 4)."""
        return self.strips.to_template(self.frames.edges)


def view_fields(
    image: GreyImage,
    homography: Matrix,
    fields: Sequence[tuple[Box, ...]],
    *,
    reach: float,
    box_px: int,
) -> FieldsView:
    """Sample fields from a scan and find their frames.

    Args:
        image: Grey scan of shape (H, W).
        homography: (3, 3), template pixels to scan pixels.
        fields: The boxes of each field in template pixels.
        reach: How far off the printed frames may be, as a share of the height of a box; less than
            half, or a box is taken for its neighbour.
        box_px: Strip pixels to the height of a box.
    """
    strips = arrange(tuple(fields), box_px)
    sampled = strips.sample(image, homography)
    dark = cv2.bitwise_and(darkness(sampled, reach=box_px // 4), strips.mask)
    lines = np.asarray(dark, np.uint8)
    frames = find_frames(lines, strips, reach * box_px)
    return FieldsView(strips, sampled, lines, lines, frames, np.zeros(len(fields), bool))


def find_frames(lines: GreyImage, strips: Strips, reach: float) -> FrameFit:
    """Find the frames of fields, closed ones or open combs; otherwise as `settle`."""
    frames = settle(lines, strips, reach)
    upright = strips.groups.mean(frames.seen[:, [0, 2]])
    if min(frames.support.min(), upright.min()) < WHOLE or frames.alike.min() < ALIKE:
        frames = _with_combs(frames, lines, strips, reach)
    return frames


def _with_combs(frames: FrameFit, dark: GreyImage, strips: Strips, reach: float) -> FrameFit:
    """Take fields for open combs whose ticks are there, though not all of their upright lines."""
    groups, found = strips.groups, fit_combs(dark, strips, reach)
    support, upright = (groups.mean(each.seen[:, [0, 2]]) for each in (found, frames))
    closed = groups.mean(frames.seen[:, 1]) > CLOSED
    better = (found.strength > CLEARLY[1] * frames.upright) | ~closed
    combs = (support >= TICKS) & ((found.open & better) | (support > upright + CLEARLY[0]))
    of_comb = combs[groups.of_box, None]
    return FrameFit(
        np.where(of_comb, found.edges, frames.edges),
        np.where(of_comb, found.seen, frames.seen),
        np.where(combs, found.strength, frames.strength),
        np.where(combs, support, frames.support),
        np.where(combs, found.strength, frames.upright),
        np.where(combs, 0, frames.alike),
    )


def settle(dark: GreyImage, strips: Strips, reach: float) -> FrameFit:
    """Move boxes onto the frame lines printed around them.

    Args:
        dark: Darkness of the strips, uint8 of shape (H, W), 255 black.
        strips: Where the frames are expected.
        reach: How far off they may be, in strip pixels.

    Returns:
        The frames, with what was seen of them.
    """
    edges, groups = strips.edges.copy(), strips.groups
    height = float(np.median(edges[:, 3] - edges[:, 1]))
    sums = np.asarray(cv2.integral(dark), np.int32)
    rows = row_profiles(sums, edges, height)
    edges[:, [1, 3]] = _fit_rows(rows, edges, groups, reach)
    # All lines of a frame are printed in one ink: what is darker is pen, and counts no more.
    paler, darker = _level_strengths(rows, edges, groups)
    found = np.where(paler > LEAST_DARKNESS, paler, darker)
    ceiling = np.maximum(LEAST_DARKNESS, found).astype(np.float32)[groups.of_box]
    rows = rows.limited(ceiling)
    off = reach + OWN_REACH_X * height
    columns = column_profiles(sums, edges, strips, off, height).limited(ceiling)
    edges[:, [0, 2]] = _fit_columns(columns, edges, groups, reach)
    strengths = np.empty_like(edges)
    # A stroke that merges with a line hides that it is thin, but not that it is dark.
    beside = columns.merged(MERGED).of(np.repeat(np.arange(len(edges)), 2))
    chains, off = Groups.of_sizes(2 * groups.counts), OWN_REACH_X * height
    traced = trace(beside, edges[:, [0, 2]].ravel(), chains, reach=off, height=height)
    edges[:, [0, 2]], strengths[:, [0, 2]] = (each.reshape(-1, 2) for each in traced)
    both = rows.of(np.tile(np.arange(len(edges)), 2))
    chains, off = Groups.of_sizes(np.tile(groups.counts, 2)), OWN_REACH_Y * height
    traced = trace(both, edges[:, [1, 3]].T.ravel(), chains, reach=off, height=height)
    edges[:, [1, 3]], strengths[:, [1, 3]] = (each.reshape(2, -1).T for each in traced)
    strength = groups.middle(strengths)
    # Noise has something like a line everywhere; the strongest of those nearby was chosen.
    noise = 4 * np.maximum(groups.middle(rows.middle()), groups.middle(columns.middle()))
    least = np.maximum(np.maximum(LEAST_DARKNESS, noise), strength / 3)
    seen = strengths > least[groups.of_box, None]
    support, upright = groups.mean(seen), groups.middle(strengths[:, [0, 2]])
    alike = np.minimum(upright / np.maximum(strength, 1e-6), (paler + 1e-6) / (darker + 1e-6))
    return FrameFit(edges, seen, strength, support, upright, alike)


def _level_strengths(rows: Profiles, edges: Edges, groups: Groups) -> tuple[Floats, Floats]:
    """How dark the level lines of each field are, where they were found: (F,) twice.

    Of the upper and the lower side the paler is meant, if it is there: a ruling beside a frame is
    darker.
    """
    near = cv2.dilate(rows.thin, np.ones((1, 5), np.uint8))
    sides = groups.middles(np.take_along_axis(near, rows.index(edges[:, [1, 3]]), axis=1))
    return sides.min(axis=1), sides.max(axis=1)


def _fit_rows(rows: Profiles, edges: Edges, groups: Groups, reach: float) -> Edges:
    """Shift, tilt and stretch top and bottom lines together onto the profiles: (N, 2)."""
    lines = edges[:, [1, 3]]
    across = edges[:, [0, 2]].mean(axis=1)
    across -= groups.mean(across)[groups.of_box]
    middle = groups.mean(lines)[groups.of_box, None]
    stretches, tilts = np.array(list(product(HEIGHTS, TILTS))).T[:, :, None, None]
    candidates = middle + (lines - middle) * stretches + across[:, None] * tilts
    return _best(rows, candidates, lines, groups, reach)


def _fit_columns(columns: Profiles, edges: Edges, groups: Groups, reach: float) -> Edges:
    """Shift and stretch left and right lines together onto the profiles: (N, 2)."""
    lines = edges[:, [0, 2]]
    middle = groups.mean(lines)[groups.of_box, None]
    candidates = middle + (lines - middle) * STRETCHES[:, None, None]
    return _best(columns, candidates, lines, groups, reach)


def _best(
    profiles: Profiles,
    candidates: NDArray[np.float64],
    expected: NDArray[np.float64],
    groups: Groups,
    reach: float,
) -> NDArray[np.float64]:
    """Choose for each field among candidates (C, N, 2), each shifted by up to reach."""
    steps, thin = int(reach), profiles.thin
    # Printed boxes are not all equally wide: a line nearby counts almost like one in its place.
    near = cv2.dilate(thin, np.ones((1, 2 * round(0.12 * reach) + 1), np.uint8))
    ceiling = np.maximum(LEAST_DARKNESS, groups.middle(thin.max(axis=1)))[groups.of_box, None]
    score = (np.minimum(thin, ceiling) + 2 * np.minimum(near, ceiling)) / (3 * ceiling)
    padded = cv2.copyMakeBorder(score, 0, 0, steps, steps, cv2.BORDER_CONSTANT, value=0)
    windows = sliding_window_view(padded, 2 * steps + 1, axis=1)
    found = windows[np.arange(len(thin))[:, None], profiles.index(candidates)]
    sides = groups.total(found, axis=1) / groups.counts[:, None, None]
    # A frame has all its sides: a dark line on one side alone is not its own.
    scores = BOTH * sides.min(axis=2) + (1 - BOTH) * sides.mean(axis=2)
    bent = groups.total(np.abs(candidates - expected).mean(axis=2), axis=1) / groups.counts
    shifts = np.arange(-steps, steps + 1)
    off = (bent[:, :, None] + np.abs(shifts)) / max(reach, 1)
    best = (scores - 0.1 * off).transpose(1, 0, 2).reshape(len(groups.counts), -1).argmax(axis=1)
    chosen, shift = np.unravel_index(best, (len(candidates), len(shifts)))
    moved = candidates[chosen[groups.of_box], np.arange(len(thin))]
    return np.asarray(moved + shifts[shift][groups.of_box, None], np.float64)
