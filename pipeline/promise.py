"""Thresholds from a target: how much can be accepted so that few enough are wrong, provably."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta


@dataclass(frozen=True, slots=True)
class Promise:
    """Where accepting begins, and what may be promised of it."""

    accept: float | None
    """The threshold; None where more are wrong whatever it is."""
    accepted: int
    wrong: int
    wrong_at_most: float
    """The upper bound on the share of wrong ones among the accepted; 1 where none are."""
    needed: int
    """How many more fields without a further error would allow the promise; 0 where it holds."""

    @property
    def holds(self) -> bool:
        """Tell whether the bound is below what was asked for."""
        return self.needed == 0


def upper_bound(wrong: int, count: int, confidence: float) -> float:
    """Bound the share of wrong ones from above, exactly.

    Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case
    of the binomial", Biometrika 26 (1934); one-sided.

    Args:
        wrong: How many of them were wrong.
        count: How many were looked at.
        confidence: How often the bound must hold, 0 to 1.
    """
    if wrong >= count:
        return 1.0
    return float(beta.ppf(confidence, wrong + 1, count - wrong))


def fields_needed(wrong: int, max_error: float, confidence: float) -> int:
    """Count the fields that it takes, with so many wrong ones, for the bound to be low enough."""
    least, most = wrong, max(wrong, 1)
    while upper_bound(wrong, most, confidence) > max_error:
        least, most = most, 2 * most
    while most - least > 1:
        middle = (least + most) // 2
        enough = upper_bound(wrong, middle, confidence) <= max_error
        least, most = (least, middle) if enough else (middle, most)
    return most


def promise(
    confidence: NDArray[np.float64],
    wrong: NDArray[np.bool_],
    *,
    max_error: float,
    level: float,
) -> Promise:
    """Find the lowest threshold from which on the share of wrong fields is provably small.

    The bound is exact for a threshold chosen beforehand; this one is chosen by the same fields,
    so look at the wrong ones among the accepted now and then (`--audit-share`).

    Args:
        confidence: Of the fields that their confidence alone decides about, shape (N,).
        wrong: Which of them were misread, shape (N,).
        max_error: The share of wrong ones that may be among the accepted.
        level: How often the bound must hold.

    Returns:
        The threshold. Where the sample is too small for a promise, it is the lowest from which
        on no larger share than asked for was wrong, and how many more fields it takes.
    """
    order = np.argsort(-confidence, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)
    errors = np.cumsum(wrong[order])
    for end in ends[::-1] if len(order) else ():
        bound = upper_bound(int(errors[end]), int(end) + 1, level)
        if bound <= max_error:
            accept = float(confidence[order[end]])
            return Promise(accept, int(end) + 1, int(errors[end]), bound, 0)
    seen = [int(end) for end in ends if len(order) and errors[end] <= max_error * (end + 1)]
    accepted = seen[-1] + 1 if seen else 0
    missed = int(errors[accepted - 1]) if accepted else 0
    return Promise(
        accept=float(confidence[order[accepted - 1]]) if accepted else None,
        accepted=accepted,
        wrong=missed,
        wrong_at_most=upper_bound(missed, accepted, level),
        needed=fields_needed(missed, max_error, level) - accepted,
    )
