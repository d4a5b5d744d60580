"""Numbers and dates within bounds; a calendar that is the real one."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checks.check import all_of
from pipeline.checks.ranges import calendar, date_range, full_year, number_range

FORMATS = ["DDMMYYYY", "MMDDYYYY", "YYYYMMDD", "DDMMYY", "YYMMDD", "MMYYYYDD", "DDYYYYMM"]
formats = st.sampled_from(FORMATS)
bounds = st.one_of(st.none(), st.integers(0, 1200))
near = st.dates(date(1999, 11, 1), date(2004, 3, 5))


@settings(deadline=None)
@given(bounds, bounds, st.text("0123456789", min_size=1, max_size=4))
def test_a_number_in_its_range(least: int | None, most: int | None, digits: str) -> None:
    """Leading zeros change nothing."""
    inside = (least or 0) <= int(digits) and (most is None or int(digits) <= most)
    assert number_range(least, most).passes(digits) == inside


def spell(date_format: str, day: int, month: int, year: int) -> str:
    """Write a day that need not be one."""
    text = date_format.replace("DD", f"{day:02}").replace("MM", f"{month:02}")
    return text.replace("YYYY", f"{year:04}").replace("YY", f"{year % 100:02}")


def as_day(date_format: str, day: int, month: int, year: int) -> date | None:
    """Give the day that the standard library makes of it."""
    try:
        return date(year if "YYYY" in date_format else full_year(year % 100), month, day)
    except ValueError:
        return None


@settings(deadline=None)
@given(formats, st.integers(0, 39), st.integers(0, 19), st.integers(0, 2999))
def test_the_calendar_is_the_real_one(date_format: str, day: int, month: int, year: int) -> None:
    """Whatever the order of its parts."""
    exists = as_day(date_format, day, month, year) is not None
    assert calendar(date_format).passes(spell(date_format, day, month, year)) == exists


@settings(deadline=None)
@given(formats, near, near, near)
def test_a_date_in_its_range(date_format: str, one: date, other: date, day: date) -> None:
    """Both ends included."""
    least, most = min(one, other), max(one, other)
    text = spell(date_format, day.day, day.month, day.year)
    assert date_range(date_format, least, most).passes(text) == (least <= day <= most)
    assert date_range(date_format, least, None).passes(text) == (least <= day)
    assert date_range(date_format, None, most).passes(text) == (day <= most)


@pytest.mark.parametrize("date_format", FORMATS)
def test_a_range_has_few_states(date_format: str) -> None:
    """What no longer matters is forgotten, so that searching all days is cheap."""
    within = date_range(date_format, date(1950, 1, 1), date(2026, 5, 4))
    check = all_of((calendar(date_format), within))
    states = {check.start}
    for place in range(len(date_format) - 1, -1, -1):
        reached = {check.step(state, digit, place) for state in states for digit in range(10)}
        states = reached - {None}
        assert len(states) <= 1500
