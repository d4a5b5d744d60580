"""Boxes that say what a test wants, and fields decoded from them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.acceptance import Profile
from pipeline.checks.check import Check
from pipeline.checks.ranges import calendar
from pipeline.decode import decode_page
from pipeline.records import BoxReading, FieldResult, Mark
from pipeline.template import FieldSpec, FieldType
from tests.pipeline.forms import field, form, row

CLASSES = "0123456789_X#"
BLANK, STRUCK = frozenset({Mark.BLANK}), frozenset({Mark.STRUCK})
Box = Mapping[str, float]
"""What a box is said to hold, by character; the rest is spread over all others."""


def boxes_of(raw: str, confidences: Sequence[float] | float = 1.0) -> list[Box]:
    """Boxes that say `raw`, each as sure as given."""
    sure = [confidences] * len(raw) if isinstance(confidences, float) else confidences
    return [{one: confidence} for one, confidence in zip(raw, sure, strict=True)]


def readings_of(boxes: Sequence[Box], name: str = "code") -> list[BoxReading]:
    """Readings with these probabilities."""
    readings = []
    for place, box in enumerate(boxes):
        rest = (1 - sum(box.values())) / (len(CLASSES) - len(box))
        row_ = np.array([box.get(one, rest) for one in CLASSES], np.float64)
        readings.append(BoxReading(name, place, CLASSES, np.float32(row_ / row_.sum())))
    return readings


def code(boxes: int, **changes: object) -> FieldSpec:
    """A field of so many boxes."""
    return field("code", row(0, 0, boxes), **changes)


def number(boxes: int, **changes: object) -> FieldSpec:
    """A field that is a quantity, where empty boxes count as no digit."""
    return code(boxes, **{"type": FieldType.NUMBER, "empty_marks": BLANK | STRUCK, **changes})


def day(date_format: str = "DDMMYYYY", *checks: Check, **changes: object) -> FieldSpec:
    """A field that is a date."""
    return code(
        len(date_format),
        type=FieldType.DATE,
        date_format=date_format,
        checks=(calendar(date_format), *checks),
        **changes,
    )


def decode(
    boxes: Sequence[Box], spec: FieldSpec, *, accept: float = 0.9, found: bool = True, **more: float
) -> FieldResult:
    """Decode one field alone."""
    template = form("form", spec, **more)
    profile = Profile(accept=accept, accept_checked=accept)
    (result,), _ = decode_page(readings_of(boxes), [found], template, profile)
    return result


def named(name: str, spec: FieldSpec) -> FieldSpec:
    """Give the field another name."""
    return replace(spec, name=name)
