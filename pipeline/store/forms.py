"""What review needs of a template, kept as it was when pages were read with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from pipeline.records import Box, Mark
from pipeline.template import FieldSpec, FieldType, FormTemplate


@dataclass(frozen=True, slots=True)
class StoredField:
    """A field's place and meaning; its checks stay in the template's file."""

    name: str
    boxes: tuple[Box, ...]
    type: FieldType
    date_format: str
    required: bool
    empty_marks: tuple[Mark, ...]

    def as_spec(self) -> FieldSpec:
        """Give the field as the stages know it, without checks."""
        return FieldSpec(
            name=self.name,
            boxes=self.boxes,
            type=self.type,
            date_format=self.date_format,
            required=self.required,
            minimum=None,
            maximum=None,
            empty_marks=frozenset(self.empty_marks),
            checks=(),
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
        )
        for field in template.fields
    )
    form = StoredForm(template.template_id, template.version, template.size, fields)
    return _FORM.dump_json(form).decode()


def from_json(content: str) -> StoredForm:
    """Read what `to_json` wrote."""
    return _FORM.validate_json(content)
