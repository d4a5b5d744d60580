"""template.yaml to FormTemplate, validated; all lengths in template pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from pipeline.checks.between import PageCheck
from pipeline.checks.check import Check
from pipeline.checks.roster import Roster
from pipeline.errors import TemplateError
from pipeline.records import Box, Mark
from pipeline.template_checks import (
    Limit,
    build_checks,
    build_page_rules,
    clock_day,
    number_limits,
    settle_bounds,
)
from pipeline.template_digest import digest_of
from pipeline.template_schema import AlignModel, FieldModel, TemplateModel

PX_PER_MM = 300 / 25.4
"""Templates in millimetres become pixels at 300 dpi."""

# The same rules either way; libyaml's own reader, where there is one, is five times as fast.
_YAML = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_MARKS = {"blank": Mark.BLANK, "struck": Mark.STRUCK}


class FieldType(StrEnum):
    """How a field's digits become a value."""

    DIGITS = "digits"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its boxes and what may stand in them."""

    name: str
    boxes: tuple[Box, ...]
    type: FieldType
    date_format: str
    required: bool
    minimum: Limit
    maximum: Limit
    empty_marks: frozenset[Mark]
    checks: tuple[Check, ...]
    """All that its digits must pass; the calendar and the range are among them."""


@dataclass(frozen=True, slots=True)
class Markers:
    """Four printed markers: side or diameter, and centres as x, y clockwise from top left."""

    shape: Literal["square", "circle"]
    size: float
    centres: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class FormTemplate:
    """A form: its size (height, width) in template pixels, its fields, how to align to it.

    Compared by identity, so that what is worked out from a template can be kept with it.
    """

    template_id: str
    version: int
    size: tuple[float, float]
    markers: Markers | None
    reference: Path | None
    fields: tuple[FieldSpec, ...]
    checks: tuple[PageCheck, ...]
    roster: Roster | None = None
    writer_error: float = 0.005
    """How often a writer breaks a check, as a share of fields."""
    sha256: str = ""
    """Of what its file says and of the files that it names: tells one edition from another."""


def load_templates(folder: Path, today: date | None = None) -> tuple[FormTemplate, ...]:
    """Load every template of a folder: each NAME/template.yaml or NAME.yaml.

    Args:
        folder: The folder, or a single template file.
        today: The day that `today` in a range means; None for `clock_day`.

    Raises:
        TemplateError: If there is none, one is wrong, or two have the same name.
    """
    if folder.is_file():
        return (load_template(folder, today),)
    if not folder.is_dir():
        raise TemplateError(f"{folder}: no such folder. Give --templates a folder of templates.")
    paths = sorted([*folder.glob("*.yaml"), *folder.glob("*/template.yaml")])
    if not paths:
        raise TemplateError(f"{folder}: found no NAME/template.yaml and no NAME.yaml; needs one.")
    places: dict[str, Path] = {}
    templates = tuple(load_template(path, today) for path in paths)
    for template, path in zip(templates, paths, strict=True):
        if first := places.get(template.template_id):
            name = template.template_id
            raise TemplateError(f"{path}: template {name!r} is in {first} too; names must differ.")
        places[template.template_id] = path
    return templates


def load_template(path: Path, today: date | None = None) -> FormTemplate:
    """Load one template file; `today` as for `load_templates`.

    Raises:
        TemplateError: If it cannot be read or says something that cannot be; the message names
            the file, the field, what was found and what was needed.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_YAML)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TemplateError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise TemplateError(f"{path}: found {type(content).__name__}, needs keys template, page, …")
    try:
        model = TemplateModel.model_validate(content)
    except ValidationError as error:
        lines = [_describe(problem, content) for problem in error.errors(include_url=False)]
        raise TemplateError(
            "\n".join(f"{path}: {line}" for line in dict.fromkeys(lines))
        ) from error
    return _to_template(model, content, path, today or clock_day())


def _describe(problem: Mapping[str, Any], content: dict[str, Any]) -> str:
    """Say one pydantic error with the field's name in place of its number."""
    location = [part for part in problem["loc"] if not _is_union_branch(part)]
    words = [str(part) for part in location]
    if len(location) > 1 and location[0] == "fields" and isinstance(location[1], int):
        field = content["fields"][location[1]]
        name = field.get("name", "?") if isinstance(field, dict) else "?"
        words = [f"field {name!r} (number {location[1] + 1})", *words[2:]]
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return f"{' > '.join(words)}: unknown key; remove it or correct its spelling"
    found = "" if isinstance(problem["input"], dict | list) else f"found {problem['input']!r}, "
    return f"{' > '.join(words)}: {found}{message}" if words else message


def _is_union_branch(part: str | int) -> bool:
    return isinstance(part, str) and ("[" in part or part.endswith("Model"))


def _to_template(
    model: TemplateModel, content: dict[str, Any], path: Path, today: date
) -> FormTemplate:
    scale = PX_PER_MM if model.page.unit == "mm" else 1.0
    fields, limits = [], {}
    for number, field in enumerate(model.fields, 1):
        with _named(f"{path}: field {field.name!r} (number {number})"):
            bounds = settle_bounds(field, today)
            checks = build_checks(field, bounds, path.parent)
        fields.append(_to_field(field, bounds, checks, scale))
        limits[field.name] = number_limits(field, bounds)
    with _named(f"{path}: checks"):
        rules = build_page_rules(model, limits, path.parent)
    return FormTemplate(
        template_id=model.template,
        version=model.version,
        size=(model.page.height * scale, model.page.width * scale),
        markers=_to_markers(model.align, scale),
        reference=_find_reference(model.align, path),
        fields=tuple(fields),
        checks=rules.checks,
        roster=rules.roster,
        writer_error=model.writer_error,
        sha256=digest_of(content, path.parent),
    )


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Say where in a template a mistake is."""
    try:
        yield
    except ValueError as error:
        raise TemplateError(f"{place}: {error}") from error


def _to_markers(align: AlignModel, scale: float) -> Markers | None:
    if align.markers is None:
        return None
    centres = tuple((x * scale, y * scale) for x, y in align.markers.centres)
    return Markers(align.markers.shape, align.markers.size * scale, centres)


def _find_reference(align: AlignModel, path: Path) -> Path | None:
    if align.reference is None:
        return None
    reference = path.parent / align.reference
    if not reference.is_file():
        raise TemplateError(
            f"{path}: align > reference: found no file {reference}; needs an image of the form."
        )
    return reference


def _to_field(
    model: FieldModel, bounds: tuple[Limit, Limit], checks: tuple[Check, ...], scale: float
) -> FieldSpec:
    minimum, maximum = bounds
    rectangles = ([length * scale for length in each] for each in model.rectangles())
    return FieldSpec(
        name=model.name,
        boxes=tuple(Box(x, y, x + width, y + height) for x, y, width, height in rectangles),
        type=FieldType(model.type),
        date_format=model.date_format if model.type == "date" else "",
        required=model.required,
        minimum=minimum,
        maximum=maximum,
        empty_marks=frozenset(_MARKS[mark] for mark in model.empty_marks),
        checks=checks,
    )
