"""Medians and quantiles of few numbers.

numpy gives the same, but asks so much about what it is given that sixty numbers take it ten times
as long; a page needs some fifty of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[Any]) -> float:
    """The median of all values, one or more; of an even number the mean of the middle two."""
    ordered = np.sort(values, axis=None)
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2)


def quantile(values: NDArray[Any], share: float) -> float:
    """The value that a share of all, one or more, keep below; between two, as far between them."""
    ordered = np.sort(values, axis=None)
    place = share * (len(ordered) - 1)
    low = int(place)
    beyond, step = place - low, ordered[min(low + 1, len(ordered) - 1)] - ordered[low]
    return float(ordered[low] + step * beyond)


def medians(values: NDArray[Any], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """The median of each of several runs of so many values, one or more each: (N,) to (R,)."""
    starts = np.cumsum(counts) - counts
    ordered = values[np.lexsort((values, np.repeat(np.arange(len(counts)), counts)))]
    below, above = ordered[starts + (counts - 1) // 2], ordered[starts + counts // 2]
    return np.asarray((below + above) / 2, np.float64)
