"""Page + FormTemplate to AlignedPage, with a residual measured on the printed frames.

The cells of the page, its markers, its features or its edges say roughly how it lies; the frames
of the boxes then say exactly, and whether it is this form at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from pipeline.aside import is_beyond_doubt
from pipeline.errors import AlignmentError
from pipeline.evidence import ask_witnesses
from pipeline.features import find_feature_homography
from pipeline.fit import (
    REACH,
    SEEN,
    Fit,
    settle_fields,
    summarise,
)
from pipeline.geometry import is_flat
from pipeline.growth import Match, grow
from pipeline.guesses import NEARLY, SAMPLE, find_guesses, settle_on_all, try_guesses
from pipeline.layout import find_layout_homographies, spread_fields
from pipeline.markers import find_tilted_homographies
from pipeline.matching import Place, lay_out
from pipeline.partial import align_part
from pipeline.records import AlignedPage
from pipeline.rivals import SURE_SUPPORT, weigh_other_ways, weigh_places_aside
from pipeline.sketch import Sketch
from pipeline.template import FieldSpec, FormTemplate
from pipeline.verdict import Alignment, judge

MATCHED = 0.5
"""With this share of a template's boxes among the page's cells their frames need no other look."""
LEAST_AGREEMENT = 0.2
"""How much a page's print must agree with its reference's where no frame is seen; nothing on such
a page is accepted."""
MOST_AGREE = 0.5
"""The share of features that must agree on where such a page lies."""
TILTED_GUESSES = 80


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
    match = None if place is None else grow(sketch.rows, lay_out(template), place)
    try:
        found = _align_whole(sketch, template, match, thorough=thorough)
    except AlignmentError:
        part = _align_part(sketch, template, match) if thorough else None
        if part is None:
            raise
        return part
    # Of a form that lies alike upside down a part tells no more than the whole.
    layout = lay_out(template)
    is_part = found.seen < len(layout.centres) and not layout.same_turned
    if found.page.residual_px is None and is_part and thorough:
        return _align_part(sketch, template, match) or found
    return found


def _align_part(sketch: Sketch, template: FormTemplate, match: Match | None) -> Alignment | None:
    return align_part(sketch, template, [] if match is None else [match.homography])


def _align_whole(
    sketch: Sketch, template: FormTemplate, match: Match | None, *, thorough: bool
) -> Alignment:
    """Find a page most of which the scan shows: by its cells, or by its frames."""
    if match is not None and match.share >= MATCHED and not lay_out(template).lone:
        misses = np.hypot(*match.offsets.T)
        fit = Fit(match.homography, match.share, *summarise(misses), moved_px=0.0)
        alignment = judge(sketch, template, fit, match)
        if alignment is not None:
            alignment = weigh_other_ways(sketch, template, alignment)
            if is_beyond_doubt(sketch.rows, template, alignment.page.homography):
                return alignment
            return weigh_places_aside(sketch, template, alignment)
    return _align_by_frames(sketch, template, match, thorough=thorough)


def _align_by_frames(
    sketch: Sketch, template: FormTemplate, match: Match | None, *, thorough: bool
) -> Alignment:
    """Try each rough way to lay the page on its form, and settle it on the frames."""
    fields = spread_fields(template.fields, SAMPLE)
    best: Alignment | None = None
    highest, settled = 0.0, False
    for alternatives, sure in find_guesses(sketch, template, match, thorough=thorough):
        found, support = try_guesses(sketch, template, alternatives, fields)
        highest = max(highest, support)
        if found is not None and (best is None or found.support > best.support):
            best, settled = found, sure
        # Markers and features are seldom wrong; rows of boxes may fit one box further on.
        if best is not None and (settled or best.support >= SURE_SUPPORT):
            break
    best = best and weigh_other_ways(sketch, template, best)
    if best is not None and not settled:
        best = weigh_places_aside(sketch, template, best)
    if best is None and thorough:
        best = _align_tilted(sketch, template, fields) or _align_by_ticks(sketch, template, fields)
    best = best or _match_by_print(sketch, template)
    if best is None:
        raise AlignmentError(_explain(highest, template))
    return best


def _align_tilted(
    sketch: Sketch, template: FormTemplate, fields: Sequence[FieldSpec]
) -> Alignment | None:
    """Lay a page that was photographed aslant, and shows only three of its markers."""
    if template.markers is None:
        return None
    guesses = find_tilted_homographies(sketch.image, template.markers, template.size)
    for guess in islice(guesses, TILTED_GUESSES):
        fit = settle_fields(sketch, guess, fields, REACH)
        found = settle_on_all(sketch, template, fit) if fit.support > NEARLY else None
        if found is not None:
            return found
    return None


def _align_by_ticks(
    sketch: Sketch, template: FormTemplate, fields: Sequence[FieldSpec]
) -> Alignment | None:
    """Lay a page whose boxes have ticks between them and no other lines.

    Rows of ticks one box aside of each other fit a page that is sheared: it has to lie flat.
    """
    for alternatives in find_layout_homographies(sketch, template, combs=True):
        fits = [settle_fields(sketch, guess, fields, REACH) for guess in alternatives]
        for fit in sorted(fits, key=lambda fit: -fit.support):
            found = settle_on_all(sketch, template, fit) if fit.support > NEARLY else None
            if found is not None and is_flat(found.page.homography, template.size):
                return weigh_places_aside(sketch, template, found)
    return None


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
