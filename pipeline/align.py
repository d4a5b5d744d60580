"""Page + FormTemplate to AlignedPage, with a residual measured on the printed frames.

The cells of the page, its markers, its features or its edges say roughly how it lies; the frames
of the boxes then say exactly, and whether it is this form at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import AlignmentError
from pipeline.evidence import ask_witnesses, has_lone_proof, is_all_of_it, is_bare, lacks_a_part
from pipeline.features import find_feature_homography
from pipeline.fit import (
    PROMISING,
    REACH,
    SEEN,
    Fit,
    find_fields,
    refine,
    settle_fields,
    summarise,
)
from pipeline.geometry import Matrix, as_edges, edge_corners
from pipeline.growth import Match, grow
from pipeline.layout import find_layout_homographies, spread_fields
from pipeline.markers import find_marker_homographies
from pipeline.matching import Place, lay_out
from pipeline.records import AlignedPage
from pipeline.rows import is_lone
from pipeline.sketch import Sketch
from pipeline.template import FormTemplate

MATCHED = 0.5
"""With this share of a template's boxes among the page's cells their frames need no other look."""
SURE_SUPPORT = 0.97
"""With this share no other layout is tried: a wrong one hardly ever sees as much."""
MOST_RESIDUAL = 0.05
"""The largest median distance of frames after alignment, as a share of the height of a box."""
LONE_RESIDUAL = 0.03
"""The largest distance of four fifths of them, for a single row that nothing else confirms: boxes
of another shape do not fit it."""
MOST_DENIED = (0.2, 0.34)
"""The largest share of boxes that may not be there though something else is, and the same where
markers or a reference confirm the form."""
LEAST_SEEN = 0.25
"""The share of boxes that must be there, whatever the scan lacks."""
LEAST_AGREEMENT = 0.2
"""How much a page's print must agree with its reference's where no frame is seen; nothing on such
a page is accepted."""
MOST_AGREE = 0.5
"""The share of features that must agree on where such a page lies."""
MARKER_GUESSES = 12
SAMPLE = 5
"""How many fields, spread over the page, decide about a guess."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A page on a form, and how well its frames speak for that."""

    page: AlignedPage
    seen: int
    """Boxes of fields that are there."""
    denied: int
    """Boxes of fields that are not, though something else is printed in their place."""
    support: float
    """The share of boxes, or of their lines, that were found."""
    agreement: float | None
    """How much more than by chance its print agrees with the reference's."""


def align(
    sketch: Sketch, template: FormTemplate, place: Place | None, *, thorough: bool = True
) -> Alignment:
    """Find how a page lies under its scan.

    Args:
        sketch: The page.
        template: The form it is taken for.
        place: Where its boxes may be, if that is known.
        thorough: Whether to search the page for the layout of its boxes where nothing quicker
            finds them.

    Returns:
        The page with its homography and residual, and how well it fits.

    Raises:
        AlignmentError: If the printed frames are not where the template says.
    """
    layout = lay_out(template)
    match = None if place is None else grow(sketch.rows, layout, place)
    if match is not None and match.share >= MATCHED and not layout.lone:
        misses = np.hypot(*match.offsets.T)
        fit = Fit(match.homography, match.share, *summarise(misses), moved_px=0.0)
        alignment = _judge(sketch, template, fit, match)
        if alignment is not None:
            return alignment
    return _align_by_frames(sketch, template, match, thorough=thorough)


def _align_by_frames(
    sketch: Sketch, template: FormTemplate, match: Match | None, *, thorough: bool
) -> Alignment:
    """Try each rough way to lay the page on its form, and settle it on the frames."""
    fields = spread_fields(template.fields, SAMPLE)
    best: Alignment | None = None
    highest = 0.0
    for alternatives, sure in _guesses(sketch, template, match, thorough=thorough):
        fits = [settle_fields(sketch.image, guess, fields, REACH) for guess in alternatives]
        fit = refine(sketch.image, max(fits, key=lambda fit: fit.support), fields)
        highest = max(highest, fit.support)
        found = _judge(sketch, template, fit, None) if fit.support > PROMISING else None
        if found is not None and (best is None or found.support > best.support):
            best = found
        # Markers and features are seldom wrong; rows of boxes may fit one box further on.
        if best is not None and (sure or best.support >= SURE_SUPPORT):
            break
    best = best or _match_by_print(sketch, template)
    if best is None:
        raise AlignmentError(_explain(highest, template))
    return best


def _match_by_print(sketch: Sketch, template: FormTemplate) -> Alignment | None:
    """Lay a page on its reference by what is printed around boxes too pale to be seen themselves.

    Nothing is measured on frames, so every field of such a page goes to a person.
    """
    if template.reference is None:
        return None
    found = find_feature_homography(sketch.features, template.reference, template.size)
    if found is None or found.agreeing < MOST_AGREE:
        return None
    witnesses = ask_witnesses(sketch, template, found.homography)
    if (witnesses.reference or 0.0) < LEAST_AGREEMENT:
        return None
    aligned = AlignedPage(sketch.page, found.homography, None)
    return Alignment(aligned, seen=0, denied=0, support=0.0, agreement=witnesses.reference)


def _guesses(
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
    if thorough:
        yield from ((found, False) for found in find_layout_homographies(sketch, template))


def _judge(
    sketch: Sketch, template: FormTemplate, fit: Fit, match: Match | None
) -> Alignment | None:
    """Weigh what speaks for and against a fit; None if it is not this form."""
    if fit.residual_px > MOST_RESIDUAL * lay_out(template).height:
        return None
    sizes = np.array([len(field.boxes) for field in template.fields])
    there, support = find_fields(sketch, template, fit.homography, match, sizes)
    bare = np.array(
        [
            not seen and is_bare(sketch.rows, field, fit.homography)
            for seen, field in zip(there, template.fields, strict=True)
        ]
    )
    if bare.any() and there.any():
        corners = edge_corners(as_edges([box for field in template.fields for box in field.boxes]))
        of_corner = np.repeat(np.arange(len(sizes)), 4 * sizes)
        is_part = lacks_a_part(
            sketch.rows,
            fit.homography,
            template.size,
            there=corners[there[of_corner]],
            absent=corners[bare[of_corner]],
        )
        bare &= is_part
    seen, denied = int(sizes[there].sum()), int(sizes[~there & ~bare].sum())
    if seen < LEAST_SEEN * sizes.sum():
        return None
    witnesses = ask_witnesses(sketch, template, fit.homography)
    if witnesses.deny or denied > MOST_DENIED[witnesses.confirm] * (seen + denied):
        return None
    if not witnesses.confirm and not _is_alone_enough(
        sketch, template, fit, np.repeat(there, sizes)
    ):
        return None
    layout = lay_out(template)
    absent = frozenset(f.name for f, gone in zip(template.fields, bare, strict=True) if gone)
    # Nobody can tell which way up such a page lies: what is read of it goes to a person.
    upright = witnesses.confirm or not layout.same_turned
    residual_px = fit.residual_px if upright or layout.lone else None
    aligned = AlignedPage(sketch.page, fit.homography, residual_px, absent)
    return Alignment(aligned, seen, denied, support, witnesses.reference)


def _is_alone_enough(
    sketch: Sketch, template: FormTemplate, fit: Fit, there: NDArray[np.bool_]
) -> bool:
    """Tell whether boxes that are there prove the form without markers or reference."""
    layout = lay_out(template)
    if not is_lone(layout.centres[there], layout.side):
        is_near = fit.residual_px < LONE_RESIDUAL * lay_out(template).height
        return is_near and is_all_of_it(sketch, template, fit.homography)
    is_exact = fit.worst_px < LONE_RESIDUAL * lay_out(template).height
    whole = bool(there.all()) and is_exact
    return whole and has_lone_proof(sketch, template, layout, fit.homography)


def _explain(highest: float, template: FormTemplate) -> str:
    form = template.template_id
    if highest < SEEN:
        return (
            f"not recognised as {form!r}: only {round(100 * highest)} % of the printed frames "
            "looked for were found. Check that it is this form, and scan the whole page."
        )
    return (
        f"not recognised as {form!r}: it has boxes like that form's, but not as it has them, or "
        "other print where they should be. Check that it is this form, and scan the whole page."
    )
