"""What stands in a field's boxes, and what it means."""

from __future__ import annotations

from datetime import date

from pipeline.checks.ranges import full_year
from pipeline.decode.search import trellis
from pipeline.records import Mark
from pipeline.template import FieldSpec, FieldType

ILLEGIBLE = "illegible"
STRUCK_OUT = "struck_out"
BLANK_REQUIRED = "blank_required"


def to_value(raw: str, spec: FieldSpec) -> str:
    """Give a field's meaning as text, or an empty text where it has none."""
    digits = checked_digits(raw, spec)
    return "" if digits is None else value_of(digits, spec)


def value_of(digits: str, spec: FieldSpec) -> str:
    """Give the meaning of a field's digits as text, or an empty text where they have none."""
    match spec.type:
        case FieldType.DIGITS:
            return digits
        case FieldType.NUMBER:
            return str(int(digits))
        case FieldType.DATE:
            day = to_date(digits, spec.date_format)
            return "" if day is None else day.isoformat()


def checked_digits(raw: str, spec: FieldSpec) -> str | None:
    """Give the digits that a field's checks are asked of; None where they cannot be asked.

    A date needs a digit in every box. Elsewhere empty boxes at the ends are no part of the digits.
    """
    digits = raw if spec.type is FieldType.DATE else raw.strip("".join(spec.empty_marks))
    return digits if digits.isdecimal() else None


def is_empty(raw: str, spec: FieldSpec) -> bool:
    """Tell whether nothing is written in a field."""
    return not raw.strip("".join(spec.empty_marks))


def to_date(digits: str, date_format: str) -> date | None:
    """Read a date by the letters of its format; two-digit years are 1970 to 2069."""
    parts = {
        letter: int("".join(d for d, f in zip(digits, date_format, strict=True) if f == letter))
        for letter in "DMY"
    }
    year = parts["Y"] if "YYYY" in date_format else full_year(parts["Y"])
    try:
        return date(year, parts["M"], parts["D"])
    except ValueError:
        return None


def failed_checks(raw: str, spec: FieldSpec) -> tuple[str, ...]:
    """Name the field's checks that a text breaks; a day that is no day breaks no other."""
    digits = checked_digits(raw, spec)
    if digits is None or not spec.checks or trellis(spec.checks).passes(digits):
        return ()
    broken = tuple(check.name for check in spec.checks if not check.passes(digits))
    return ("date",) if "date" in broken else broken


def mark_reasons(raw: str, spec: FieldSpec) -> list[str]:
    """Say which boxes keep a field from having a meaning."""
    readable = checked_digits(raw, spec) is not None
    reasons = [ILLEGIBLE] if Mark.ILLEGIBLE in raw else []
    if Mark.STRUCK in raw and (Mark.STRUCK not in spec.empty_marks or not readable):
        reasons.append(STRUCK_OUT)
    if Mark.BLANK in raw and not readable and (spec.required or not is_empty(raw, spec)):
        reasons.append(BLANK_REQUIRED)
    return reasons
