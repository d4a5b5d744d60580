"""How probable a field's text is, summed over all that other fields may say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from pipeline.checks.between import PageCheck
from pipeline.decode.field import Candidate

Numbers = NDArray[np.int64]
Masses = NDArray[np.float64]
NEGLIGIBLE = 1e-9
Lists = Mapping[str, Sequence[Candidate]]


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number is distributed."""

    numbers: Numbers
    """Sorted, (N,)."""
    masses: Masses
    """The probability of each, (N,)."""
    unknown: float
    """The probability that there is none."""


def posteriors(
    chosen: Mapping[str, Candidate], lists: Lists, checks: Sequence[PageCheck], writer_error: float
) -> dict[str, float]:
    """Give the probability of each field's text among all its texts, summed over other fields.

    Where a field is in several checks, their other fields are taken as independent of each other.
    What is on no list counts as passing.

    Args:
        chosen: The text of each field.
        lists: All texts of each field that are not unlikely.
        checks: Those between these fields.
        writer_error: How often a writer breaks one.
    """
    weights = {name: np.array([one.probability for one in texts]) for name, texts in lists.items()}
    unlisted = {name: max(1 - float(each.sum()), 0.0) for name, each in weights.items()}
    for check in checks:
        meant = [
            [None if one.value is None else number(one.value) for one in lists[name]]
            for name, number in zip(check.fields, check.numbers, strict=True)
        ]
        spreads = [
            _spread(numbers, lists[name], sign)
            for numbers, name, sign in zip(meant, check.fields, check.signs, strict=True)
        ]
        for place, others in enumerate(_all_but_one(spreads)):
            name = check.fields[place]
            failing = _failing(check, meant[place], check.signs[place], others)
            weights[name] = weights[name] * (1 - writer_error + (2 * writer_error - 1) * failing)
            unlisted[name] *= 1 - writer_error
    places = {
        name: next(i for i, one in enumerate(texts) if one.raw == chosen[name].raw)
        for name, texts in lists.items()
    }
    return {
        name: float(weights[name][at] / (weights[name].sum() + unlisted[name]))
        for name, at in places.items()
    }


def _failing(check: PageCheck, meant: Sequence[int | None], sign: int, others: Spread) -> Masses:
    """Give the probability that a check fails, for each text of one of its fields."""
    known = np.array([number is not None for number in meant])
    at = sign * np.array([number or 0 for number in meant], np.int64)
    total = np.concatenate([[0.0], np.cumsum(others.masses)])
    first = np.searchsorted(others.numbers, check.least - at, side="left")
    last: Numbers | int = len(others.numbers)
    if check.most is not None:
        last = np.searchsorted(others.numbers, check.most - at, side="right")
    passing = total[last] - total[first]
    return np.asarray(np.where(known, np.clip(1 - passing - others.unknown, 0, 1), 0.0))


def _spread(meant: Sequence[int | None], texts: Sequence[Candidate], sign: int) -> Spread:
    """Sort a field's texts by the number that they mean."""
    masses: dict[int, float] = {}
    unknown = 0.0
    for number, one in zip(meant, texts, strict=True):
        if number is None:
            unknown += one.probability
        else:
            masses[sign * number] = masses.get(sign * number, 0.0) + one.probability
    numbers = sorted(masses)
    return Spread(np.array(numbers, np.int64), np.array([masses[n] for n in numbers]), unknown)


def _all_but_one(spreads: Sequence[Spread]) -> list[Spread]:
    """Add up all numbers but one, for each of them."""
    nothing = Spread(np.zeros(1, np.int64), np.ones(1), 0.0)
    before = list(accumulate(spreads[:-1], _add, initial=nothing))
    after = list(accumulate(spreads[:0:-1], _add, initial=nothing))[::-1]
    return [_add(left, right) for left, right in zip(before, after, strict=True)]


def _add(one: Spread, other: Spread) -> Spread:
    """Give the distribution of the sum of two independent numbers."""
    unknown = one.unknown + other.unknown - one.unknown * other.unknown
    if len(one.numbers) == 1 or len(other.numbers) == 1:  # a shift keeps the order
        sums = (one.numbers[:, None] + other.numbers).ravel()
        return Spread(sums, np.outer(one.masses, other.masses).ravel(), unknown)
    together = np.outer(one.masses, other.masses)
    rows, columns = np.nonzero(together > NEGLIGIBLE)
    sums = one.numbers[rows] + other.numbers[columns]
    distinct, place = np.unique(sums, return_inverse=True)
    masses = np.bincount(place, together[rows, columns], minlength=len(distinct))
    return Spread(np.asarray(distinct, np.int64), np.asarray(masses, np.float64), unknown)
