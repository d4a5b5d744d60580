"""A batch against its roster: each page is given the one entry that fits, all pages at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pipeline.acceptance import Profile
from pipeline.checks.roster import Roster
from pipeline.decode import (
    ALIGNMENT,
    CHECK_FAILED,
    DECIDED_BY,
    DECIMALS,
    LOW_CONFIDENCE,
    box_rows,
)
from pipeline.decode.field import BoxView, text_probability
from pipeline.decode.meaning import failed_checks, mark_reasons, to_value
from pipeline.records import BoxRow, FieldResult, Flag, Mark, PageResult
from pipeline.template import FieldSpec, FormTemplate

NAME = "roster"
_IMPOSSIBLE = -1e6
"""Log-likelihood that stands for none, finite so that assigning can go on."""
Likelihoods = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Belonging:
    """What a page's boxes say about one entry of the list."""

    texts: tuple[str, ...]
    """How the entry stands in the boxes of each field."""
    posterior: float
    """The probability that it is this entry, and written right."""


def assign_rosters(
    results: Sequence[PageResult], templates: Sequence[FormTemplate], profile: Profile
) -> list[PageResult]:
    """Give each page of a batch the entry of its template's roster that it belongs to.

    No entry is given twice. A page on which something else is plainly written, or whose entry
    belongs to another page, keeps what is written and goes to a person.

    Args:
        results: One result a page.
        templates: Their forms.
        profile: What is accepted.

    Returns:
        The results in their order; those of templates without a roster as they were.
    """
    settled = list(results)
    for template in templates:
        places = [
            place
            for place, result in enumerate(results)
            if result.template == template.template_id and result.rostered
        ]
        if template.roster is None or not places:
            continue
        boxes = [dict(results[place].rostered) for place in places]
        found = assign(boxes, template.roster, template.writer_error)
        for place, belonging in zip(places, found, strict=True):
            settled[place] = _settle(results[place], belonging, template, profile)
    return settled


def assign(
    pages: Sequence[Mapping[str, Sequence[BoxView]]], roster: Roster, writer_error: float
) -> list[Belonging | None]:
    """Assign pages to entries so that all together are as probable as can be.

    That a page belongs to no entry, or that its writer made a mistake, is as probable as the
    template says writers break a check; a page on which an entry is that improbable gets none.

    Source: Kuhn, "The Hungarian method for the assignment problem", 1955, as SciPy has it.

    Args:
        pages: The boxes of the roster's fields, by field.
        roster: The list.
        writer_error: How often a page belongs to no entry, or is not written as there.
    """
    by_entry = np.array([_entry_likelihoods(page, roster) for page in pages])
    broken = log(writer_error / (1 - writer_error))
    alone = [
        broken
        + sum(log(text_probability(page[name], _plain(page[name]))) for name in roster.fields)
        for page in pages
    ]
    outside = np.full((len(pages), len(pages)), _IMPOSSIBLE)
    np.fill_diagonal(outside, alone)
    together = np.hstack([by_entry, outside])
    _, columns = linear_sum_assignment(together, maximize=True)
    return [
        Belonging(
            tuple(_place(code, page[name])[0] for name, code in _codes(roster, column)),
            _posterior(row, columns, together, len(roster.entries)),
        )
        if column < len(roster.entries)
        else None
        for row, (page, column) in enumerate(zip(pages, columns.tolist(), strict=True))
    ]


def _codes(roster: Roster, entry: int) -> list[tuple[str, str]]:
    return list(zip(roster.fields, roster.entries[entry], strict=True))


def _plain(boxes: Sequence[BoxView]) -> str:
    return "".join(next(iter(box)) for box in boxes)


def _entry_likelihoods(page: Mapping[str, Sequence[BoxView]], roster: Roster) -> Likelihoods:
    """Give the log-likelihood of every entry on one page."""
    total = np.zeros(len(roster.entries))
    for name, codes in zip(roster.fields, zip(*roster.entries, strict=True), strict=True):
        total += _code_likelihoods(codes, page[name])
    return np.maximum(total, _IMPOSSIBLE)


def _code_likelihoods(codes: Sequence[str], boxes: Sequence[BoxView]) -> Likelihoods:
    full = [place for place, code in enumerate(codes) if len(code) == len(boxes)]
    found = np.array(
        [
            0.0 if len(code) == len(boxes) else log(_place(code, boxes)[1] or 1e-300)
            for code in codes
        ]
    )
    digits = np.array([[int(digit) for digit in codes[place]] for place in full], np.intp)
    table = np.log(np.maximum([[box.get(d, 0.0) for d in "0123456789"] for box in boxes], 1e-300))
    if full:
        found[full] = table[np.arange(len(boxes)), digits].sum(axis=1)
    return found


def _place(code: str, boxes: Sequence[BoxView]) -> tuple[str, float]:
    """Find where in its boxes a code stands, the others being blank, and how probable that is."""
    spare = len(boxes) - len(code)
    texts = [Mark.BLANK * lead + code + Mark.BLANK * (spare - lead) for lead in range(spare + 1)]
    chances = [text_probability(boxes, text) for text in texts]
    best = max(range(len(texts)), key=chances.__getitem__)
    return texts[best], chances[best]


def _posterior(row: int, columns: NDArray[np.intp], together: Likelihoods, entries: int) -> float:
    """Weigh a page's entry against the free ones, none, and an exchange with another page."""
    own = together[row, columns[row]]
    free = np.ones(entries, bool)
    free[columns[columns < entries]] = False
    others = np.exp(together[row, :entries][free] - own).sum() + exp(
        together[row, entries + row] - own
    )
    for other, column in enumerate(columns):
        if other != row and column < entries:
            after = together[row, column] + together[other, columns[row]]
            others += exp(min(after - own - together[other, column], 0.0))
    return float(1 / (1 + others))


def _settle(
    result: PageResult, belonging: Belonging | None, template: FormTemplate, profile: Profile
) -> PageResult:
    """Write a page's entry into its fields and boxes."""
    boxes = dict(result.rostered)
    specs = {spec.name: spec for spec in template.fields}
    texts = dict(zip(boxes, belonging.texts, strict=True)) if belonging else {}
    sure = belonging.posterior if belonging else 0.0
    fields = []
    alone = result.unassigned or result.fields
    for field in alone:
        if field.field not in boxes:
            fields.append(field)
        elif field.field not in texts:
            reasons = (*_without_decisions(field.reasons), f"{CHECK_FAILED}:{NAME}")
            fields.append(replace(field, flag=Flag.REVIEW, reasons=reasons))
        else:
            accept = profile.threshold(template.template_id, field.field, checked=True)
            product = text_probability(boxes[field.field], texts[field.field])
            confidence = round(profile.field_map.confidence(product, sure), DECIMALS)
            by_itself = profile.field_map.confidence(product, product)
            taken = replace(field, raw=texts[field.field], confidence=confidence)
            decided = taken.raw != _plain(boxes[field.field]) or by_itself < accept <= confidence
            fields.append(_flag(taken, specs[field.field], confidence >= accept, decided))
    rows = _rows(result, fields, boxes)
    return replace(result, fields=tuple(fields), boxes=rows, unassigned=alone)


def _without_decisions(reasons: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(reason for reason in reasons if not reason.startswith(DECIDED_BY))


def _flag(field: FieldResult, spec: FieldSpec, sure: bool, decided: bool) -> FieldResult:
    """Say what still speaks against a field that has got its entry."""
    reasons = [
        *(reason for reason in field.reasons if reason == ALIGNMENT),
        *mark_reasons(field.raw, spec),
        *(f"{CHECK_FAILED}:{name}" for name in failed_checks(field.raw, spec)),
        *([] if sure else [LOW_CONFIDENCE]),
    ]
    flag = Flag.REVIEW if reasons else Flag.ACCEPTED
    reasons += [f"{DECIDED_BY}:{NAME}"] if decided else []
    value = to_value(field.raw, spec)
    return replace(field, value=value, flag=flag, reasons=tuple(reasons))


def _rows(
    result: PageResult, fields: Sequence[FieldResult], boxes: Mapping[str, Sequence[BoxView]]
) -> tuple[BoxRow, ...]:
    """Give the rows of all boxes, those of the entry's fields anew."""
    old = {
        field.field: [row for row in result.boxes if row.field == field.field] for field in fields
    }
    new = {
        field.field: box_rows(field.field, boxes[field.field], field.raw)
        for field in fields
        if field.field in boxes
    }
    return tuple(row for rows in (old | new).values() for row in rows)
