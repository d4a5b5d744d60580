"""Numbers and dates within bounds, and dates that the calendar has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from pipeline.checks.check import Check, State

_INSIDE = "inside"
_DAYS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LEAP, COMMON = 2000, 2001
"""Years that stand for all of their kind."""


def number_range(least: int | None, most: int | None) -> Check:
    """The digits as a number lie between these, both included; None is no bound."""
    low = 0 if least is None else least

    def step(state: State, digit: int, place: int) -> State | None:
        if state == _INSIDE:
            return state
        prefix = 10 * (state if isinstance(state, int) else 0) + digit
        smallest, largest = prefix * 10**place, (prefix + 1) * 10**place - 1
        if largest < low or (most is not None and smallest > most):
            return None
        return _INSIDE if smallest >= low and (most is None or largest <= most) else prefix

    return Check("range", 0, step)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is known of a date while its digits are read."""

    day: int | None = None
    month: int | None = None
    year: int | None = None
    digits: int = 0
    """Those of the part that is being read."""


def _date_check(
    name: str,
    date_format: str,
    reduce: Callable[[_Parts], _Parts | None],
    years: tuple[int, int] = (1, 9999),
) -> Check:
    """Read a date part by part; `reduce` drops what no longer matters, or ends with None.

    A year of four digits is given up as soon as its first ones lie outside `years`.
    """
    letters = {"D": "day", "M": "month", "Y": "year"}

    def step(state: _Parts, digit: int, place: int) -> State | None:
        here = len(date_format) - 1 - place
        if here < 0:
            return None
        letter, value = date_format[here], 10 * state.digits + digit
        if date_format[here + 1 : here + 2] == letter:
            more = 10 ** (date_format.rindex("Y") - here) if date_format.count("Y") == 4 else 1
            outside = not years[0] // more <= value <= years[1] // more
            if letter == "Y" and more > 1 and outside:
                return None
            return replace(state, digits=value)
        short = letter == "Y" and "YYYY" not in date_format
        part = {letters[letter]: full_year(value) if short else value}
        return reduce(replace(state, digits=0, **part))

    return Check(name, _Parts(), step, lambda state: None not in {state.day, state.month})


def full_year(two_digits: int) -> int:
    """Give the year that two digits mean, 1970 to 2069."""
    return 1970 + (two_digits - 70) % 100


def is_leap(year: int) -> bool:
    """Tell whether a year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def calendar(date_format: str) -> Check:
    """The digits are a day that the calendar has, in a format of DD, MM and YY or YYYY."""

    def reduce(parts: _Parts) -> _Parts | None:
        day, month, year = parts.day, parts.month, parts.year
        if day == 0 or (day or 1) > 31 or not 1 <= (month or 1) <= 12 or year == 0:
            return None
        year = year and (LEAP if is_leap(year) else COMMON)
        if day is not None and month is not None:
            if day > _DAYS[month] or (day, month, year) == (29, 2, COMMON):
                return None
            return _Parts(29, 2, year) if (day, month) == (29, 2) else _Parts(1, 1, year)
        return _Parts(day, month, year)

    return _date_check("date", date_format, reduce)


def date_range(date_format: str, least: date | None, most: date | None) -> Check:
    """The digits are a day between these, both included; None is no bound.

    That the calendar has the day is another check's business.
    """
    low, high = least or date.min, most or date.max

    def reduce(parts: _Parts) -> _Parts | None:
        day, month, year = parts.day, parts.month, parts.year
        if year is not None and not low.year <= year <= high.year:
            return None
        if year is not None and low.year < year < high.year:
            return _Parts(day and 1, month and 1, year=low.year + 1)
        if None not in {day, month, year}:
            inside = (low.year, low.month, low.day) <= (year, month, day) <= (
                high.year, high.month, high.day,
            )  # fmt: skip
            return _Parts(1, 1, low.year + 1) if inside else None
        if day is not None and month is not None:
            return _Parts(*_of_a_kind(day, month, low, high))
        return _Parts(day, month, year)

    return _date_check("range", date_format, reduce, (low.year, high.year))


def _of_a_kind(day: int, month: int, low: date, high: date) -> tuple[int, int]:
    """Give one day and month for all that lie alike against both bounds."""
    edges = ((0, 0), (low.month, low.day), (high.month, high.day + 1))
    month, day = max(edge for edge in edges if edge <= (month, day))
    return day, month
