"""Other places at which a page would fit: upside down, or some boxes aside."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from pipeline.aside import least_lead, places_aside
from pipeline.fit import PROMISING, REACH, settle_fields
from pipeline.geometry import Matrix
from pipeline.guesses import SAMPLE, find_guesses, try_guesses
from pipeline.layout import spread_fields
from pipeline.matching import lay_out
from pipeline.sketch import Sketch
from pipeline.template import FormTemplate
from pipeline.verdict import Alignment, judge

SURE_SUPPORT = 0.97
"""With this share no other layout is tried: a wrong one hardly ever sees as much."""
MOST_OTHER_WAYS = 6
CLEARLY = 0.1
"""Another place must have so many more of its boxes, as a share of them."""
MOST_STEPS_ASIDE = 3


def weigh_other_ways(sketch: Sketch, template: FormTemplate, best: Alignment) -> Alignment:
    """The better place by markers or reference of a page some of whose boxes are not there.

    Most of a form's boxes may lie on boxes the other way up; then some have no partner.
    """
    fields = spread_fields(template.fields, SAMPLE)
    guesses = islice(find_guesses(sketch, template, None, thorough=False), MOST_OTHER_WAYS)
    while best.denied and (guess := next(guesses, None)):
        found = try_guesses(sketch, template, guess[0], fields)[0]
        more = 0 if found is None else found.seen - found.denied - best.seen + best.denied
        best = found if found is not None and more > CLEARLY * best.seen else best
    return best


def weigh_places_aside(sketch: Sketch, template: FormTemplate, best: Alignment) -> Alignment:
    """The better place of a page that would fit some boxes aside too.

    Where both are as good, nobody can tell which it is: its fields go to a person.
    """
    own = _lay_at(sketch, template, best.page.homography)
    if lay_out(template).lone or (own is not None and _is_whole(own, template)):
        return best
    for _ in range(MOST_STEPS_ASIDE):
        aside = [
            _lay_at(sketch, template, place)
            for place in places_aside(template, best.page.homography)
        ]
        rivals = [rival for rival in aside if rival is not None]
        better = max(rivals, key=lambda each: each.explained, default=None)
        if better is None or (own is not None and own.explained >= better.explained):
            break
        best = own = better
    lead = least_lead(template)
    if own is None or any(own.explained - rival.explained < lead * own.seen for rival in rivals):
        return replace(best, page=replace(best.page, residual_px=None))
    return best


def _lay_at(sketch: Sketch, template: FormTemplate, place: Matrix) -> Alignment | None:
    """Settle a page near a place; None if the form is not there."""
    fit = settle_fields(sketch, place, template.fields, REACH)
    return judge(sketch, template, fit, None) if fit.support > PROMISING else None


def _is_whole(alignment: Alignment, template: FormTemplate) -> bool:
    boxes = sum(len(field.boxes) for field in template.fields)
    return alignment.support >= SURE_SUPPORT and alignment.seen == boxes
