"""What a template.yaml may say; pydantic models that refuse everything else."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pipeline.checks import CHECKS

Name = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f=+@-][^\x00-\x1f]*$")]
Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Place = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Bound = date | Literal["today"] | int | None


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
    checks: list[str] = []

    def rectangles(self) -> list[tuple[float, float, float, float]]:
        """Give each box as x, y, width, height."""
        return self.boxes.rectangles() if isinstance(self.boxes, BoxRowModel) else list(self.boxes)

    @model_validator(mode="after")
    def _checks_known(self) -> Self:
        for check in self.checks:
            if check not in CHECKS:
                raise ValueError(f"no check {check!r}; known are {', '.join(sorted(CHECKS))}")
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
            is_day = isinstance(bound, date) or bound == "today"
            if bound is not None and is_day != (self.type == "date"):
                raise ValueError(f"range bound {bound} does not fit type {self.type}")
        least, most = (date.today() if b == "today" else b for b in self.range or (None, None))
        if isinstance(least, date) and isinstance(most, date) and least > most:
            raise ValueError(f"range from {least} to {most} is empty; needs the earlier first")
        if isinstance(least, int) and isinstance(most, int) and least > most:
            raise ValueError(f"range from {least} to {most} is empty; needs the smaller first")
        return self


class SumModel(_Strict):
    """Fields that add up to another."""

    parts: Annotated[list[str], Field(min_length=1)]
    total: str


class PageCheckModel(_Strict):
    """A check between fields."""

    sum: SumModel


class TemplateModel(_Strict):
    """A whole template.yaml."""

    template: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    version: Annotated[int, Field(ge=1)]
    page: PageModel
    align: AlignModel = AlignModel()
    fields: Annotated[list[FieldModel], Field(min_length=1)]
    checks: list[PageCheckModel] = []

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
    def _sums_add_fields(self) -> Self:
        types = {field.name: field.type for field in self.fields}
        for check in self.checks:
            for name in (*check.sum.parts, check.sum.total):
                if name not in types:
                    raise ValueError(f"check sum names {name!r}, which is no field here")
                if types[name] == "date":
                    raise ValueError(f"check sum names {name!r}, a date; needs number or digits")
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
