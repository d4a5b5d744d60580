"""A page of which the scan shows only a part: half of it is cut off, torn off, folded or covered.

Tried where a page as a whole is not found. The boxes that the scan does not show are taken out of
the template, and what is left must be there without an exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np

from pipeline.aside import least_lead, places_aside, turn_boxes
from pipeline.fit import REACH, Fit, settle_fields
from pipeline.geometry import Matrix, local_scale, transform
from pipeline.growth import grow
from pipeline.layout import find_layout_homographies, find_part_homographies
from pipeline.marker_witness import are_dark
from pipeline.matching import PageRows, Place, cell_at, lay_out, propose, with_parts
from pipeline.records import Points
from pipeline.remnant import find_shown, part_of, print_points, sides_off, text_agrees, unexplained
from pipeline.sketch import Sketch
from pipeline.template import FormTemplate
from pipeline.verdict import MOST_DENIED, Alignment, judge

MOST_PLACES = 20
"""How many places are looked at."""
FEW_ROWS = 8
"""Where a page has fewer rows of cells, read both ways, its boxes are looked for."""
MOST_CLOSED, CLEAR = 0.5, 0.95
"""Where fewer of its boxes are cells, so large a share of their lines must be seen."""
MOST_GROWN = 40
NEARBY = 1.0
"""Places are thinned out that differ by less, in sides of a box."""
MOST_LOOK_UPS = 2_000_000
LEAST_BOXES = 10
"""So many boxes must be there where a reference's print does not confirm the form, and so large a
share of all."""
LEAST_SHARE = 0.2
LEAST_CONFIRMED = 5
LEAST_MARKERS = 2
"""So many of its markers say where a page lies."""
UNEXPLAINED = 0.15
"""The share of boxes in rows on the scan that may be none of the form's."""
SIDES = 0.04
"""How far three sides of the page may be from those of the scan, as a share of its longer side."""
RIVAL = 0.75
"""Another place that explains so large a share of what the best explains may be the right one."""
NEARER = 0.5
"""Unless the sides of the scan are as far from the page's as this share says."""
APART = 0.3
"""Places that differ by less than this, in sides of a box, are one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A place of a page that its boxes speak for."""

    part: FormTemplate
    """The template without the boxes that the scan does not show."""
    alignment: Alignment
    fit: Fit
    sides: float
    """How far the page's sides are from the scan's, all but the farthest."""
    text: bool
    """Whether a reference's print says that it is this form."""
    marked: bool
    """Whether markers say where it lies."""

    @property
    def confirmed(self) -> bool:
        """Tell whether more than boxes and edges speaks for it."""
        return self.text or self.marked


def align_part(
    sketch: Sketch, template: FormTemplate, guesses: Iterable[Matrix]
) -> Alignment | None:
    """Find how a page lies of which the scan shows a part.

    Args:
        sketch: The page.
        template: The form it is taken for.
        guesses: Rough homographies, (3, 3), template pixels to scan pixels.

    Returns:
        The page with its homography and residual, and the fields that are not wholly on the scan;
        None if there is too little of it to be sure.
    """
    prints = print_points(sketch.rows)
    tried = _apart(template, chain(guesses, _places(sketch.rows, template)))
    found = list(filter(None, (_try(sketch, template, guess, prints) for guess in tried)))
    if not found and len(sketch.rows.rows) < FEW_ROWS:
        whole = chain.from_iterable(find_layout_homographies(sketch, template))
        parts = find_part_homographies(sketch, template)
        tried = _apart(template, chain(parts, whole))
        found = list(filter(None, (_try(sketch, template, guess, prints) for guess in tried)))
    if not found:
        return None
    best = max(found, key=_merit)
    own = best.fit.homography
    around = _apart(template, [own, *_turned(best, template), *places_aside(template, own)])
    rivals = (_try(sketch, template, guess, prints) for guess in islice(around, 1, None))
    found += filter(None, rivals)
    best = max(found, key=_merit)
    return _decide(template, best, found) if _is_sound(sketch, template, best) else None


def _merit(candidate: _Candidate) -> tuple[bool, float]:
    return candidate.confirmed, candidate.alignment.explained


def _is_sound(sketch: Sketch, template: FormTemplate, best: _Candidate) -> bool:
    """Tell whether there is enough of a page to know it by, and nothing else on it."""
    if unexplained(sketch.rows, template, best.fit.homography) > UNEXPLAINED:
        return False
    if not (best.marked or best.sides < SIDES):
        return False
    alignment, boxes = best.alignment, len(lay_out(template).centres)
    # Lines of text may look like the sides of boxes, and print like other print: cells do not.
    there = transform(best.fit.homography, lay_out(best.part).centres)
    if not best.marked and (cell_at(sketch.rows, there) >= 0).mean() < MOST_CLOSED:
        return best.text and alignment.support >= CLEAR
    if best.text:
        return alignment.seen >= LEAST_CONFIRMED
    return alignment.seen >= max(LEAST_BOXES, LEAST_SHARE * boxes) and not alignment.denied


def _decide(template: FormTemplate, best: _Candidate, found: Sequence[_Candidate]) -> Alignment:
    """Take the best place; nothing is sure on the page if another may be the right one."""
    own = best.fit.homography
    rivals = (
        other
        for other in found
        if _is_apart(template, own, other.fit.homography)
        and (other.confirmed or not best.confirmed)
        and best.sides > NEARER * other.sides
    )
    doubtful = lay_out(template).same_turned and not best.confirmed
    doubtful |= any(_is_as_good(best, other) for other in rivals)
    residual_px = None if doubtful else best.fit.residual_px
    return replace(best.alignment, page=replace(best.alignment.page, residual_px=residual_px))


def _is_as_good(best: _Candidate, other: _Candidate) -> bool:
    """Tell whether a page may lie otherwise, turned or some boxes aside."""
    ways = [each.fit.homography[:2, 0] for each in (best, other)]
    lead = 1 - RIVAL if ways[0] @ ways[1] <= 0 else least_lead(best.part)
    gap = best.alignment.explained - other.alignment.explained
    return bool(gap < lead * best.alignment.explained)


def _try(
    sketch: Sketch, template: FormTemplate, guess: Matrix, prints: Points
) -> _Candidate | None:
    """Settle the part of a page that is shown near a guess; None if it is not this form."""
    fit = settle_fields(sketch, guess, template.fields, REACH)
    if not np.isfinite(fit.residual_px):
        return None
    fit = settle_fields(sketch, fit.homography, template.fields, REACH / 2)
    shown = find_shown(sketch, template, fit.homography, prints)
    if shown is None or shown.boxes.all():
        return None
    count, denied = shown.boxes.sum(), (shown.boxes & ~shown.there).sum()
    if count < LEAST_CONFIRMED or denied > MOST_DENIED[1] * count:
        return None
    part = part_of(template, shown.boxes)
    if not part.fields:
        return None
    fit = settle_fields(sketch, fit.homography, part.fields, REACH / 2)
    alignment = judge(sketch, part, fit, None, may_lack=False)
    if alignment is None:
        return None
    text = text_agrees(sketch, template, fit.homography, shown)
    marked = template.markers is not None and (
        sum(are_dark(sketch.image, template.markers, fit.homography)) >= LEAST_MARKERS
    )
    sides = sides_off(fit.homography, template.size, sketch.image.shape)
    sizes = [len(field.boxes) for field in template.fields]
    whole = np.logical_and.reduceat(shown.boxes, np.cumsum([0, *sizes[:-1]]))
    lost = {field.name for field, each in zip(template.fields, whole, strict=True) if not each}
    page = replace(alignment.page, absent=alignment.page.absent | lost)
    return _Candidate(part, replace(alignment, page=page), fit, sides, text, marked)


def _places(page: PageRows, template: FormTemplate) -> Iterator[Matrix]:
    """Places (3, 3) at which boxes have cells, those of most boxes first."""
    layout = lay_out(template)
    rows, _ = with_parts(page.rows, layout.rows)
    wanted, _ = with_parts(layout.rows, page.rows)
    tries, row = propose(rows, wanted)
    if not len(tries):
        return
    few = len(tries) * len(layout.centres) < MOST_LOOK_UPS
    sample = layout.centres if few else layout.sample
    points = sample @ tries[:, :, :2].swapaxes(1, 2) + tries[:, None, :, 2]
    shares = (cell_at(page, points) >= 0).mean(axis=1)
    order = np.argsort(-shares, kind="stable")
    ends = points[order][:, [0, -1]].reshape(len(order), 4) / (NEARBY * layout.side)
    _, first = np.unique(
        np.rint(ends / np.hypot(*tries[order, :, 0].T)[:, None]), axis=0, return_index=True
    )
    for index in order[np.sort(first)[:MOST_GROWN]].tolist():
        origin = (wanted.starts[row[index]] + wanted.ends[row[index]]) / 2
        homography = np.vstack([tries[index], (0.0, 0.0, 1.0)])
        yield grow(page, layout, Place(float(shares[index]), homography, origin)).homography


def _turned(candidate: _Candidate, template: FormTemplate) -> list[Matrix]:
    """Ways to lay the page upside down, (3, 3): the boxes that are shown, or its edges."""
    edges = np.array([(0, 0), template.size[::-1]], np.float64)
    own = candidate.fit.homography
    return [turn_boxes(own, points) for points in (lay_out(candidate.part).centres, edges)]


def _apart(template: FormTemplate, guesses: Iterable[Matrix]) -> Iterator[Matrix]:
    """Guesses that differ from those before them."""
    kept: list[Matrix] = []
    for guess in guesses:
        if all(_is_apart(template, guess, other) for other in kept):
            kept.append(guess)
            yield guess
        if len(kept) >= MOST_PLACES:
            break


def _is_apart(template: FormTemplate, one: Matrix, other: Matrix) -> bool:
    """Tell whether two homographies put a page's boxes at different places."""
    layout = lay_out(template)
    ends = layout.centres[[0, -1]]
    off = np.hypot(*(transform(one, ends) - transform(other, ends)).T)
    return bool(off.max() > APART * layout.side * local_scale(one, tuple(ends[0])))
