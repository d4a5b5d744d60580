"""A page of which the scan shows only a part: half of it is cut off, torn off, folded or covered.

Tried where a page as a whole is not found. The boxes that the scan does not show are taken out of
the template, and what is left must be there without an exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.aside import places_aside
from pipeline.evidence import ALIKE, ask_witnesses
from pipeline.fit import BOX_PX, REACH, Fit, settle_fields
from pipeline.frames import view_fields
from pipeline.geometry import (
    Matrix,
    as_edges,
    edge_corners,
    local_scale,
    scaling,
    transform,
    translation,
)
from pipeline.growth import grow
from pipeline.lacking import ANGLES
from pipeline.matching import PageRows, Place, cell_at, lay_out, propose, with_parts
from pipeline.records import Points
from pipeline.sketch import Sketch
from pipeline.template import FormTemplate
from pipeline.verdict import MOST_DENIED, Alignment, judge

MOST_PLACES = 12
"""How many places are looked at."""
MOST_GROWN = 40
NEARBY = 1.0
"""Places are thinned out that differ by less, in sides of a box."""
MOST_LOOK_UPS = 2_000_000
BLOCK = 4
"""Print is looked at in squares of so many pixels."""
PRINTED = 0.1
"""The share of a square that is dark if something is printed there."""
LAST = 0.998
"""All print but this share's rest lies on the part that is shown: there are specks on the other."""
TEAR = 1.0
"""How near to the edge of what is shown a box may be lost, in its sides."""
SEEN_LINES = 3
"""Lines that are seen of a box that is there."""
LEAST_BOXES = 10
"""So many boxes must be there where neither markers nor a reference confirm the form, and so large
a share of all."""
LEAST_SHARE = 0.2
LEAST_CONFIRMED = 5
UNEXPLAINED = 0.15
"""The share of boxes in rows on the scan that may be none of the form's, likewise."""
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
    confirmed: bool
    """Whether markers or a reference say that it is this form."""


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
    prints = _print_points(sketch.rows)
    tried = list(_apart(template, chain(guesses, _places(sketch.rows, template))))
    found = [_try(sketch, template, guess, prints) for guess in tried]
    best = max(filter(None, found), key=_merit, default=None)
    if best is None:
        return None
    own = best.fit.homography
    around = _apart(template, [own, _turned(best), *places_aside(template, own)])
    found += [_try(sketch, template, guess, prints) for guess in islice(around, 1, None)]
    return _decide(template, [each for each in found if each is not None])


def _merit(candidate: _Candidate) -> float:
    return candidate.alignment.explained


def _decide(template: FormTemplate, found: Sequence[_Candidate]) -> Alignment | None:
    """The place that explains most of the page; nothing is sure on it if another may be right."""
    best = max(found, key=lambda each: (each.confirmed, _merit(each)))
    residual_px: float | None = best.fit.residual_px
    for other in found:
        is_same = not _is_apart(template, best.fit.homography, other.fit.homography)
        if is_same or (best.confirmed and not other.confirmed):
            continue
        if _merit(other) >= RIVAL * _merit(best) and best.sides > NEARER * other.sides:
            residual_px = None
    return replace(
        best.alignment, page=replace(best.alignment.page, residual_px=residual_px)
    )


def _try(
    sketch: Sketch, template: FormTemplate, guess: Matrix, prints: Points
) -> _Candidate | None:
    """Settle the part of a page that is shown near a guess; None if it is not this form."""
    fit = settle_fields(sketch.image, guess, template.fields, REACH)
    if not np.isfinite(fit.residual_px):
        return None
    fit = settle_fields(sketch.image, fit.homography, template.fields, REACH / 2)
    shown, there = _shown(sketch, template, fit.homography, prints)
    denied = (shown & ~there).sum()
    if shown.all() or shown.sum() < LEAST_CONFIRMED or denied > MOST_DENIED[1] * shown.sum():
        return None
    part = _part_of(template, shown)
    fit = settle_fields(sketch.image, fit.homography, part.fields, REACH / 2)
    alignment = judge(sketch, part, fit, None, may_lack=False)
    if alignment is None or alignment.seen < LEAST_CONFIRMED:
        return None
    confirmed = ask_witnesses(sketch, part, fit.homography).confirm
    sides = _sides_off(fit.homography, template.size, sketch.image.shape)
    if not confirmed:
        enough = max(LEAST_BOXES, LEAST_SHARE * len(shown))
        if alignment.seen < enough or alignment.denied or sides > SIDES:
            return None
        if _unexplained(sketch.rows, template, fit.homography) > UNEXPLAINED:
            return None
    sizes = [len(field.boxes) for field in template.fields]
    whole = np.logical_and.reduceat(shown, np.cumsum([0, *sizes[:-1]]))
    lost = {field.name for field, each in zip(template.fields, whole, strict=True) if not each}
    page = replace(alignment.page, absent=alignment.page.absent | lost)
    return _Candidate(part, replace(alignment, page=page), fit, sides, confirmed)


def _print_points(page: PageRows) -> Points:
    """Where something is printed on a scan, (N, 2), in scan pixels."""
    print_ = page.cells.print
    height, width = (max(1, side // BLOCK) for side in print_.shape)
    small = cv2.resize(print_, (width, height), interpolation=cv2.INTER_AREA)
    y, x = np.nonzero(small > 255 * PRINTED)
    return np.asarray((np.column_stack([x, y]) + 0.5) * BLOCK * page.cells.factor, np.float64)


def _shown(
    sketch: Sketch, template: FormTemplate, homography: Matrix, prints: Points
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The boxes (N,) on that side of a line beyond which a scan shows nothing printed.

    Of the lines that are possible, that on whose side most boxes are where they should be.

    Returns:
        Those boxes, and those whose frames are there.
    """
    boxes = [field.boxes for field in template.fields]
    view = view_fields(sketch.image, homography, boxes, reach=REACH / 2, box_px=BOX_PX)
    corners = edge_corners(as_edges([box for field in boxes for box in field]))
    on_scan = transform(homography, corners)
    inside = ((on_scan >= 0) & (on_scan <= sketch.image.shape[::-1])).all(axis=1)
    inside = inside.reshape(-1, 4).all(axis=1)[:, None]
    there = inside & (view.frames.seen.sum(axis=1) >= SEEN_LINES)[:, None]
    away = np.array([np.cos(ANGLES), np.sin(ANGLES)])
    on_page = transform(np.asarray(np.linalg.inv(homography), np.float64), prints)
    on_page = on_page[((on_page >= 0) & (on_page <= template.size[::-1])).all(axis=1)]
    if not len(on_page):
        return there[:, 0], there[:, 0]
    edge = np.quantile(on_page @ away, LAST, axis=0)
    far = (corners @ away).reshape(len(there), 4, -1).max(axis=1)
    expected = inside & (far <= edge - TEAR * lay_out(template).side)
    shown = expected | (there & (far <= edge))
    merit = (shown & there).sum(axis=0) - 2 * (shown & ~there).sum(axis=0)
    return np.asarray(shown[:, merit.argmax()], np.bool_), there[:, 0]


def _part_of(template: FormTemplate, shown: NDArray[np.bool_]) -> FormTemplate:
    """A template without the boxes that are not shown, nor single ones of longer fields."""
    fields, start = [], 0
    for field in template.fields:
        end = start + len(field.boxes)
        boxes = tuple(box for box, each in zip(field.boxes, shown[start:end], strict=True) if each)
        start = end
        if len(boxes) > 1 or len(boxes) == len(field.boxes):
            fields.append(replace(field, boxes=boxes))
    return replace(template, fields=tuple(fields))


def _sides_off(homography: Matrix, size: tuple[float, float], shape: tuple[int, ...]) -> float:
    """How far the page's sides are from the scan's, all but the farthest, as a share of its longer.

    Measured at the middles of the page's sides.
    """
    height, width = size
    middles = np.array([(width / 2, 0), (width, height / 2), (width / 2, height), (0, height / 2)])
    x, y = transform(homography, middles).T
    scan_height, scan_width = shape
    gaps = np.array([np.abs(y), np.abs(x - scan_width), np.abs(y - scan_height), np.abs(x)])
    scale = local_scale(homography, (width / 2, height / 2))
    turned = [gaps[(np.arange(4) + turn) % 4, np.arange(4)] for turn in range(4)]
    return min(float(np.sort(each)[2]) for each in turned) / (scale * max(size))


def _unexplained(page: PageRows, template: FormTemplate, homography: Matrix) -> float:
    """The share of the boxes on a scan, in rows, that are none of the template's."""
    layout, rows = lay_out(template), page.rows
    side = layout.side * local_scale(homography, tuple(layout.centres.mean(axis=0)))
    alike = np.abs(np.log(np.sqrt(rows.along * rows.across) / side)) < np.log(ALIKE)
    rows = rows.pick(alike)
    if not len(rows):
        return 0.0
    back = np.asarray(np.linalg.inv(homography), np.float64)
    ends = transform(back, np.concatenate([rows.starts, rows.ends]))
    off = np.hypot(*(ends[:, None] - layout.centres[None]).transpose(2, 0, 1)).min(axis=1)
    known = (off < layout.side / 2).reshape(2, -1).all(axis=0)
    return float(rows.counts[~known].sum() / rows.counts.sum())


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
    _, first = np.unique(np.rint(ends / np.hypot(*tries[order, :, 0].T)[:, None]), axis=0, return_index=True)
    for index in order[np.sort(first)[:MOST_GROWN]].tolist():
        origin = (wanted.starts[row[index]] + wanted.ends[row[index]]) / 2
        homography = np.vstack([tries[index], (0.0, 0.0, 1.0)])
        yield grow(page, layout, Place(float(shares[index]), homography, origin)).homography


def _turned(candidate: _Candidate) -> Matrix:
    """The way to lay the same boxes upside down, (3, 3)."""
    centres = lay_out(candidate.part).centres
    x, y = (centres.min(axis=0) + centres.max(axis=0)).tolist()
    return candidate.fit.homography @ translation(x, y) @ scaling(-1, -1)


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
