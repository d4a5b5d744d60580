"""How probable a field's text is, summed over all that other fields may say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.checks.between import Number, PageCheck
from pipeline.decode.field import Candidate

Numbers = NDArray[np.int64]
Masses = NDArray[np.float64]
NEGLIGIBLE = 1e-9
Lists = Mapping[str, Sequence[Candidate]]


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number is distributed: sorted numbers, their probabilities, and that of none."""

    numbers: Numbers
    masses: Masses
    unknown: float


def posterior(
    name: str,
    chosen: Candidate,
    lists: Lists,
    checks: Sequence[PageCheck],
    writer_error: float,
) -> float:
    """Give the probability of a field's text among all its texts, summed over all other fields.

    Where a field is in several checks, their other fields are taken as independent of each other.
    What is on no list counts as passing.
    """
    weights = np.array([one.probability for one in lists[name]])
    unlisted = max(1 - float(weights.sum()), 0.0)
    for check in checks:
        if name in check.fields:
            weights = weights * _weight(check, name, lists, writer_error)
            unlisted *= 1 - writer_error
    place = next(i for i, one in enumerate(lists[name]) if one.raw == chosen.raw)
    return float(weights[place] / (weights.sum() + unlisted))


def _weight(check: PageCheck, name: str, lists: Lists, writer_error: float) -> Masses:
    """Give the weight that a check lends to each text of a field."""
    others, unknown = np.array([0]), 0.0
    masses = np.array([1.0])
    for other, sign, number in zip(check.fields, check.signs, check.numbers, strict=True):
        if other != name:
            spread = _spread(lists[other], sign, number)
            unknown = unknown + spread.unknown - unknown * spread.unknown
            others, masses = _add(others, masses, spread)
    place = check.fields.index(name)
    own = [None if one.value is None else check.numbers[place](one.value) for one in lists[name]]
    known = np.array([number is not None for number in own])
    at = check.signs[place] * np.array([number or 0 for number in own], np.int64)
    total = np.concatenate([[0.0], np.cumsum(masses)])
    first = np.searchsorted(others, check.least - at, side="left")
    last = len(others) if check.most is None else np.searchsorted(others, check.most - at, "right")
    passing = np.where(known, total[last] - total[first], 0.0)
    unasked = np.where(known, unknown, 1.0)
    failing = np.clip(1 - passing - unasked, 0.0, 1.0)
    return np.asarray((1 - writer_error) * (1 - failing) + writer_error * failing)


def _spread(candidates: Sequence[Candidate], sign: int, number: Number) -> Spread:
    """Sort a field's texts by the number that they mean."""
    masses: dict[int, float] = {}
    unknown = 0.0
    for one in candidates:
        meant = None if one.value is None else number(one.value)
        if meant is None:
            unknown += one.probability
        else:
            masses[sign * meant] = masses.get(sign * meant, 0.0) + one.probability
    numbers = sorted(masses)
    return Spread(np.array(numbers, np.int64), np.array([masses[n] for n in numbers]), unknown)


def _add(numbers: Numbers, masses: Masses, spread: Spread) -> tuple[Numbers, Masses]:
    """Give the distribution of a sum of two independent numbers."""
    sums = (numbers[:, None] + spread.numbers).ravel()
    together = np.outer(masses, spread.masses).ravel()
    kept = together > NEGLIGIBLE
    distinct, place = np.unique(sums[kept], return_inverse=True)
    joined = np.bincount(place, together[kept], minlength=len(distinct))
    return np.asarray(distinct, np.int64), np.asarray(joined, np.float64)
