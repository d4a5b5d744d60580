"""What review needs of a template, kept as it was when pages were read with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from pipeline.records import Box, Mark
from pipeline.template import FieldSpec, FieldType, FormTemplate
from pipeline.template_checks import Limit, make_checks


@dataclass(frozen=True, slots=True)
class StoredField:
    """A field's place and meaning, and what it must pass; lists stay in files of their own."""

    name: str
    boxes: tuple[Box, ...]
    type: FieldType
    date_format: str
    required: bool
    empty_marks: tuple[Mark, ...]
    minimum: Limit = None
    maximum: Limit = None
    checks: tuple[tuple[str, Any], ...] = ()
    """Names and parameters; none for a field that was stored before checks were."""

    def as_spec(self) -> FieldSpec:
        """Give the field as the stages know it, without checks against lists."""
        limits = self.minimum, self.maximum
        checks = make_checks(self.type, self.date_format, self.checks, limits, Path())
        return FieldSpec(
            name=self.name,
            boxes=self.boxes,
            type=self.type,
            date_format=self.date_format,
            required=self.required,
            minimum=self.minimum,
            maximum=self.maximum,
            empty_marks=frozenset(self.empty_marks),
            checks=tuple(checks),
        )


@dataclass(frozen=True, slots=True)
class StoredForm:
    """A form: its size (height, width) in template pixels, and its fields."""

    name: str
    version: int
    size: tuple[float, float]
    fields: tuple[StoredField, ...]

    def field(self, name: str) -> StoredField:
        """Give a field by its name."""
        return next(field for field in self.fields if field.name == name)


_FORM: Final = TypeAdapter(StoredForm)


def to_json(template: FormTemplate) -> str:
    """Write what is kept of a template; the same template gives the same text."""
    fields = tuple(
        StoredField(
            field.name,
            field.boxes,
            field.type,
            field.date_format,
            field.required,
            tuple(sorted(field.empty_marks)),
            field.minimum,
            field.maximum,
            tuple(_entries(field)),
        )
        for field in template.fields
    )
    form = StoredForm(template.template_id, template.version, template.size, fields)
    return _FORM.dump_json(form).decode()


def _entries(field: FieldSpec) -> Iterator[tuple[str, Any]]:
    """Give the checks that a template asks for and that need no file."""
    for check in field.checks:
        if check.entry is not None and not _names_file(check.entry[1]):
            yield check.entry


def _names_file(parameters: Any) -> bool:
    return isinstance(parameters, Mapping) and "file" in parameters


def from_json(content: str) -> StoredForm:
    """Read what `to_json` wrote."""
    return _FORM.validate_json(content)
