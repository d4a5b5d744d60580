"""A template's checks, built and tried: those that contradict each other are refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.checks import make_check, make_page_checks
from pipeline.checks.between import PageCheck
from pipeline.checks.check import Check, all_of, find_passing
from pipeline.checks.possible import Limits, refuse_impossible
from pipeline.checks.ranges import calendar, date_range, number_range
from pipeline.checks.roster import Roster, read_roster
from pipeline.template_schema import Bound, FieldModel, TemplateModel

Limit = date | int | None


@dataclass(frozen=True, slots=True)
class PageRules:
    """What a template says about several fields at once."""

    checks: tuple[PageCheck, ...]
    roster: Roster | None


def clock_day() -> date:
    """Give the day that `today` means: that of SOURCE_DATE_EPOCH where it is set, else the clock's.

    Source: https://reproducible-builds.org/specs/source-date-epoch/
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC).date() if epoch.isdecimal() else date.today()


def settle_bounds(model: FieldModel, today: date) -> tuple[Limit, Limit]:
    """Give a field's range with `today` and days from it as dates.

    Raises:
        ValueError: If the range is empty.
    """
    least, most = (_settle(bound, today) for bound in model.range or (None, None))
    if least is not None and most is not None and least > most:  # type: ignore[operator]  # one type
        first = "earlier" if isinstance(least, date) else "smaller"
        raise ValueError(f"range from {least} to {most} is empty; needs the {first} first")
    return least, most


def _settle(bound: Bound, today: date) -> Limit:
    if not isinstance(bound, str):
        return bound
    days = re.sub(r"[^\d+-]", "", bound.removeprefix("today"))
    return today + timedelta(int(days or 0))


def build_checks(model: FieldModel, limits: tuple[Limit, Limit], folder: Path) -> tuple[Check, ...]:
    """Build all checks of a field: the calendar of a date, those it names, its range.

    Raises:
        ValueError: If one cannot be what is asked, or no string passes them all.
    """
    entries = map(split_entry, model.checks)
    checks = make_checks(model.type, model.date_format, entries, limits, folder)
    boxes = len(model.rectangles())
    least = boxes if model.type == "date" or not model.empty_marks else 1
    if checks and find_passing(all_of(tuple(checks)), range(boxes, least - 1, -1)) is None:
        names = ", ".join(check.name for check in checks)
        raise ValueError(f"no text of {boxes} boxes passes {names}; these cannot all be meant")
    return tuple(checks)


def make_checks(
    kind: str,
    date_format: str,
    entries: Iterable[tuple[str, Any]],
    limits: tuple[Limit, Limit],
    folder: Path,
) -> list[Check]:
    """Make what a field's digits must pass.

    Args:
        kind: The field's type.
        date_format: Of a date.
        entries: The checks that are asked for, by name and parameters.
        limits: The least and the greatest that it may mean, None for any.
        folder: What paths are relative to.

    Raises:
        ValueError: If one cannot be what is asked.
    """
    is_number = kind == "number"
    named = [make_check(*each, folder=folder, is_number=is_number) for each in entries]
    days = [calendar(date_format)] if kind == "date" else []
    return [*days, *named, *_range(kind, date_format, limits)]


def split_entry(entry: str | dict[str, Any]) -> tuple[str, Any]:
    """Give a check's name and its parameters."""
    if isinstance(entry, str):
        return entry, None
    ((name, given),) = entry.items()
    return name, given


def _range(kind: str, date_format: str, limits: tuple[Limit, Limit]) -> list[Check]:
    least, most = limits
    if least is None and most is None:
        return []
    if kind == "date":
        days = (limit if isinstance(limit, date) else None for limit in limits)
        return [date_range(date_format, *days)]
    numbers = (limit if isinstance(limit, int) else None for limit in limits)
    return [number_range(*numbers)]


def build_page_rules(model: TemplateModel, limits: Mapping[str, Limits], folder: Path) -> PageRules:
    """Build the checks between fields, and the roster.

    Args:
        model: The template.
        limits: The least and the greatest number that each field can mean.
        folder: What the path of a roster is relative to.

    Raises:
        ValueError: If one cannot be what is asked, or they cannot all be met.
    """
    types = {field.name: str(field.type) for field in model.fields}
    entries = [split_entry(entry) for entry in model.checks]
    checks = tuple(
        check
        for name, given in entries
        if name != "roster"
        for check in make_page_checks(name, given, types)
    )
    refuse_impossible(checks, limits)
    rosters = [given for name, given in entries if name == "roster"]
    if len(rosters) > 1:
        raise ValueError(f"found {len(rosters)} rosters; a page belongs to one")
    boxes = {field.name: len(field.rectangles()) for field in model.fields}
    return PageRules(checks, read_roster(rosters[0], boxes, folder) if rosters else None)


def number_limits(model: FieldModel, limits: Sequence[Limit]) -> Limits:
    """Give the least and the greatest number that a field can mean, days counted from 0001."""
    least, most = limits
    if model.type == "date":
        low = least if isinstance(least, date) else date.min
        high = most if isinstance(most, date) else date.max
        return low.toordinal(), high.toordinal()
    low_, high_ = (limit if isinstance(limit, int) else None for limit in limits)
    largest = 10 ** len(model.rectangles()) - 1
    return max(low_ or 0, 0), largest if high_ is None else min(high_, largest)
