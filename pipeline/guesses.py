"""Rough ways to lay a page on its form, and how one is settled on the printed frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pipeline.aside import turn_boxes
from pipeline.features import find_feature_homography
from pipeline.fit import PROMISING, REACH, Fit, refine, settle_fields
from pipeline.geometry import Matrix
from pipeline.growth import Match
from pipeline.layout import find_layout_homographies
from pipeline.markers import find_marker_homographies
from pipeline.matching import lay_out
from pipeline.sketch import Sketch
from pipeline.template import FieldSpec, FormTemplate
from pipeline.verdict import Alignment, is_exact, judge

NEARLY = 0.4
"""With this support a guess that does not settle is tried on all fields."""
MARKER_GUESSES = 12
SAMPLE = 5
"""How many fields, spread over the page, decide about a guess."""


def find_guesses(
    sketch: Sketch, template: FormTemplate, match: Match | None, *, thorough: bool
) -> Iterator[tuple[list[Matrix], bool]]:
    """Rough homographies, the cheapest way first; the best of each list is meant.

    With each, whether a page that fits it needs no comparison with others.
    """
    if match is not None and match.share >= PROMISING:
        yield [match.homography], False
    if template.markers:
        found = find_marker_homographies(sketch.image, template.markers, template.size)
        yield from (([guess], True) for guess in islice(found, MARKER_GUESSES))
    if template.reference:
        matched = find_feature_homography(sketch.features, template.reference, template.size)
        if matched is not None:
            yield [matched.homography], True
    if match is not None and lay_out(template).same_turned:
        yield [turn_boxes(match.homography, lay_out(template).centres)], False
    if thorough:
        yield from ((found, False) for found in find_layout_homographies(sketch, template))


def try_guesses(
    sketch: Sketch,
    template: FormTemplate,
    alternatives: Sequence[Matrix],
    fields: Sequence[FieldSpec],
) -> tuple[Alignment | None, float]:
    """Settle the best of some guesses on the frames; and how much of these was seen."""
    fits = [settle_fields(sketch, guess, fields, REACH) for guess in alternatives]
    fit = refine(sketch, max(fits, key=lambda fit: fit.support), fields)
    found = judge(sketch, template, fit, None) if fit.support > PROMISING else None
    if found is None and fit.support > NEARLY:
        found = settle_on_all(sketch, template, fit)
    return found, fit.support


def settle_on_all(sketch: Sketch, template: FormTemplate, fit: Fit) -> Alignment | None:
    """Settle a page on all fields, which say more than the few that decide about guesses."""
    for _ in range(2):
        fit = settle_fields(sketch, fit.homography, template.fields, REACH)
    return judge(sketch, template, fit, None) if is_exact(fit, template) else None
