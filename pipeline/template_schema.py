"""What a template.yaml may say; pydantic models that refuse everything else."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pipeline.checks import CHECKS, PAGE_CHECKS

Name = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f=+@-][^\x00-\x1f]*$")]
Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=0, allow_inf_nan=False)]
FromToday = Annotated[str, StringConstraints(pattern=r"^today( ?[+-] ?\d{1,5} days)?$")]
Bound = date | int | FromToday | None
Entry = str | Annotated[dict[str, Any], Field(min_length=1, max_length=1)]
"""A check by its name alone, or with what it is given."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PageModel(_Strict):
    """The page's size."""

    width: Length
    height: Length
    unit: Literal["px", "mm"] = "px"


class MarkersModel(_Strict):
    """Four printed markers, clockwise from top left."""

    shape: Literal["square", "circle"] = "square"
    size: Length
    centres: Annotated[list[tuple[Place, Place]], Field(min_length=4, max_length=4)]


class AlignModel(_Strict):
    """What the page is aligned by; with nothing, its edges and its boxes."""

    markers: MarkersModel | None = None
    reference: str | None = None


class BoxRowModel(_Strict):
    """A row of equal boxes."""

    x: Place
    y: Place
    width: Length
    height: Length
    count: Annotated[int, Field(ge=1, le=200)]
    pitch: Length | None = None

    @model_validator(mode="after")
    def _boxes_apart(self) -> Self:
        if self.pitch is not None and self.pitch < 0.9 * self.width:
            raise ValueError(f"pitch {self.pitch:g} makes boxes of width {self.width:g} overlap")
        return self

    def rectangles(self) -> list[tuple[float, float, float, float]]:
        """Give each box as x, y, width, height."""
        pitch = self.width if self.pitch is None else self.pitch
        return [(self.x + i * pitch, self.y, self.width, self.height) for i in range(self.count)]


class FieldModel(_Strict):
    """One field: its boxes and what may stand in them."""

    name: Name
    boxes: BoxRowModel | Annotated[list[tuple[Place, Place, Length, Length]], Field(min_length=1)]
    type: Literal["digits", "number", "date"] = "digits"
    format: str | None = None
    required: bool = False
    range: tuple[Bound, Bound] | None = None
    empty_marks: list[Literal["blank", "struck"]] = ["blank"]
    checks: list[Entry] = []

    def rectangles(self) -> list[tuple[float, float, float, float]]:
        """Give each box as x, y, width, height."""
        return self.boxes.rectangles() if isinstance(self.boxes, BoxRowModel) else list(self.boxes)

    @model_validator(mode="after")
    def _checks_known(self) -> Self:
        _refuse_unknown(self.checks, sorted(CHECKS))
        return self

    @model_validator(mode="after")
    def _format_fits(self) -> Self:
        if self.type != "date":
            if self.format is not None:
                raise ValueError(f"format is for fields of type date, not {self.type}")
            return self
        if not re.fullmatch(r"(?=.*DD)(?=.*MM)(?=.*YY)(DD|MM|YYYY|YY){3}", self.date_format):
            raise ValueError(f"format {self.date_format!r}: needs DD, MM and YY or YYYY once each")
        if len(self.date_format) != len(self.rectangles()):
            found = f"format {self.date_format!r} for {len(self.rectangles())} boxes"
            raise ValueError(f"{found}: needs one box a letter")
        return self

    @property
    def date_format(self) -> str:
        """The date's letters, one a box."""
        return self.format or "DDMMYYYY"

    @model_validator(mode="after")
    def _range_fits(self) -> Self:
        for bound in self.range or ():
            is_day = isinstance(bound, date | str)
            if bound is not None and is_day != (self.type == "date"):
                raise ValueError(f"range bound {bound} does not fit type {self.type}")
        return self


def _refuse_unknown(entries: list[Entry], known: list[str]) -> None:
    for entry in entries:
        name = entry if isinstance(entry, str) else next(iter(entry))
        if name not in known:
            raise ValueError(f"no check {name!r}; known are {', '.join(known)}")


class TemplateModel(_Strict):
    """A whole template.yaml."""

    template: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    version: Annotated[int, Field(ge=1)]
    page: PageModel
    align: AlignModel = AlignModel()
    fields: Annotated[list[FieldModel], Field(min_length=1)]
    writer_error: Annotated[float, Field(ge=0.0005, le=0.2)] = 0.005
    """How often a writer breaks a check, as a share of fields."""
    checks: list[Annotated[dict[str, Any], Field(min_length=1, max_length=1)]] = []

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [field.name for field in self.fields]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"field {name!r} stands {names.count(name)} times; names must differ"
                )
        return self

    @model_validator(mode="after")
    def _page_checks_known(self) -> Self:
        _refuse_unknown([*self.checks], sorted([*PAGE_CHECKS, "roster"]))
        return self

    @model_validator(mode="after")
    def _boxes_inside(self) -> Self:
        for field in self.fields:
            for position, (x, y, width, height) in enumerate(field.rectangles()):
                if x + width > self.page.width or y + height > self.page.height:
                    found = (
                        f"field {field.name!r} box {position} ends at {x + width:g}, {y + height:g}"
                    )
                    size = f"{self.page.width:g} x {self.page.height:g}"
                    raise ValueError(f"{found}; the page is only {size} {self.page.unit}")
        return self
