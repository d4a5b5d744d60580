"""Readings + FieldSpec to FieldResult: raw, value, confidence, flag, reasons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.acceptance import Profile
from pipeline.decode.field import BoxView, FieldReading, read_field, text_probability
from pipeline.decode.joint import Settled, settle_page
from pipeline.decode.meaning import failed_checks, mark_reasons, to_value
from pipeline.records import BoxReading, BoxRow, FieldResult, Flag
from pipeline.template import FieldSpec, FormTemplate

LOW_CONFIDENCE = "low_confidence"
CHECK_FAILED = "check_failed"
DECIDED_BY = "decided_by"
ALIGNMENT = "alignment"
PAGE_FAILED = "page_failed"
ALL, SHOWN = None, 2
"""How many characters of a box matter where checks choose among them, and where none do."""
DECIMALS = 4
"""Those of fields.csv, so that a threshold found there decides the same way here."""


def decode_page(
    readings: Sequence[BoxReading],
    settled: Sequence[bool],
    template: FormTemplate,
    profile: Profile,
) -> tuple[list[FieldResult], list[BoxRow]]:
    """Decide what the fields of a page say, how sure that is, and which a person must look at.

    Args:
        readings: One a box, in the template's order.
        settled: For each field whether its printed frames were found.
        template: The page's form.
        profile: What is accepted.

    Returns:
        The fields and the boxes, in the template's order.
    """
    weighed = weigh_fields(readings, template)
    fields = [
        judge_field(*field, template, profile, found=found)
        for field, found in zip(weighed, settled, strict=True)
    ]
    rows = [
        row
        for (reading, joint) in weighed
        for row in box_rows(reading.spec.name, reading.boxes, joint.raw)
    ]
    return fields, rows


def weigh_fields(
    readings: Sequence[BoxReading], template: FormTemplate
) -> list[tuple[FieldReading, Settled]]:
    """Find the most probable text of each field of a page: by itself, and with the others."""
    tied = {name for check in template.checks for name in check.fields}
    boxes = rank_boxes(
        readings,
        [
            (len(spec.boxes), ALL if spec.checks or spec.name in tied else SHOWN)
            for spec in template.fields
        ],
    )
    alone = {
        spec.name: read_field(views, spec, template.writer_error)
        for spec, views in zip(template.fields, boxes, strict=True)
    }
    joint = settle_page(alone, template.checks, template.writer_error)
    return [(reading, joint[name]) for name, reading in alone.items()]


def failed_fields(template: FormTemplate) -> list[FieldResult]:
    """Rows for a page that could not be read: nothing is dropped."""
    return [
        FieldResult(spec.name, "", "", 0.0, Flag.REVIEW, (PAGE_FAILED,)) for spec in template.fields
    ]


def rank_boxes(
    readings: Sequence[BoxReading], fields: Sequence[tuple[int, int | None]]
) -> list[list[BoxView]]:
    """Rank the characters of all boxes of a page.

    Args:
        readings: One a box.
        fields: For each field how many boxes it has, and how many characters of each matter.
    """
    if not readings:
        return [[] for _ in fields]
    classes = readings[0].classes
    probabilities = np.stack([reading.probabilities for reading in readings])
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    views: list[list[BoxView]] = []
    start = 0
    for count, most in fields:
        rows = slice(start, start + count), slice(most)
        start += count
        views.append(
            [
                dict(zip(map(classes.__getitem__, places), row, strict=True))
                for places, row in zip(order[rows].tolist(), ranked[rows].tolist(), strict=True)
            ]
        )
    return views


def roster_boxes(
    readings: Sequence[BoxReading], template: FormTemplate
) -> tuple[tuple[str, tuple[BoxView, ...]], ...]:
    """Keep what the boxes of the roster's fields say, for when all pages of a batch are there."""
    if template.roster is None:
        return ()
    ranked = rank_boxes(readings, [(len(spec.boxes), ALL) for spec in template.fields])
    by_name = {spec.name: tuple(boxes) for spec, boxes in zip(template.fields, ranked, strict=True)}
    return tuple((name, by_name[name]) for name in template.roster.fields)


def box_rows(field: str, boxes: Sequence[BoxView], raw: str) -> list[BoxRow]:
    """Give boxes as they go to digits.csv: what is taken, and the likeliest other reading.

    Both with the probability that the box alone gives them, so that where a check decided for the
    less probable one, it shows.
    """
    rows = []
    for position, (box, taken) in enumerate(zip(boxes, raw, strict=True)):
        other = next(one for one in box if one != taken)
        rows.append(BoxRow(field, position, taken, box[taken], other, box[other]))
    return rows


def is_checked(spec: FieldSpec, template: FormTemplate) -> bool:
    """Tell whether a field has checks, of its own or with others."""
    return bool(spec.checks) or any(spec.name in check.fields for check in template.checks)


def judge_field(
    reading: FieldReading,
    settled: Settled,
    template: FormTemplate,
    profile: Profile,
    *,
    found: bool,
) -> FieldResult:
    """Turn what a field says into a result with its reasons."""
    spec, raw = reading.spec, settled.raw
    product = text_probability(reading.boxes, raw)
    confidence = round(profile.field_map.confidence(product, settled.posterior), DECIMALS)
    checked = is_checked(spec, template)
    accept = profile.threshold(template.template_id, spec.name, checked=checked)
    failed = dict.fromkeys((*failed_checks(raw, spec), *settled.failed))
    reasons = [
        *([] if found else [ALIGNMENT]),
        *mark_reasons(raw, spec),
        *(f"{CHECK_FAILED}:{name}" for name in failed),
        *([LOW_CONFIDENCE] if confidence < accept else []),
    ]
    flag = Flag.REVIEW if reasons else Flag.ACCEPTED
    unsure_alone = profile.field_map.confidence(product, product) < accept <= confidence
    if raw != reading.plain or unsure_alone:
        deciding = _deciding(reading, settled, template)
        reasons += [f"{DECIDED_BY}:{name}" for name in deciding if name not in failed]
    return FieldResult(spec.name, raw, to_value(raw, spec), confidence, flag, tuple(reasons))


def _deciding(reading: FieldReading, settled: Settled, template: FormTemplate) -> list[str]:
    """Name the checks that decided between readings of the least clear box."""
    spec, raw = reading.spec, settled.raw
    if raw != reading.plain:
        return list(dict.fromkeys((*failed_checks(reading.plain, spec), *settled.decided)))
    place = min(range(len(raw)), key=lambda i: reading.boxes[i][raw[i]])
    other = next(one for one in reading.boxes[place] if one != raw[place])
    names = failed_checks(raw[:place] + other + raw[place + 1 :], spec)
    between = [check.name for check in template.checks if spec.name in check.fields]
    return list(dict.fromkeys(names or between))
