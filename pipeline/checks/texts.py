"""Checks of a field's digits as text: how many, which pattern, which list."""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import interegular
from interegular.fsm import anything_else
from interegular.patterns import InvalidSyntax, Unsupported

from pipeline.checks.check import Check, State


def length(digits: int | tuple[int, int]) -> Check:
    """There are so many digits, or from so many to so many."""
    least, most = (digits, digits) if isinstance(digits, int) else digits
    if not 1 <= least <= most:
        raise ValueError(f"length from {least} to {most} is empty; needs 1 or more, smaller first")

    def step(state: State, _digit: int, place: int) -> State | None:
        return True if state or least <= place + 1 <= most else None

    return Check("length", False, step)


def pattern(expression: str) -> Check:
    """All digits together match a regular expression; no look-around, no back references."""
    try:
        machine = interegular.parse_pattern(expression).to_fsm()
    except (InvalidSyntax, Unsupported) as error:
        raise ValueError(
            f"pattern {expression!r} cannot be used ({type(error).__name__} {error})"
        ) from error
    steps: Mapping[Any, Mapping[Any, Any]] = machine.map
    alive = {state for state in machine.states if machine.islive(state)}  # type: ignore[no-untyped-call]
    keys = [
        machine.alphabet[str(digit)] if str(digit) in machine.alphabet
        else machine.alphabet[anything_else]
        for digit in range(10)
    ]  # fmt: skip

    def step(state: State, digit: int, _place: int) -> State | None:
        reached = steps[state].get(keys[digit])
        return reached if reached in alive else None

    return Check("pattern", machine.initial, step, lambda state: state in machine.finals)


def lookup(file: Path, column: str, *, leading_zeros: bool = True) -> Check:
    """The digits stand in a column of a CSV file.

    Args:
        file: The list, UTF-8, with a header.
        column: Its column.
        leading_zeros: Whether they count; for a number they do not.
    """
    of_length: dict[int, list[str]] = {}
    values = read_column(file, column)
    listed = values if leading_zeros else [value.lstrip("0") or "0" for value in values]
    for code in sorted({*listed}):
        of_length.setdefault(len(code), []).append(code)

    def step(state: str, digit: int, place: int) -> str | None:
        if not leading_zeros and state == "" and digit == 0 and place > 0:
            return ""
        prefix = state + str(digit)
        codes = of_length.get(len(prefix) + place, [])
        first = bisect_left(codes, prefix)
        return prefix if first < len(codes) and codes[first].startswith(prefix) else None

    return Check("lookup", "", step)


def read_column(file: Path, column: str) -> list[str]:
    """Read a column of digits.

    Raises:
        ValueError: If the file or the column is missing, or a value is not made of digits.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            if column not in (rows.fieldnames or []):
                found = ", ".join(rows.fieldnames or []) or "nothing"
                raise ValueError(f"{file} has no column {column!r}; its columns are {found}")
            values = [(row[column] or "").strip() for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file} cannot be read as CSV: {error}") from error
    for line, value in enumerate(values, 2):
        if not (value.isascii() and value.isdecimal()):
            raise ValueError(f"{file} line {line}: found {value!r} in {column!r}, needs digits")
    if not values:
        raise ValueError(f"{file} has no rows; needs one a valid value")
    return values
