"""Boxes that are open above: short upright ticks, with or without a line below them.

A tick is found like the upright line of a whole frame, on its lower part alone. How far up or down
a row is its base line tells; without one, the lower ends of its ticks do.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.geometry import Edges
from pipeline.profiles import Profiles, column_profiles, row_profiles
from pipeline.records import Floats, GreyImage
from pipeline.strips import Groups, Strips
from pipeline.tracing import LEAST_DARKNESS, trace

TICK = (0.27, 0.03)
"""Where ticks are looked for, above the bottom of a box, as shares of its height."""
ABOVE = (0.95, 0.6)
"""Where nothing is printed above a tick, likewise."""
OWN_REACH = 0.15
"""How far one tick may be from where the others put it, likewise."""
BASE = 0.6
"""The share of a row's boxes that have a line below them, if it has one."""
END_PX = 3
"""So many pixels above the end of a tick are dark."""
BELOW = 0.25
"""And so far below it nothing is printed, as a share of the height of a box."""
LEAST_SHARE = 0.5
"""How dark a tick is at least, against most of its row's."""


@dataclass(frozen=True, slots=True, eq=False)
class CombFit:
    """Boxes between ticks as printed, in strip pixels; edges are the middles of lines."""

    edges: Edges
    """(N, 4)."""
    seen: NDArray[np.bool_]
    """(N, 4): whether each line was seen; the upper one, which is not printed, with both ticks."""
    strength: NDArray[np.float64]
    """(F,): median darkness of the ticks of each field."""
    open: NDArray[np.bool_]
    """(F,): whether the ticks of each field end within the box."""


def fit_combs(dark: GreyImage, strips: Strips, reach: float) -> CombFit:
    """Move boxes onto the ticks printed between them.

    Args:
        dark: Darkness of the strips, uint8 of shape (H, W), 255 black.
        strips: Where the boxes are expected.
        reach: How far off they may be, in strip pixels.

    Returns:
        The boxes, with what was seen of their ticks.
    """
    edges, groups = strips.edges.copy(), strips.groups
    height = float(np.median(edges[:, 3] - edges[:, 1]))
    sums = np.asarray(cv2.integral(dark), np.int32)
    off = reach + OWN_REACH * height
    columns = column_profiles(sums, _part(edges, TICK, height), strips, off, height)
    # The feet of digits make a line too, but a pale one.
    least = LEAST_SHARE * np.maximum(LEAST_DARKNESS, groups.middle(columns.thin.max(axis=1)))
    rows = row_profiles(sums, edges, height)
    shifts, based = _find_bases(rows, edges, groups, reach, least)
    edges[:, [1, 3]] += shifts[groups.of_box, None]
    columns = column_profiles(sums, _part(edges, TICK, height), strips, off, height)
    edges[:, [0, 2]] += _shift(columns, edges[:, [0, 2]], groups, reach)[groups.of_box, None]
    both = columns.of(np.repeat(np.arange(len(edges)), 2))
    chains = Groups.of_sizes(2 * groups.counts)
    found, strengths = trace(
        both, edges[:, [0, 2]].ravel(), chains, reach=OWN_REACH * height, height=height
    )
    edges[:, [0, 2]] = found.reshape(-1, 2)
    strength = chains.middle(strengths)
    least = np.maximum(
        LEAST_DARKNESS, np.maximum(4 * groups.middle(columns.middle()), LEAST_SHARE * strength)
    )
    ticks = (strengths > least[chains.of_box]).reshape(-1, 2)
    are_open = _are_open(sums, edges, strips, strength)
    ends, ended = _find_ends(dark, edges, groups, reach, strength)
    moved = edges + ends[groups.of_box, None] * np.array([0, 1, 0, 1])
    # Above the middle of a frame nothing is printed either, but above its lower ends there is.
    by_ends = ended & ~based & are_open & _are_open(sums, moved, strips, strength)
    edges = np.where(by_ends[groups.of_box, None], moved, edges)
    # Lines that neither end nor stand on one are no ticks: they may be anywhere, up or down.
    placed = based | by_ends
    ticks &= (placed | ~are_open)[groups.of_box, None]
    pairs = ticks.all(axis=1)
    bottom = pairs & placed[groups.of_box]
    return CombFit(
        edges,
        np.column_stack([ticks[:, 0], pairs, ticks[:, 1], bottom]),
        strength,
        are_open,
    )


def _are_open(
    sums: NDArray[np.int32], edges: Edges, strips: Strips, strength: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell the fields above whose ticks nothing is printed, (F,)."""
    height = float(np.median(edges[:, 3] - edges[:, 1]))
    above = column_profiles(sums, _part(edges, ABOVE, height), strips, 0.0, height)
    there = np.take_along_axis(above.thin, above.index(edges[:, [0, 2]]), axis=1)
    return np.asarray(strips.groups.middle(there) < LEAST_SHARE * strength)


def _part(edges: Edges, shares: tuple[float, float], height: float) -> Edges:
    """A part of each box, from so far above its bottom to so far above it."""
    part = edges.copy()
    part[:, 1], part[:, 3] = (edges[:, 3] - share * height for share in shares)
    return part


def _find_bases(
    rows: Profiles, edges: Edges, groups: Groups, reach: float, least: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How far each field's base line is from where it is expected, 0 where there is none: (F,)."""
    found = _windows(rows, edges[:, 3:], reach)[:, 0]
    seen = np.asarray(found > least[groups.of_box, None], np.float64)
    shares = groups.total(seen) / groups.counts[:, None]
    off = np.abs(np.arange(shares.shape[1]) - shares.shape[1] // 2)
    best = (shares - 0.1 * off / max(reach, 1)).argmax(axis=1)
    based = np.take_along_axis(shares, best[:, None], axis=1)[:, 0] >= BASE
    return np.where(based, best - shares.shape[1] // 2, 0).astype(np.float64), based


def _find_ends(
    dark: GreyImage, edges: Edges, groups: Groups, reach: float, strength: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How far below the boxes of each field its ticks end, and whether they clearly do: (F,)."""
    steps, beyond = int(reach), round(BELOW * float(np.median(edges[:, 3] - edges[:, 1])))
    lines = np.rint(edges[:, [0, 2]]).astype(np.intp).ravel()
    bottoms = np.rint(np.repeat(edges[:, 3], 2)).astype(np.intp)
    down = np.arange(-steps - END_PX, steps + beyond)
    rows = np.clip(bottoms[:, None] + down, 0, dark.shape[0] - 1)
    columns = np.clip(lines[:, None] + np.arange(-1, 2), 0, dark.shape[1] - 1)
    shown = dark[rows[:, None, :], columns[:, :, None]].max(axis=1) / 255
    usual = Groups.of_sizes(2 * groups.counts).middles(shown)
    above = sliding_window_view(usual[:, :-beyond], END_PX, axis=1).mean(axis=2)
    below = sliding_window_view(usual[:, END_PX:], beyond, axis=1).max(axis=2)
    # A tick ends where it is dark above, and stays bright below.
    drops = above[:, : below.shape[1]] - below[:, : above.shape[1]]
    off = np.abs(np.arange(drops.shape[1]) - steps)
    scores = drops / np.maximum(strength, 1e-6)[:, None] - 0.1 * off / max(reach, 1)
    best = scores.argmax(axis=1)
    drop = np.take_along_axis(drops, best[:, None], axis=1)[:, 0]
    clear = drop > np.maximum(LEAST_DARKNESS, LEAST_SHARE * strength)
    return np.where(clear, best - steps, 0).astype(np.float64), clear


def _shift(
    columns: Profiles, lines: NDArray[np.float64], groups: Groups, reach: float
) -> NDArray[np.float64]:
    """How far the ticks of each field are from where they are expected, (F,)."""
    found = _windows(columns, lines, reach)
    ceiling = np.maximum(LEAST_DARKNESS, groups.middle(columns.thin.max(axis=1)))
    limited = np.minimum(found, ceiling[groups.of_box, None, None]).mean(axis=1)
    score = groups.total(limited) / groups.counts[:, None] / ceiling[:, None]
    off = np.abs(np.arange(score.shape[1]) - score.shape[1] // 2)
    best = (score - 0.1 * off / max(reach, 1)).argmax(axis=1)
    return np.asarray(best - score.shape[1] // 2, np.float64)


def _windows(profiles: Profiles, lines: NDArray[np.float64], reach: float) -> Floats:
    """What profiles show as far as lines (N, K) may be off to each side: (N, K, 2 reach + 1)."""
    steps = int(reach)
    near = cv2.dilate(profiles.thin, np.ones((1, 3), np.uint8))
    padded = cv2.copyMakeBorder(near, 0, 0, steps, steps, cv2.BORDER_CONSTANT, value=0)
    windows = sliding_window_view(padded, 2 * steps + 1, axis=1)
    return np.asarray(windows[np.arange(len(near))[:, None], profiles.index(lines)], np.float32)
