"""Frame lines followed from one to the next, all fields at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.profiles import Profiles
from pipeline.records import Floats
from pipeline.strips import Groups

LEAST_DARKNESS = 0.04
"""A line must be this much darker than its surroundings to be seen at all."""
ANCHOR = 2.0
"""What it costs a line, against seeing it clearly, to be off by a box height, squared."""
BENDING = 40.0
"""What it costs if a line is off by a box height more than the one before it, squared."""


def trace(
    profiles: Profiles,
    lines: NDArray[np.float64],
    chains: Groups,
    *,
    reach: float,
    height: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move each line to the middle of a strong one near it, and tell how strong it is.

    Lines that follow each other move alike unless the print says otherwise.

    Args:
        profiles: One for each line.
        lines: Where the lines are expected, (M,) in strip pixels.
        chains: Which lines follow each other.
        reach: How far off a line may be, in strip pixels.
        height: That of a box.

    Returns:
        Where they are, and how dark, twice (M,).
    """
    offsets = np.arange(-round(reach), round(reach) + 1)
    start = np.rint(lines)
    places = profiles.index(start[:, None] + offsets)
    near = np.take_along_axis(profiles.thin, places, axis=1)
    ceiling = np.maximum(LEAST_DARKNESS, chains.middle(near.max(axis=1)))[chains.of_box, None]
    gains = np.minimum(near, ceiling) / ceiling - ANCHOR * np.square(offsets / height)
    chosen = _best_paths(gains.astype(np.float32), chains, offsets / height)
    nearby = np.abs(np.arange(len(offsets)) - chosen[:, None]) <= 2
    around = np.where(nearby, near, 0) + 1e-9
    middle = start + 0.5 + (around * offsets).sum(axis=1) / around.sum(axis=1)
    strength = near[np.arange(len(lines)), chosen].astype(np.float64)
    return np.where(strength > LEAST_DARKNESS, middle, lines + offsets[chosen]), strength


def _best_paths(gains: Floats, chains: Groups, offsets: NDArray[np.float64]) -> NDArray[np.intp]:
    """Which offset each line takes (M,), for the most gain (M, offsets) and the least bending.

    The best path through all offsets of each chain, by dynamic programming (Viterbi, 1967).
    """
    order = np.arange(len(gains)) - chains.starts[chains.of_box]
    # Shorter chains end in lines that any offset suits: they follow the last, and change nothing.
    padded = np.zeros((int(chains.counts.max()), len(chains.counts), len(offsets)), np.float32)
    padded[order, chains.of_box] = gains
    bend = (BENDING * np.square(offsets[:, None] - offsets)).astype(np.float32)
    total = padded[0]
    came_from = []
    each, to = np.arange(len(total)), np.arange(len(offsets))
    for gain in padded[1:]:
        reached = total[:, None, :] - bend
        came_from.append(reached.argmax(axis=2))
        total = reached[each[:, None], to, came_from[-1]] + gain
    path = [total.argmax(axis=1)]
    for previous in reversed(came_from):
        path.append(previous[each, path[-1]])
    return np.asarray(np.array(path[::-1])[order, chains.of_box], np.intp)
