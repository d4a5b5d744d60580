"""Tell whether checks between fields can all be met by fields within their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.checks.between import PageCheck

Limits = tuple[int, int]


def refuse_impossible(checks: Sequence[PageCheck], limits: Mapping[str, Limits]) -> None:
    """Refuse checks of which one, or comparisons that together, no values can meet.

    Comparisons of two fields are bounds on a difference: they can be met if no cycle of them adds
    up to less than nothing (Bellman and Ford; Cormen et al., Introduction to Algorithms, 24.4).

    Args:
        checks: Those of a template.
        limits: The least and the greatest number of each field.

    Raises:
        ValueError: If they contradict each other or the limits.
    """
    for check in checks:
        if check.name == "sum" and not _can_be_met(check, limits):
            *parts, total = check.fields
            raise ValueError(
                f"check sum: {' + '.join(parts)} = {total} is met by no values in their ranges"
            )
    pairs = [check for check in checks if check.name != "sum"]
    if pairs and _has_contradiction(pairs, limits):
        names = ", ".join(f"{check.name} of {' and '.join(check.fields)}" for check in pairs)
        raise ValueError(f"checks {names}: no values in their fields' ranges meet them all")


def _can_be_met(check: PageCheck, limits: Mapping[str, Limits]) -> bool:
    ends = [
        sorted(sign * limit for limit in limits[name])
        for name, sign in zip(check.fields, check.signs, strict=True)
    ]
    least, most = (sum(end[side] for end in ends) for side in (0, 1))
    return least <= (most if check.most is None else check.most) and check.least <= most


def _has_contradiction(pairs: Sequence[PageCheck], limits: Mapping[str, Limits]) -> bool:
    edges: list[tuple[str, str, int]] = []  # second <= first + amount
    for check in pairs:
        before, after = check.fields
        edges.append((after, before, -check.least))
        if check.most is not None:
            edges.append((before, after, check.most))
    names = {name for check in pairs for name in check.fields}
    for name in names:
        least, most = limits[name]
        edges += [("", name, most), (name, "", -least)]
    distance = dict.fromkeys(("", *names), 0)
    for _ in distance:
        for first, second, amount in edges:
            distance[second] = min(distance[second], distance[first] + amount)
    return any(distance[second] > distance[first] + amount for first, second, amount in edges)
