"""How much rows and columns of pixels look like lines of the frames beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Edges
from pipeline.records import Floats
from pipeline.strips import Strips

SECTION_ENDS = np.linspace(0.12, 0.88, 6)
"""A line is looked at in sections that end here, as shares of its length."""
LINE_WIDTH = 0.14
"""The widest line that counts as a frame, as a share of the box height."""


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """For each box the rows, or the columns, from a first one on."""

    thin: Floats
    """(N, L): how much each looks like a line; a line is thin, a dark row need not be."""
    solid: Floats
    """(N, L): how dark each is."""
    first: NDArray[np.intp]
    """(N, 1): where each begins, in strip pixels."""

    def index(self, positions: NDArray[Any]) -> NDArray[np.intp]:
        """Which place in the profiles is nearest to positions (N, K) in strip pixels."""
        nearest = np.rint(positions).astype(np.intp) - self.first
        return np.asarray(np.minimum(np.maximum(nearest, 0), self.thin.shape[1] - 1), np.intp)

    def of(self, boxes: NDArray[np.intp]) -> Profiles:
        """Those of some boxes, (M,)."""
        return Profiles(self.thin[boxes], self.solid[boxes], self.first[boxes])

    def limited(self, ceiling: Floats) -> Profiles:
        """The same with nothing darker than a ceiling for each box, (N,)."""
        most = ceiling[:, None]
        return Profiles(np.minimum(self.thin, most), np.minimum(self.solid, most), self.first)

    def merged(self, share: float) -> Profiles:
        """The same, where what is dark but not thin counts with a share."""
        return Profiles(np.maximum(self.thin, share * self.solid), self.solid, self.first)

    def middle(self) -> Floats:
        """The median of each box's profile, (N,)."""
        half = self.thin.shape[1] // 2
        return np.asarray(np.partition(self.thin, half, axis=1)[:, half], np.float32)


def row_profiles(sums: NDArray[np.int32], edges: Edges, height: float) -> Profiles:
    """Profile all rows of the strips beside each box.

    Args:
        sums: The integral image of the darkness, int32 of shape (H + 1, W + 1).
        edges: The boxes (N, 4).
        height: That of a box.
    """
    cuts = _cuts(edges[:, [0, 2]], sums.shape[1] - 1)
    above = np.diff(sums[:, cuts.T], axis=0)
    profile = _all_but_faintest(np.diff(above, axis=1).transpose(1, 2, 0), np.diff(cuts).T)
    return _thin(profile, np.zeros((len(edges), 1), np.intp), height)


def column_profiles(
    sums: NDArray[np.int32], edges: Edges, strips: Strips, reach: float, height: float
) -> Profiles:
    """Profile the columns of each box, and of its strip as far as lines may be off."""
    cuts = _cuts(edges[:, [1, 3]], sums.shape[0] - 1)
    first = np.floor(edges[:, :1] - reach).astype(np.intp)
    length = int(np.ceil((edges[:, 2] - edges[:, 0]).max() + 2 * reach))
    spans = np.array(strips.spans)[strips.groups.of_box]
    columns = first + np.arange(length + 1)
    columns = np.minimum(np.maximum(columns, spans[:, :1]), spans[:, 1:2])
    at_cuts = sums.ravel().take(cuts.T[:, :, None] * sums.shape[1] + columns)
    profile = _all_but_faintest(np.diff(np.diff(at_cuts, axis=0), axis=2), np.diff(cuts).T)
    return _thin(profile, first, height)


def _cuts(spans: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Where the sections of lines (N, 2) begin and end, (N, sections + 1)."""
    cuts = np.rint(spans[:, :1] + (spans[:, 1:] - spans[:, :1]) * SECTION_ENDS)
    return np.asarray(np.minimum(np.maximum(cuts, 0), most), np.intp)


def _all_but_faintest(sections: NDArray[np.int32], lengths: NDArray[np.intp]) -> Floats:
    """The darkness of all but the faintest of sections (S, N, L) of so many pixels (S, N)."""
    shares: Iterable[Floats] = sections / (255 * np.maximum(lengths, 1))[:, :, None]
    faintest = second = None
    for share in shares:
        if faintest is None or second is None:
            faintest, second = share, np.full_like(share, np.inf)
        else:
            second = np.minimum(second, np.maximum(faintest, share))
            faintest = np.minimum(faintest, share)
    return np.asarray(second, np.float32)


def _thin(profile: Floats, first: NDArray[np.intp], height: float) -> Profiles:
    smooth = cv2.blur(np.ascontiguousarray(profile), (3, 1))
    kernel = np.ones((1, 2 * round(LINE_WIDTH * height / 2) + 3), np.uint8)
    thin = cv2.morphologyEx(smooth, cv2.MORPH_TOPHAT, kernel)
    return Profiles(np.asarray(thin, np.float32), np.asarray(smooth, np.float32), first)
