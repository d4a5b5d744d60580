"""The pixels along and across each line of the frames, those of all lines in one array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Edges
from pipeline.records import Floats, GreyImage


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """The bands of two lines of each box: (2 N, width, length)."""

    pixels: NDArray[np.intp]
    """Where each pixel of a band is in the flattened image."""

    def of(self, image: GreyImage) -> Floats:
        """What an image shows there, float32, 1 for 255."""
        return image.ravel().take(self.pixels) * np.float32(1 / 255)


def upright_bands(shape: tuple[int, ...], edges: Edges, reach: int, beyond: int) -> Bands:
    """The left and right lines of boxes.

    Args:
        shape: Of the image, (H, W).
        edges: The boxes (N, 4); edges are the middles of lines.
        reach: How far a band goes to each side of its line.
        beyond: How far it goes beyond the line's ends.
    """
    return _bands(edges, shape, (shape[1], 1), reach, beyond)


def level_bands(shape: tuple[int, ...], edges: Edges, reach: int, beyond: int) -> Bands:
    """The top and bottom lines of boxes; otherwise as `upright_bands`."""
    return _bands(edges[:, [1, 0, 3, 2]], shape[::-1], (1, shape[1]), reach, beyond)


def _bands(
    edges: Edges, size: tuple[int, ...], steps: tuple[int, int], reach: int, beyond: int
) -> Bands:
    """Bands along the first axis of an image of that size, whose pixels are so many steps apart."""
    rounded = np.rint(edges).astype(np.intp)
    starts = np.repeat(rounded[:, 1], 2)[:, None] - beyond
    lengths = np.maximum(1, np.repeat(rounded[:, 3], 2)[:, None] + beyond + 1 - starts)
    # Shorter lines are gone through again, until they are as long as the others.
    along = starts + np.arange(min(int(lengths.max()), size[0])) % lengths
    across = rounded[:, [0, 2]].reshape(-1, 1) + np.arange(-reach, reach + 1)
    along = np.minimum(np.maximum(along, 0), size[0] - 1) * steps[0]
    across = np.minimum(np.maximum(across, 0), size[1] - 1) * steps[1]
    return Bands(across[:, :, None] + along[:, None, :])
