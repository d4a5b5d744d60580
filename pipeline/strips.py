"""Fields of a page side by side in one long image, each in the template's own geometry.

What has to be done to every box of a page is so done to all of them at once: a page of sixty
boxes costs little more than one of six.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import (
    Edges,
    Matrix,
    as_edges,
    bounding_box,
    resample,
    scaling,
    translation,
)
from pipeline.records import Box, GreyImage

MARGIN = 0.5
"""What is sampled around the boxes, as a share of their height: strokes leave their boxes."""
GAP = 0.5
"""What is left free between strips, likewise, so that nothing done to one reaches the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Which of a page's boxes make up each field: those of a field follow each other."""

    of_box: NDArray[np.intp]
    """(N,): the field of each box."""
    starts: NDArray[np.intp]
    """(F,): the first box of each field."""
    counts: NDArray[np.intp]

    @staticmethod
    def of_sizes(counts: Sequence[int] | NDArray[np.intp]) -> Groups:
        """Group boxes into fields of so many."""
        sizes = np.array(counts, np.intp)
        return Groups(np.repeat(np.arange(len(sizes)), sizes), np.cumsum(sizes) - sizes, sizes)

    def middle(self, values: NDArray[Any]) -> NDArray[Any]:
        """The (upper) median of all values of each field: (N,) or (N, K) to (F,)."""
        flat = values.reshape(len(values), -1)
        each = flat.shape[1]
        order = np.lexsort((flat.ravel(), np.repeat(self.of_box, each)))
        middles = self.starts * each + self.counts * each // 2
        return np.asarray(flat.ravel()[order[middles]])

    def middles(self, values: NDArray[Any]) -> NDArray[Any]:
        """The (upper) median of each column of values over each field: (N, K) to (F, K)."""
        columns = values.T
        order = np.lexsort((columns, np.broadcast_to(self.of_box, columns.shape)), axis=-1)
        middles = np.take_along_axis(columns, order, axis=1)[:, self.starts + self.counts // 2]
        return np.asarray(middles.T)

    def total(self, values: NDArray[Any], axis: int = 0) -> NDArray[Any]:
        """The sum over the boxes of each field, which lie along an axis."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=axis))

    def mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The mean of all values of each field: (N,) or (N, K) to (F,)."""
        per_box = values.reshape(len(values), -1).mean(axis=1)
        return np.asarray(self.total(per_box) / self.counts, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Strips:
    """How the strips of some fields lie in one image, and where their boxes are expected.

    Coordinates are continuous: pixel i covers i to i + 1. Between the strips all is 0.
    """

    size: tuple[int, int]
    """Height and width of the image."""
    spans: tuple[tuple[int, int, int], ...]
    """First and last column of each strip and its height, the last two excluded."""
    edges: Edges
    """(N, 4): where the boxes are expected, in pixels of the image."""
    groups: Groups
    mask: GreyImage
    """(H, W): 255 on the strips, 0 between them."""
    ways: NDArray[np.float64]
    """(F, 3, 3): pixels of a field's own strip to template pixels."""

    def sample(self, image: GreyImage, homography: Matrix) -> GreyImage:
        """Resample the strips from a scan.

        Args:
            image: Grey scan of shape (H, W).
            homography: (3, 3), template pixels to scan pixels.

        Returns:
            uint8 of the strips' size. Where the scan has more pixels than the strips, they are
            averaged, so that thin strokes grow fainter but are never skipped.
        """
        strips = np.zeros(self.size, np.uint8)
        for to_scan, span in zip(homography @ self.ways, self.spans, strict=True):
            start, end, height = span
            strips[:height, start:end] = resample(image, to_scan, (end - start, height))
        return strips

    def to_template(self, edges: Edges) -> Edges:
        """Give edges of boxes (N, 4) in template pixels."""
        starts = np.array([start for start, _, _ in self.spans])[self.groups.of_box]
        own = edges - starts[:, None] * np.array([1, 0, 1, 0])
        ways = self.ways[self.groups.of_box]
        scales = ways[:, [0, 1, 0, 1], [0, 1, 0, 1]]
        return np.asarray(own * scales + ways[:, [0, 1, 0, 1], 2], np.float64)


@lru_cache(maxsize=512)
def arrange(fields: tuple[tuple[Box, ...], ...], box_px: int) -> Strips:
    """Lay out the strips of some fields.

    Args:
        fields: The boxes of each field in template pixels.
        box_px: Pixels to the height of a box, whatever that is in each field.
    """
    spans, edges, ways = [], [], []
    margin, gap, start = round(MARGIN * box_px), round(GAP * box_px), 0
    for boxes in fields:
        scale = box_px / float(np.median([box.height for box in boxes]))
        area = bounding_box(boxes, margin / scale)
        width, height = (max(1, round(side * scale)) for side in (area.width, area.height))
        origin = np.array([area.left, area.top] * 2)
        edges.append((as_edges(boxes) - origin) * scale + np.array([start, 0, start, 0]))
        ways.append(translation(area.left, area.top) @ scaling(1 / scale, 1 / scale))
        spans.append((start, start + width, height))
        start += width + gap
    size = max(height for _, _, height in spans), start - gap
    mask = np.zeros(size, np.uint8)
    for begin, end, height in spans:
        mask[:height, begin:end] = 255
    groups = Groups.of_sizes([len(boxes) for boxes in fields])
    return Strips(size, tuple(spans), np.concatenate(edges), groups, mask, np.array(ways))
