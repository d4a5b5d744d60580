"""Which form a page is: the one whose boxes it has, or none, or nobody can tell."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.align import align
from pipeline.errors import AlignmentError
from pipeline.matching import Place, find_places
from pipeline.printed import prefer_by_print
from pipeline.records import AlignedPage, Page
from pipeline.sketch import Sketch
from pipeline.template import FormTemplate
from pipeline.verdict import Alignment

Candidate = tuple[FormTemplate, Place | None, float]
"""A template, where its boxes may be, and its merit."""
RIVAL = 0.7
"""A template with this share of the best one's merit may be the better one after all."""
MOST_FAILURES = (8, 4)
"""So many templates are tried, those likeliest first, before a page is given up; and so many in
the thorough way, which takes ten times as long."""
AHEAD = 0.06
"""How many more of its boxes than its rival's the better template has, as a share of them."""


def choose(page: Page, templates: Sequence[FormTemplate]) -> tuple[FormTemplate, AlignedPage]:
    """Find a page's template, and how it lies.

    Args:
        page: The decoded page.
        templates: The forms it may be.

    Raises:
        AlignmentError: If it is none of them, or two fit alike.
    """
    sketch = Sketch(page, templates)
    ranked = rank(sketch, templates)
    found, failures = _try_in_turn(sketch, ranked, thorough=len(ranked) == 1)
    if not found and len(ranked) > 1:
        found, failures = _try_in_turn(sketch, ranked, thorough=True)
    elif len(ranked) > 1 and all(each.page.residual_px is None for _, each in found):
        again = [each for each in ranked if any(each[0] is template for template, _ in found)]
        found = _try_in_turn(sketch, again, thorough=True)[0] or found
    if all(alignment.page.residual_px is None for _, alignment in found):
        # Its frames may be told by their tone alone.
        by_tone = Sketch(page, templates, by_tone=True)
        likely = [each for each in rank(by_tone, templates) if each[1] is not None]
        seen, _ = _try_in_turn(by_tone, likely, thorough=False)
        found = [each for each in seen if each[1].page.residual_px is not None] or found
    if not found:
        raise AlignmentError(failures[0] if len(ranked) == 1 else _explain_none(templates))
    template, alignment = _best(sketch, found)
    return template, alignment.page


def _try_in_turn(
    sketch: Sketch, ranked: Sequence[Candidate], *, thorough: bool
) -> tuple[list[tuple[FormTemplate, Alignment]], list[str]]:
    """Align to the likeliest templates, and to their rivals where that succeeds."""
    found: list[tuple[FormTemplate, Alignment]] = []
    failures: list[str] = []
    enough = -1.0
    for template, place, merit in ranked:
        if (found and merit <= enough) or len(failures) >= MOST_FAILURES[thorough]:
            break
        try:
            alignment = align(sketch, template, place, thorough=thorough)
        except AlignmentError as error:
            failures.append(str(error))
            continue
        found.append((template, alignment))
        if alignment.page.residual_px is not None:
            enough = max(enough, RIVAL * merit)
    return found, failures


def rank(sketch: Sketch, templates: Sequence[FormTemplate]) -> list[Candidate]:
    """Sort templates by how many of their boxes the page may have, against how many it lacks.

    Those none of whose rows is on the page come last, the format most like the page's first.
    """
    places = find_places(sketch.rows, tuple(templates))
    ranked = [
        (template, place, _merit(template, place))
        for template, place in zip(templates, places, strict=True)
    ]
    return sorted(ranked, key=lambda each: (-each[2], _format_difference(sketch, each[0])))


def _merit(template: FormTemplate, place: Place | None) -> float:
    boxes = sum(len(field.boxes) for field in template.fields)
    return 0.0 if place is None else max(boxes * (1.5 * place.share - 0.5), 0.0)


def _format_difference(sketch: Sketch, template: FormTemplate) -> float:
    height, width = sorted(sketch.image.shape)
    least, most = sorted(template.size)
    return float(abs(height / width - least / most))


def _best(
    sketch: Sketch, found: Sequence[tuple[FormTemplate, Alignment]]
) -> tuple[FormTemplate, Alignment]:
    """Choose the template that explains most of the page.

    Raises:
        AlignmentError: If that is as true of another.
    """
    first, *others = sorted(found, key=lambda each: -each[1].explained)
    if first[1].page.residual_px is None:
        return max(found, key=lambda each: each[1].agreement or 0.0)
    for other in others:
        if first[1].explained - other[1].explained > AHEAD * first[1].seen:
            continue
        preferred = prefer_by_print(
            sketch,
            *((template, alignment.page.homography) for template, alignment in (first, other)),
        )
        if preferred is None:
            raise AlignmentError(_explain_two(first[0], other[0]))
        first = (first, other)[preferred]
    return first


def _explain_none(templates: Sequence[FormTemplate]) -> str:
    names = ", ".join(template.template_id for template in templates)
    return (
        f"matches none of the {len(templates)} templates ({names}). "
        "Add its template, or scan the page again, flat and whole."
    )


def _explain_two(one: FormTemplate, other: FormTemplate) -> str:
    return (
        f"fits {one.template_id!r} and {other.template_id!r} alike. Give both a reference image "
        "that shows how they differ, or read its pages with one of them alone."
    )
