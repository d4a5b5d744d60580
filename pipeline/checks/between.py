"""Checks between fields: each says that fields times signs add up to within bounds.

Sum, equality, order and window all have that form, so that decoding knows one kind only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Annotated

from pydantic import Field

Number = Callable[[str], int | None]
FieldTypes = Mapping[str, str]
Two = Annotated[list[str], Field(min_length=2)]


@dataclass(frozen=True, slots=True, eq=False)
class PageCheck:
    """A rule between fields: least <= the sum of sign times number <= most."""

    name: str
    fields: tuple[str, ...]
    signs: tuple[int, ...]
    numbers: tuple[Number, ...]
    """For each field from its value as text to a number; None where nothing can be asked of it."""
    least: int
    most: int | None

    def passes(self, values: Mapping[str, str | None]) -> bool | None:
        """Tell whether values pass; None where a field has none that can be asked.

        Args:
            values: By field; an empty text is an empty field, None one without a meaning.
        """
        total = 0
        for name, sign, number in zip(self.fields, self.signs, self.numbers, strict=True):
            value = values[name]
            known = None if value is None else number(value)
            if known is None:
                return None
            total += sign * known
        return self.least <= total and (self.most is None or total <= self.most)


def sum_(types: FieldTypes, parts: Annotated[list[str], Field(min_length=1)], total: str) -> list[
    PageCheck
]:  # fmt: skip
    """Fields add up to another; an empty part counts 0, an empty total is not asked."""
    for name in (*parts, total):
        if types[name] == "date":
            raise ValueError(f"names {name!r}, a date; needs number or digits")
    signs = (*(1 for _ in parts), -1)
    numbers = (*(_count for _ in parts), _quantity)
    return [PageCheck("sum", (*parts, total), signs, numbers, 0, 0)]


def equal(types: FieldTypes, fields: Two) -> list[PageCheck]:
    """Fields mean the same; an empty one is another than a written one."""
    _refuse_mixture(types, fields)
    number = {"digits": _code, "number": _quantity_or_none_written, "date": _day}
    of_type = number[types[fields[0]]]
    return [
        PageCheck("equal", (fields[0], other), (-1, 1), (of_type, of_type), 0, 0)
        for other in fields[1:]
    ]


def order(types: FieldTypes, fields: Two, *, strict: bool = False) -> list[PageCheck]:
    """Each field is at least the one before it, or more where strict; empty ones are not asked."""
    _refuse_mixture(types, fields)
    number = _day if types[fields[0]] == "date" else _quantity
    return [
        PageCheck("order", (before, after), (-1, 1), (number, number), int(strict), None)
        for before, after in pairwise(fields)
    ]


def window(types: FieldTypes, field: str, of: str, days: tuple[int, int]) -> list[PageCheck]:
    """A date is from so many to so many days after another; fewer than 0 are before it."""
    for name in (field, of):
        if types[name] != "date":
            raise ValueError(f"names {name!r}, of type {types[name]}; needs a date")
    if days[0] > days[1]:
        raise ValueError(f"window of {days[0]} to {days[1]} days is empty; needs the smaller first")
    return [PageCheck("window", (of, field), (-1, 1), (_day, _day), *days)]


PAGE_CHECKS: Mapping[str, Callable[..., list[PageCheck]]] = {
    "sum": sum_,
    "equal": equal,
    "order": order,
    "window": window,
}


def _refuse_mixture(types: FieldTypes, fields: list[str]) -> None:
    if len({types[name] for name in fields}) > 1:
        found = ", ".join(f"{name!r} a {types[name]}" for name in fields)
        raise ValueError(f"compares {found}; needs one type")


def _count(value: str) -> int:
    return int(value or 0)


def _quantity(value: str) -> int | None:
    return int(value) if value else None


def _quantity_or_none_written(value: str) -> int:
    return int(value) if value else -1


def _code(value: str) -> int:
    """Leading zeros tell codes apart."""
    return int("1" + value)


def _day(value: str) -> int | None:
    return date.fromisoformat(value).toordinal() if value else None
