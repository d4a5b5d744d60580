"""Invents what people write into a form: values that keep its ranges, its checks and its sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from numpy.random import Generator

from pipeline.checks.between import PageCheck
from pipeline.checks.check import all_of, find_passing
from pipeline.decode.meaning import failed_checks, to_value
from pipeline.errors import TemplateError
from pipeline.records import Mark
from pipeline.template import FieldSpec, FieldType, FormTemplate

_TRIES = 2000
_EARLIEST = date(1930, 1, 1)
LATEST = date(2025, 12, 31)
"""Stands for `today`, so that one seed gives the same dates tomorrow."""
_BOUNDS = frozenset({"date", "range"})
_SHORT_YEARS = date(1970, 1, 1), date(2069, 12, 31)
_LEFT_OUT = 0.08
"""Share of optional fields that people leave empty."""
_SHORTER = 0.25
"""Share of optional codes that do not fill their boxes."""


@dataclass(frozen=True, slots=True)
class Filling:
    """How one person fills in fields."""

    padding: str
    """What stands before a number that needs fewer boxes: `0`, `_` or `X`, where that may be."""


def draw_values(template: FormTemplate, rng: Generator) -> dict[str, str]:
    """Fill in a form.

    Args:
        template: The form; nothing drawn breaks one of its checks.
        rng: The source of all variation.

    Returns:
        `raw` by the field's name, one character a box.

    Raises:
        TemplateError: If no values were found that pass a field's checks, or add up.
    """
    filling = Filling(str(rng.choice(["0", Mark.BLANK, Mark.STRUCK], p=[0.5, 0.4, 0.1])))
    limits = _limits(template)
    for _ in range(_TRIES):
        texts = _draw_page(template, limits, filling, rng)
        if texts is not None and _adds_up(texts, template):
            return texts
    checks = "; ".join(f"{check.name} of {', '.join(check.fields)}" for check in template.checks)
    raise TemplateError(
        f"template {template.template_id}: {_TRIES} pages were drawn and none has {checks} within "
        "the fields' ranges and checks; widen a range."
    )


def _limits(template: FormTemplate) -> dict[str, int]:
    """Give each number's largest value with which its sums can still fit their totals."""
    limits = {spec.name: _largest(spec) for spec in template.fields}
    sums = _sums(template)
    for _ in sums:
        for check in sums:
            *parts, total = check.fields
            share = limits[total] // len(parts)
            limits |= {part: min(limits[part], share) for part in parts}
    return limits


def _sums(template: FormTemplate) -> list[PageCheck]:
    return [check for check in template.checks if check.name == "sum"]


def _largest(spec: FieldSpec) -> int:
    most = int(10 ** len(spec.boxes)) - 1
    return min(most, spec.maximum) if isinstance(spec.maximum, int) else most


def _draw_page(
    template: FormTemplate, limits: Mapping[str, int], filling: Filling, rng: Generator
) -> dict[str, str] | None:
    """Draw all fields but the totals, then add up; None where a total does not fit its field."""
    sums = _sums(template)
    totals = {check.fields[-1] for check in sums}
    parts = {part for check in sums for part in check.fields[:-1]}
    texts: dict[str, str] = {}
    for spec in template.fields:
        if spec.name not in totals:
            counted = spec.name in parts
            texts[spec.name] = _draw_field(spec, limits[spec.name], filling, counted, rng)
    by_name = {spec.name: spec for spec in template.fields}
    _follow(texts, by_name, template, rng)
    for check in _in_order(sums):
        *added, total = check.fields
        amount = sum(int(to_value(texts[part], by_name[part]) or 0) for part in added)
        raw = _padded(amount, by_name[total], filling)
        if not _fits(raw, by_name[total]):
            return None
        texts[total] = raw
    return {spec.name: texts[spec.name] for spec in template.fields}


def _follow(
    texts: dict[str, str], by_name: Mapping[str, FieldSpec], template: FormTemplate, rng: Generator
) -> None:
    """Make fields agree that chance would not: repeated ones, and dates soon after others."""
    for check in template.checks:
        first, second = check.fields[0], check.fields[-1]
        if check.name == "equal" and len(texts[first]) == len(texts[second]):
            texts[second] = texts[first]
        elif check.name == "window" and check.most is not None:
            start = to_value(texts[first], by_name[first])
            if start and texts[second].isdecimal():
                days = int(rng.integers(check.least, check.most + 1))
                day = date.fromisoformat(start) + timedelta(days)
                texts[second] = _spell_date(day, by_name[second].date_format)


def _in_order(checks: list[PageCheck]) -> list[PageCheck]:
    """Sort sums so that a total that is part of another comes first."""
    waiting, ordered = list(checks), []
    while waiting:
        open_totals = {check.fields[-1] for check in waiting}
        ready = [check for check in waiting if not open_totals & set(check.fields[:-1])]
        if not ready:
            names = ", ".join(sorted(open_totals))
            raise TemplateError(f"the sums of {names} are parts of each other; mend the checks.")
        ordered += ready
        waiting = [check for check in waiting if check not in ready]
    return ordered


def _draw_field(spec: FieldSpec, most: int, filling: Filling, counted: bool, rng: Generator) -> str:
    optional = not spec.required and Mark.BLANK in spec.empty_marks
    if optional and rng.random() < _LEFT_OUT:
        return Mark.BLANK * len(spec.boxes)
    for _ in range(_TRIES):
        raw = _draw_raw(spec, most, filling, counted, rng)
        if optional and spec.type is FieldType.DIGITS and not counted:
            raw = _shortened(raw, rng)
        if _fits(raw, spec):
            return raw
    names = ", ".join(check.name for check in spec.checks) or "none"
    raise TemplateError(
        f"field {spec.name!r}: {_TRIES} values were drawn and none passes its checks ({names}); "
        "do they contradict each other?"
    )


def _draw_raw(spec: FieldSpec, most: int, filling: Filling, counted: bool, rng: Generator) -> str:
    if spec.type is FieldType.DATE:
        return _draw_date(spec, rng)
    if any(check.name not in _BOUNDS for check in spec.checks):
        return _draw_passing(spec, filling, rng)
    least = max(spec.minimum, 0) if isinstance(spec.minimum, int) else 0
    bounded = counted or spec.minimum is not None or spec.maximum is not None
    if spec.type is FieldType.DIGITS and not bounded:
        return "".join(map(str, rng.integers(0, 10, len(spec.boxes)).tolist()))
    if least > most:
        return Mark.BLANK * len(spec.boxes)
    # Half of the numbers are small, as amounts are; the other half fill their boxes.
    length = int(rng.integers(1, len(str(most)) + 1)) if rng.random() < 0.5 else len(str(most))
    value = int(rng.integers(least, max(least, min(most, 10**length - 1)) + 1))
    if spec.type is FieldType.DIGITS:
        return str(value).rjust(len(spec.boxes), "0")
    return _padded(value, spec, filling)


def _draw_passing(spec: FieldSpec, filling: Filling, rng: Generator) -> str:
    """Draw digits that pass the field's checks, as many as they allow."""
    boxes = len(spec.boxes)
    least = 1 if spec.empty_marks else boxes
    digits = find_passing(
        all_of(spec.checks), range(boxes, least - 1, -1), lambda: rng.permutation(10).tolist()
    )
    padding = Mark.BLANK if spec.type is FieldType.DIGITS else filling.padding
    return (digits or "").rjust(boxes, padding if padding in spec.empty_marks else "0")


def _padded(value: int, spec: FieldSpec, filling: Filling) -> str:
    allowed = filling.padding == "0" or filling.padding in spec.empty_marks
    return str(value).rjust(len(spec.boxes), filling.padding if allowed else "0")


def _shortened(raw: str, rng: Generator) -> str:
    """Leave boxes at one end of a code empty, now and then."""
    if rng.random() > _SHORTER or len(raw) < 2:
        return raw
    kept = int(rng.integers((len(raw) + 1) // 2, len(raw)))
    code = raw[-kept:]
    return code.ljust(len(raw), "_") if rng.random() < 0.7 else code.rjust(len(raw), "_")


def _draw_date(spec: FieldSpec, rng: Generator) -> str:
    first, last = _date_range(spec)
    day = first + timedelta(days=int(rng.integers((last - first).days + 1)))
    return _spell_date(day, spec.date_format)


def _spell_date(day: date, date_format: str) -> str:
    parts = {"YYYY": f"{day.year:04}", "YY": f"{day.year % 100:02}"}
    text = date_format.replace("DD", f"{day.day:02}").replace("MM", f"{day.month:02}")
    for letters, digits in parts.items():
        text = text.replace(letters, digits)
    return text


def _date_range(spec: FieldSpec) -> tuple[date, date]:
    least, most = (_to_day(bound) for bound in (spec.minimum, spec.maximum))
    last = most or max(LATEST, least or LATEST)
    first = least or min(_EARLIEST, last)
    if first > last:
        # The field begins after what stands for today: only the clock can help.
        last = max(first, date.today())
    if "YYYY" not in spec.date_format:
        first, last = max(first, _SHORT_YEARS[0]), min(last, _SHORT_YEARS[1])
    return first, max(first, last)


def _to_day(bound: object) -> date | None:
    return bound if isinstance(bound, date) else None


def _fits(raw: str, spec: FieldSpec) -> bool:
    """Tell whether a field reads as meant: it has a value, and no check speaks against it."""
    if len(raw) != len(spec.boxes):
        return False
    value = to_value(raw, spec)
    return bool(value) and not failed_checks(raw, spec)


def _adds_up(texts: Mapping[str, str], template: FormTemplate) -> bool:
    values: dict[str, str | None] = {
        spec.name: to_value(texts[spec.name], spec) for spec in template.fields
    }
    return all(check.passes(values) is not False for check in template.checks)
