"""Page + FormTemplate to AlignedPage, with a residual measured on the printed frames.

Markers, features or the layout of the boxes say roughly how a page lies; the frames of the boxes
themselves then say exactly, and whether it is this form at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import AlignmentError
from pipeline.features import find_feature_homography
from pipeline.frames import view_fields
from pipeline.geometry import Matrix, as_edges, bounding_box, edge_corners
from pipeline.layout import find_layout_homographies
from pipeline.markers import find_marker_homographies
from pipeline.records import AlignedPage, Page, Points
from pipeline.template import FieldSpec, FormTemplate

BOX_PX = 32
"""Strip pixels to the height of a box: frames are found as well as on larger strips."""
REACH = 0.42
"""How far a frame may be from where a guess puts it, as a share of the height of a box."""
LEAST_SUPPORT = 0.85
"""The share of frame lines that must be seen where they belong."""
PROMISING = 0.6
"""The share from which a guess is followed up."""
SURE_SUPPORT = 0.97
"""With this share no other layout is tried: a wrong one hardly ever sees as much."""
MOST_RESIDUAL = 0.05
"""The largest median distance of frames after alignment, as a share of the height of a box."""
MARKER_GUESSES = 12
NEAR = 0.08
"""A guess off by less than this, as a share of the height of a box, need not be refined twice."""
SAMPLE = 5
"""How many fields, spread over the page, decide about a guess."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    homography: Matrix
    support: float
    residual_px: float
    moved_px: float
    """How far the guess was off, in the median."""


def align(page: Page, template: FormTemplate) -> tuple[AlignedPage, float]:
    """Find how a page lies under its scan.

    Args:
        page: The decoded page.
        template: The form it is taken for.

    Returns:
        The page with its homography and residual, and the share of frame lines that were seen.

    Raises:
        AlignmentError: If the printed frames are not where the template says.
    """
    fields = spread_fields(template.fields, SAMPLE)
    best: _Fit | None = None
    for alternatives in _guesses(page, template):
        fits = [_try(page, guess, fields) for guess in alternatives]
        fit = _refine(page, max(fits, key=lambda fit: fit.support), fields)
        if best is None or fit.support > best.support:
            best = fit
        # Markers and features are seldom wrong; a layout may fit one box further on.
        if best.support >= (SURE_SUPPORT if len(alternatives) > 1 else LEAST_SUPPORT):
            break
    if best is None or not _is_good(best, fields):
        raise AlignmentError(_explain(best, template))
    return AlignedPage(page, best.homography, best.residual_px), best.support


def spread_fields(fields: Sequence[FieldSpec], count: int) -> list[FieldSpec]:
    """Choose some fields that lie far from each other, those of many boxes first."""
    centres = np.array([_centre(field) for field in fields])
    chosen = [int(np.argmax([len(field.boxes) for field in fields]))]
    while len(chosen) < min(count, len(fields)):
        distances = np.linalg.norm(centres[:, None] - centres[chosen], axis=2).min(axis=1)
        chosen.append(int(np.argmax(distances)))
    return [fields[i] for i in chosen]


def _centre(field: FieldSpec) -> tuple[float, float]:
    box = bounding_box(field.boxes)
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _guesses(page: Page, template: FormTemplate) -> Iterator[list[Matrix]]:
    """Rough homographies, the cheapest and surest way first; the best of each list is meant."""
    if template.markers:
        found = find_marker_homographies(page.image, template.markers, template.size)
        yield from ([guess] for guess in islice(found, MARKER_GUESSES))
    if template.reference:
        matched = find_feature_homography(page.image, template.reference, template.size)
        if matched is not None:
            yield [matched]
    yield from find_layout_homographies(page.image, template)


def _try(page: Page, guess: Matrix, fields: Sequence[FieldSpec]) -> _Fit:
    """Settle a guess, on all fields only if the first of them is there at all."""
    first = _settle(page, guess, fields[:1], REACH)
    return first if first.support < PROMISING else _settle(page, guess, fields, REACH)


def _refine(page: Page, first: _Fit, fields: Sequence[FieldSpec]) -> _Fit:
    """Move a promising fit onto the printed frames once more, and measure what is left."""
    if first.support < PROMISING or first.moved_px < NEAR * _box_height(fields):
        return first
    return _settle(page, first.homography, fields, REACH / 2)


def _settle(page: Page, guess: Matrix, fields: Sequence[FieldSpec], reach: float) -> _Fit:
    boxes = [field.boxes for field in fields]
    view = view_fields(page.image, guess, boxes, reach=reach, box_px=BOX_PX)
    expected = edge_corners(np.concatenate([as_edges(each) for each in boxes]))
    printed = edge_corners(view.printed())
    found = (view.frames.seen & np.roll(view.frames.seen, 1, axis=1)).ravel()
    support = float(view.frames.support.mean())
    correction = _fit_correction(expected[found], printed[found])
    if correction is None:
        return _Fit(guess, support, np.inf, np.inf)
    misses = np.linalg.norm(_apply(correction, expected[found]) - printed[found], axis=1)
    moved = np.linalg.norm(expected[found] - printed[found], axis=1)
    return _Fit(guess @ correction, support, float(np.median(misses)), float(np.median(moved)))


def _fit_correction(expected: Points, printed: Points) -> Matrix | None:
    """A similarity or affine map from where corners should be to where they are."""
    if len(expected) < 4:
        return None
    spread = np.ptp(expected, axis=0)
    if spread.min() > 0.25 * spread.max():
        affine, _ = cv2.estimateAffine2D(expected, printed, ransacReprojThreshold=3.0)
    else:
        affine, _ = cv2.estimateAffinePartial2D(expected, printed, ransacReprojThreshold=3.0)
    return None if affine is None else np.vstack([affine, (0.0, 0.0, 1.0)])


def _apply(matrix: NDArray[np.float64], points: Points) -> Points:
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def _is_good(fit: _Fit, fields: Sequence[FieldSpec]) -> bool:
    return fit.support >= LEAST_SUPPORT and fit.residual_px <= MOST_RESIDUAL * _box_height(fields)


def _box_height(fields: Sequence[FieldSpec]) -> float:
    return float(np.median([box.height for field in fields for box in field.boxes]))


def _explain(best: _Fit | None, template: FormTemplate) -> str:
    form = template.template_id
    if best is None or best.support < LEAST_SUPPORT:
        seen = 0 if best is None else round(100 * best.support)
        return (
            f"not recognised as {form!r}: only {seen} % of its printed frames were found. "
            "Check that it is this form, and scan the whole page."
        )
    return (
        f"the frames of {form!r} are {best.residual_px:.1f} px off after alignment. "
        "Scan the page again, flat and whole."
    )
