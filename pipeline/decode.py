"""Readings + FieldSpec to FieldResult: raw, value, confidence, flag, reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

import numpy as np

from pipeline.checks import CHECKS
from pipeline.records import BoxReading, BoxRow, FieldResult, Flag, Mark
from pipeline.template import FieldSpec, FieldType, FormTemplate, SumCheck

EMPTY = Mark.BLANK + Mark.STRUCK
LOW_CONFIDENCE = "low_confidence"
ILLEGIBLE = "illegible"
STRUCK_OUT = "struck_out"
BLANK_REQUIRED = "blank_required"
CHECK_FAILED = "check_failed"
ALIGNMENT = "alignment"
PAGE_FAILED = "page_failed"


def decode_field(
    readings: Sequence[BoxReading], spec: FieldSpec, *, accept: float, settled: bool
) -> FieldResult:
    """Decide what a field says, how sure that is, and whether a person must look.

    Args:
        readings: One reading a box, in the order of the boxes.
        spec: The field.
        accept: The confidence from which a field is accepted.
        settled: Whether the printed frames of the field were found.

    Returns:
        The field, without the checks between fields.
    """
    raw = join_readings(readings)
    confidence = float(np.prod([reading.ranked()[0][1] for reading in readings]))
    value = to_value(raw, spec)
    reasons = [
        *([ALIGNMENT] if not settled else []),
        *_mark_reasons(raw, value, spec),
        *(f"{CHECK_FAILED}:{name}" for name in failed_checks(raw, value, spec)),
        *([LOW_CONFIDENCE] if confidence < accept else []),
    ]
    return _result(FieldResult(spec.name, raw, value, confidence, Flag.REVIEW, tuple(reasons)))


def decode_page(results: Sequence[FieldResult], template: FormTemplate) -> list[FieldResult]:
    """Apply the checks between fields; a sum that fails is a reason, never a correction."""
    by_name = {result.field: result for result in results}
    for check in template.checks:
        if _breaks_sum(check, by_name):
            for name in (*check.parts, check.total):
                by_name[name] = _add_reason(by_name[name], f"{CHECK_FAILED}:sum")
    return [by_name[result.field] for result in results]


def failed_fields(template: FormTemplate) -> list[FieldResult]:
    """Rows for a page that could not be read: nothing is dropped."""
    return [
        FieldResult(spec.name, "", "", 0.0, Flag.REVIEW, (PAGE_FAILED,)) for spec in template.fields
    ]


def box_row(reading: BoxReading) -> BoxRow:
    """Give a reading as it goes to digits.csv."""
    (first, confidence), (second, second_confidence) = reading.ranked()
    return BoxRow(reading.field, reading.position, first, confidence, second, second_confidence)


def join_readings(readings: Sequence[BoxReading]) -> str:
    """Write a field as it stands on the paper, one character a box."""
    return "".join(reading.ranked()[0][0] for reading in readings)


def to_value(raw: str, spec: FieldSpec) -> str:
    """Give a field's meaning as text, or an empty text where it has none."""
    empty = "".join(spec.empty_marks)
    match spec.type:
        case FieldType.DIGITS:
            code = raw.strip(empty)
            return code if code.isdecimal() else ""
        case FieldType.NUMBER:
            digits = raw.strip(empty)
            return str(int(digits)) if digits.isdecimal() else ""
        case FieldType.DATE:
            day = to_date(raw, spec.date_format)
            return "" if day is None else day.isoformat()


def to_date(raw: str, date_format: str) -> date | None:
    """Read a date by the letters of its format; two-digit years are 1970 to 2069."""
    if not raw.isdecimal():
        return None
    parts = {
        letter: int("".join(d for d, f in zip(raw, date_format, strict=True) if f == letter))
        for letter in "DMY"
    }
    year = parts["Y"] if "YYYY" in date_format else 1970 + (parts["Y"] - 70) % 100
    try:
        return date(year, parts["M"], parts["D"])
    except ValueError:
        return None


def failed_checks(raw: str, value: str, spec: FieldSpec) -> list[str]:
    """Name the field's checks that what is written breaks; none are asked of an empty field."""
    if spec.type is FieldType.DATE and not value and raw.isdecimal():
        return ["date"]
    if not value:
        return []
    broken = [name for name in spec.checks if not CHECKS[name](re.sub(r"\D", "", raw))]
    return broken if _in_range(value, spec) else [*broken, "range"]


def _in_range(value: str, spec: FieldSpec) -> bool:
    if spec.minimum is None and spec.maximum is None:
        return True
    if spec.type is FieldType.DATE:
        day = date.fromisoformat(value)
        return _day(spec.minimum, date.min) <= day <= _day(spec.maximum, date.max)
    number = int(value)
    least = spec.minimum if isinstance(spec.minimum, int) else number
    most = spec.maximum if isinstance(spec.maximum, int) else number
    return least <= number <= most


def _day(bound: date | Literal["today"] | int | None, otherwise: date) -> date:
    if bound == "today":
        return date.today()
    return bound if isinstance(bound, date) else otherwise


def _mark_reasons(raw: str, value: str, spec: FieldSpec) -> list[str]:
    """Say which boxes keep the field from having a meaning."""
    reasons = [ILLEGIBLE] if Mark.ILLEGIBLE in raw else []
    if Mark.STRUCK in raw and (Mark.STRUCK not in spec.empty_marks or not value):
        reasons.append(STRUCK_OUT)
    is_empty = not raw.strip("".join(spec.empty_marks))
    if Mark.BLANK in raw and not value and (spec.required or not is_empty):
        reasons.append(BLANK_REQUIRED)
    return reasons


def _breaks_sum(check: SumCheck, results: Mapping[str, FieldResult]) -> bool:
    """Tell whether all fields of a sum were read and do not add up; an empty part counts 0."""
    fields = [results[name] for name in (*check.parts, check.total)]
    values = [field.value for field in fields]
    unread = any(not field.value and field.raw.strip(EMPTY) for field in fields)
    if unread or not values[-1]:
        return False
    return sum(int(value or 0) for value in values[:-1]) != int(values[-1])


def _add_reason(result: FieldResult, reason: str) -> FieldResult:
    if reason in result.reasons:
        return result
    reasons = (*result.reasons, reason)
    return _result(
        FieldResult(result.field, result.raw, result.value, result.confidence, Flag.REVIEW, reasons)
    )


def _result(result: FieldResult) -> FieldResult:
    """Accept a field that nothing speaks against."""
    flag = Flag.REVIEW if result.reasons else Flag.ACCEPTED
    return FieldResult(
        result.field, result.raw, result.value, result.confidence, flag, result.reasons
    )
