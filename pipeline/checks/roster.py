"""A roster: a list of which each page of a batch belongs to exactly one entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.checks.texts import read_column


@dataclass(frozen=True, slots=True)
class Roster:
    """A list of entries, each with the digits of some fields."""

    fields: tuple[str, ...]
    entries: tuple[tuple[str, ...], ...]
    """One a row of the list, in its order: the digits of each field."""


def read_roster(given: Any, boxes: Mapping[str, int], folder: Path) -> Roster:
    """Read a roster as a template asks for it: `{file: class.csv, fields: {FIELD: COLUMN}}`.

    Args:
        given: The template's entry.
        boxes: How many boxes each field of the template has.
        folder: What the path of the file is relative to.

    Raises:
        ValueError: If it names a field that is not there, the file or a column is missing, an
            entry is longer than its field, or two entries are the same.
    """
    if not isinstance(given, Mapping) or set(given) != {"file", "fields"}:
        raise ValueError("roster needs file, and fields: a mapping of fields to columns")
    columns = given["fields"]
    if not isinstance(columns, Mapping) or not columns:
        raise ValueError("roster > fields: needs a mapping of fields to columns")
    for name in columns:
        if name not in boxes:
            raise ValueError(f"roster names {name!r}, which is no field here")
    file = folder / str(given["file"])
    read = [read_column(file, str(column)) for column in columns.values()]
    entries = tuple(zip(*read, strict=True))
    for line, entry in enumerate(entries, 2):
        _refuse_long(file, line, entry, {name: boxes[name] for name in columns})
    if len(set(entries)) < len(entries):
        twice = next(entry for entry in entries if entries.count(entry) > 1)
        raise ValueError(f"{file} has {', '.join(twice)} more than once; entries must differ")
    return Roster(tuple(columns), entries)


def _refuse_long(file: Path, line: int, entry: tuple[str, ...], boxes: Mapping[str, int]) -> None:
    for value, (name, count) in zip(entry, boxes.items(), strict=True):
        if len(value) > count:
            raise ValueError(f"{file} line {line}: {value!r} is longer than {count} boxes ({name})")
