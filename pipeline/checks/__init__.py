"""Checks that what is written must pass; a new one is a function and its entry in CHECKS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

from pydantic import ValidationError, validate_call

from pipeline.checks import sums, texts
from pipeline.checks.between import PAGE_CHECKS, PageCheck
from pipeline.checks.check import Check

CHECKS: Mapping[str, Callable[..., Check]] = {
    "luhn": sums.luhn,
    "verhoeff": sums.verhoeff,
    "mod11": sums.mod11,
    "mod97": sums.mod97,
    "aba": sums.aba,
    "weighted": sums.weighted,
    "length": texts.length,
    "pattern": texts.pattern,
    "lookup": texts.lookup,
}
"""By the name in a template; a function's parameters are the keys that the template gives it."""


def make_check(name: str, given: Any, *, folder: Path, is_number: bool) -> Check:
    """Make a field's check as a template asks for it.

    Args:
        name: Its name in CHECKS.
        given: None; or its one parameter; or a mapping of them.
        folder: What the path of a file is relative to.
        is_number: Whether the field is a quantity, whose leading zeros mean nothing.

    Raises:
        ValueError: If there is no such check, or it cannot be what is asked; says why.
    """
    if name not in CHECKS:
        raise ValueError(f"no check {name!r}; known are {', '.join(sorted(CHECKS))}")
    takes = signature(CHECKS[name]).parameters
    options = dict(given) if isinstance(given, Mapping) else {}
    if "file" in options:
        options["file"] = folder / str(options["file"])
    if "leading_zeros" in takes:
        options["leading_zeros"] = not is_number
    positional = [] if given is None or isinstance(given, Mapping) else [given]
    check: Check = _call(CHECKS[name], name, positional, options)
    return replace(check, entry=(name, given))


def make_page_checks(name: str, given: Any, types: Mapping[str, str]) -> list[PageCheck]:
    """Make checks between fields as a template asks for them.

    Args:
        name: Its name in PAGE_CHECKS.
        given: Its list of fields, or a mapping of its parameters.
        types: The type of each field of the template.

    Raises:
        ValueError: If it names a field that is not there, or cannot be what is asked; says why.
    """
    positional = [] if isinstance(given, Mapping) else [given]
    options = given if isinstance(given, Mapping) else {}
    named = _named_fields(given)
    for field in named:
        if field not in types:
            raise ValueError(f"check {name} names {field!r}, which is no field here")
        if named.count(field) > 1:
            raise ValueError(f"check {name} names {field!r} {named.count(field)} times")
    checks: list[PageCheck] = _call(PAGE_CHECKS[name], name, [types, *positional], options)
    return checks


def _named_fields(given: Any) -> list[str]:
    """List every text among a check's parameters: with checks between fields all are names."""
    if isinstance(given, str):
        return [given]
    inner = list(given.values()) if isinstance(given, Mapping) else given
    return [name for each in inner for name in _named_fields(each)] if _is_list(inner) else []


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _call(
    make: Callable[..., Any], name: str, positional: list[Any], options: Mapping[Any, Any]
) -> Any:
    named = {str(key): value for key, value in options.items()}
    try:
        return validate_call(make)(*positional, **named)
    except ValidationError as error:
        raise ValueError(f"check {name}: {_explain(error)}") from error
    except ValueError as error:
        raise ValueError(f"check {name}: {error}") from error


def _explain(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}"


__all__ = ["CHECKS", "PAGE_CHECKS", "make_check", "make_page_checks"]
