"""Fields that checks tie together: the most probable texts of all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import heappop, heappush
from math import prod

from pipeline.checks.between import PageCheck
from pipeline.decode.field import PLAIN, Candidate, FieldReading, list_candidates
from pipeline.decode.marginal import posteriors


@dataclass(frozen=True, slots=True)
class Settled:
    """A field after the checks between fields."""

    raw: str
    posterior: float
    decided: tuple[str, ...] = ()
    """Checks for which another text was taken than by the field alone."""
    failed: tuple[str, ...] = ()
    """Checks that what is written breaks."""


def settle_page(
    readings: Mapping[str, FieldReading], checks: tuple[PageCheck, ...], writer_error: float
) -> dict[str, Settled]:
    """Decode all fields of a page under the checks between them.

    Args:
        readings: Each field by itself, by name.
        checks: Those between fields.
        writer_error: How often a writer breaks one.
    """
    settled = {name: Settled(reading.raw, reading.posterior) for name, reading in readings.items()}
    for group in _groups(checks):
        names = list(dict.fromkeys(name for check in group for name in check.fields))
        settled |= _settle_group({name: readings[name] for name in names}, group, writer_error)
    return settled


@lru_cache(maxsize=64)
def _groups(checks: tuple[PageCheck, ...]) -> list[list[PageCheck]]:
    """Put checks together that share a field, directly or through others."""
    groups: list[list[PageCheck]] = []
    for check in checks:
        mine = [group for group in groups if any(set(c.fields) & set(check.fields) for c in group)]
        groups = [group for group in groups if group not in mine]
        groups.append([*(one for group in mine for one in group), check])
    return groups


def _settle_group(
    readings: Mapping[str, FieldReading], checks: Sequence[PageCheck], writer_error: float
) -> dict[str, Settled]:
    lists = {name: list_candidates(reading, writer_error) for name, reading in readings.items()}
    alone = {name: candidates[0] for name, candidates in lists.items()}
    broken_alone = [check for check in checks if _passes(check, alone) is False]
    if not broken_alone and all(one.probability > 1 - PLAIN for one in alone.values()):
        return {name: Settled(one.raw, one.probability) for name, one in alone.items()}
    best = _search(lists, checks, writer_error) if broken_alone else alone
    failed = [check for check in checks if _passes(check, best) is False]
    mended = [check for check in broken_alone if check not in failed]
    sure = posteriors(best, lists, checks, writer_error)
    return {
        name: Settled(
            best[name].raw,
            sure[name],
            _names(mended, name) if best[name] != alone[name] else (),
            _names(failed, name),
        )
        for name in readings
    }


def _names(checks: Sequence[PageCheck], field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check.name for check in checks if field in check.fields))


def _passes(check: PageCheck, texts: Mapping[str, Candidate]) -> bool | None:
    return check.passes({name: texts[name].value for name in check.fields})


def _search(
    lists: Mapping[str, list[Candidate]], checks: Sequence[PageCheck], writer_error: float
) -> dict[str, Candidate]:
    """Find the most probable texts, each broken check weighed by how often writers break one.

    Texts come in the order of their probability, so that the search ends, with proof, when the
    next ones without any broken check would be less probable than the best. A text that cannot be
    read is no way to mend a check.
    """
    price = writer_error / (1 - writer_error)
    likeliest = {name: candidates[0] for name, candidates in lists.items()}
    asked = [check for check in checks if _passes(check, likeliest) is not None]
    best: dict[str, Candidate] = {}
    score = 0.0
    for probability, texts in _in_order(lists):
        if probability <= score:
            break
        broken = sum(_passes(check, texts) is not True for check in asked)
        if probability * price**broken > score:
            best, score = texts, probability * price**broken
    return best


def _in_order(
    lists: Mapping[str, list[Candidate]],
) -> Iterator[tuple[float, dict[str, Candidate]]]:
    """Give all combinations of texts, the most probable first.

    Each is reached once: from the one in which its last field that is not at its likeliest text
    stands one text earlier.
    """
    names, columns = list(lists), list(lists.values())
    ratios = [[one.probability / column[0].probability for one in column] for column in columns]
    start = prod(column[0].probability for column in columns)
    waiting: list[tuple[float, tuple[tuple[int, int], ...]]] = [(-start, ())]
    while waiting:
        negative, moved = heappop(waiting)
        chosen = dict(moved)
        texts = {name: columns[i][chosen.get(i, 0)] for i, name in enumerate(names)}
        yield -negative, texts
        last, at = moved[-1] if moved else (-1, 0)
        if moved and at + 1 < len(columns[last]):
            factor = ratios[last][at + 1] / ratios[last][at]
            heappush(waiting, (negative * factor, (*moved[:-1], (last, at + 1))))
        for column in range(last + 1, len(columns)):
            if len(columns[column]) > 1:
                heappush(waiting, (negative * ratios[column][1], (*moved, (column, 1))))
