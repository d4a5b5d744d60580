"""Rows of boxes, on a page or in a template: what tells forms apart, and how a page lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.quantiles import medians
from pipeline.records import Points

LEAST = 3
"""Boxes that make a row."""
NEXT = (0.8, 3.4)
"""How far off the next box of a row may be, in box widths: one between them may be lost."""
LEVEL = 0.2
"""How far above or below, in box heights."""
ALIKE = 1.25
"""How many times as large a box of the same row may be."""
LONE = 0.3
"""Boxes that spread less than this in one direction, in sides of a box, are a single row."""
ASKEW = 1.5
"""How many times as long a step between boxes is at most as it would be were they rectangles."""
AT_ONCE = 256
"""Boxes that are compared with their neighbours at once."""
EVEN = 0.12
"""How far the step between boxes may be from a whole number of steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of evenly spaced boxes; (R, 2) and (R,)."""

    starts: Points
    """Centre of each row's first box."""
    ends: Points
    counts: NDArray[np.intp]
    along: NDArray[np.float64]
    """The boxes' side along the row."""
    across: NDArray[np.float64]
    downs: Points
    """Unit vectors towards the row's bottom side."""

    def __len__(self) -> int:
        return len(self.counts)

    def pick(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Rows:
        """Give some of the rows."""
        return Rows(
            self.starts[which],
            self.ends[which],
            self.counts[which],
            self.along[which],
            self.across[which],
            self.downs[which],
        )

    def steps(self) -> Points:
        """Vectors from a box to the next, (R, 2)."""
        return np.asarray((self.ends - self.starts) / (self.counts - 1)[:, None], np.float64)

    def reversed(self) -> Rows:
        """The same rows read from their other end, upside down."""
        return Rows(self.ends, self.starts, self.counts, self.along, self.across, -self.downs)

    def windows(self, count: int) -> tuple[Rows, NDArray[np.intp]]:
        """All stretches of so many boxes in rows that are longer, and which rows they are of."""
        longer = np.flatnonzero(self.counts > count)
        spare = self.counts[longer] - count + 1
        which = np.repeat(longer, spare)
        first = np.arange(len(which)) - np.repeat(np.cumsum(spare) - spare, spare)
        part, steps = self.pick(which), self.steps()[which]
        starts = part.starts + steps * first[:, None]
        counts = np.full(len(which), count, np.intp)
        ends = starts + steps * (count - 1)
        return Rows(starts, ends, counts, part.along, part.across, part.downs), which


_NONE = Rows(
    np.zeros((0, 2)),
    np.zeros((0, 2)),
    np.zeros(0, np.intp),
    np.zeros(0),
    np.zeros(0),
    np.zeros((0, 2)),
)


def join_rows(parts: list[Rows]) -> Rows:
    """Put rows together."""
    return Rows(
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.along for part in parts]),
        np.concatenate([part.across for part in parts]),
        np.concatenate([part.downs for part in parts]),
    )


def is_lone(points: Points, side: float) -> bool:
    """Tell whether points (N, 2), middles of boxes of some side, lie in a single row."""
    if len(points) < 3:
        return True
    x, y = (points - points.mean(axis=0)).T / np.sqrt(len(points) - 1)
    # The smaller eigenvalue of the points' covariance.
    spread = (x @ x + y @ y) / 2 - np.hypot((x @ x - y @ y) / 2, x @ y)
    return bool(spread < np.square(LONE * side))


def find_rows(centres: Points, rights: Points, downs: Points) -> Rows:
    """Join boxes to rows.

    Args:
        centres: Of the boxes, (N, 2) as x, y.
        rights: From the left to the right side of each, likewise.
        downs: From the top to the bottom side.

    Returns:
        The rows of `LEAST` boxes and more, read along `rights`.
    """
    follower, distance = _follow(centres, rights, downs)
    chains = [chain for chain in _chains(follower, distance) if len(chain) >= LEAST]
    if not chains:
        return _NONE
    lengths = np.array([len(chain) for chain in chains], np.intp)
    boxes = np.array([box for chain in chains for box in chain], np.intp)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    first, last = boxes[starts], boxes[ends - 1]
    followed = np.delete(boxes, ends - 1)
    steps = medians(distance[followed], lengths - 1)
    spans = np.add.reduceat(distance[followed], starts - np.arange(len(chains)))
    counts = np.rint(spans / steps).astype(np.intp) + 1
    sides = [medians(np.hypot(*side[boxes].T), lengths) for side in (rights, downs)]
    down = np.add.reduceat(downs[boxes], starts) / lengths[:, None]
    down /= np.maximum(np.hypot(*down.T), 1e-9)[:, None]
    return Rows(centres[first], centres[last], counts, sides[0], sides[1], down)


def _follow(
    centres: Points, rights: Points, downs: Points
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the next box to the right of each, -1 for none, and how far away it is in widths."""
    count = len(centres)
    width, height = np.hypot(*rights.T), np.hypot(*downs.T)
    follower, distance = np.full(count, -1), np.full(count, np.inf)
    nearest, before = np.full(count, np.inf), np.full(count, count)
    # However a page distorts its boxes, none that follows another is farther off than this.
    reach = ASKEW * (NEXT[1] * width.max(initial=0) + LEVEL * height.max(initial=0))
    for here, near in _neighbourhoods(centres[:, 1], reach):
        x, y = (centres[near, axis] - centres[here, axis, None] for axis in (0, 1))
        right, down = rights[here, :, None], downs[here, :, None]
        ahead = (x * right[:, 0] + y * right[:, 1]) / np.square(width[here])[:, None]
        level = np.abs(x * down[:, 0] + y * down[:, 1]) < LEVEL * np.square(height[here])[:, None]
        good = level & (ahead > NEXT[0]) & (ahead < NEXT[1])
        for side in (width, height):
            logs = np.log(np.maximum(side, 1e-9))
            good &= np.abs(logs[near] - logs[here, None]) < np.log(ALIKE)
        ahead[~good] = np.inf
        then = ahead.argmin(axis=1)
        follower[here], distance[here] = near[then], ahead[np.arange(len(here)), then]
        least, first = ahead.min(axis=0), here[ahead.argmin(axis=0)]
        nearer = (least < nearest[near]) | ((least == nearest[near]) & (first < before[near]))
        nearest[near[nearer]], before[near[nearer]] = least[nearer], first[nearer]
    # A box has one predecessor, the nearest.
    lonely = ~np.isfinite(distance) | (before[follower] != np.arange(count))
    return np.where(lonely, -1, follower), np.where(lonely, 0.0, distance)


def _neighbourhoods(
    places: NDArray[np.float64], reach: float
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Some boxes, and all that are within reach of one of them along one axis, until all are done.

    Squared paper has thousands, and comparing all with all would take a gigabyte.
    """
    order = np.argsort(places, kind="stable")
    for start in range(0, len(order), AT_ONCE):
        here = order[start : start + AT_ONCE]
        ends = places[here[0]] - reach, places[here[-1]] + reach
        first, last = np.searchsorted(places, ends, sorter=order)
        yield np.sort(here), np.sort(order[first:last])


def _chains(follower: NDArray[np.intp], distance: NDArray[np.float64]) -> list[list[int]]:
    """Follow boxes as long as the steps are whole multiples of one."""
    followed = set(follower[follower >= 0].tolist())
    then, far = follower.tolist(), distance.tolist()
    chains: list[list[int]] = []
    for start in np.flatnonzero(follower >= 0).tolist():
        if start in followed:
            continue
        chain, box = [start], start
        step = 0.0
        while then[box] >= 0:
            if len(chain) > 1 and _is_uneven(far[box], step):
                chains.append(chain)
                chain, step = [box], 0.0
            step = min(step, far[box]) if step else far[box]
            chain.append(then[box])
            box = then[box]
        chains.append(chain)
    return chains


def _is_uneven(distance: float, step: float) -> bool:
    ratio = max(distance, step) / min(distance, step)
    return abs(ratio - round(ratio)) > EVEN
