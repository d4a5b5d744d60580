"""Whether a page is the form that it was laid on, by what speaks for it and against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.aside import turn_boxes
from pipeline.evidence import ask_witnesses, has_lone_proof, is_all_of_it, is_bare, lacks_a_part
from pipeline.fit import Fit, find_fields
from pipeline.geometry import as_edges, edge_corners
from pipeline.growth import Match
from pipeline.matching import is_same_turned, lay_out
from pipeline.records import AlignedPage
from pipeline.rows import is_lone
from pipeline.sketch import Sketch
from pipeline.template import FormTemplate

EXACT = 0.015
"""The largest median distance of frames, as a share of the height of a box, where it has to prove
what support does not."""
HALF = 0.5
"""A page with less support may be another's, unless its frames fit exactly."""
MOST_RESIDUAL = 0.05
"""The largest median distance of frames after alignment, as a share of the height of a box."""
LONE_RESIDUAL = 0.03
"""The largest distance of four fifths of them, for a single row that nothing else confirms: boxes
of another shape do not fit it."""
MOST_DENIED = (0.2, 0.34)
"""The largest share of boxes that may not be there though something else is, and the same where
markers or a reference confirm the form."""
UPRIGHT = 0.1
"""How much more of the reference's print a page has than it would the other way up: frames that
lie alike both ways agree both ways."""
LEAST_SEEN = 0.25
"""The share of boxes that must be there, whatever the scan lacks."""


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

    @property
    def explained(self) -> float:
        """How many boxes speak for it, less those that speak against it."""
        return self.seen * self.support - self.denied


def is_exact(fit: Fit, template: FormTemplate) -> bool:
    """Tell whether frames are so near to where they should be that it is no chance."""
    return fit.residual_px < EXACT * lay_out(template).height


def judge(
    sketch: Sketch,
    template: FormTemplate,
    fit: Fit,
    match: Match | None,
    *,
    may_lack: bool = True,
) -> Alignment | None:
    """Weigh what speaks for and against a fit; None if it is not this form.

    Args:
        sketch: The page.
        template: The form.
        fit: How the page would lie.
        match: Which of its boxes have a cell, if that is known.
        may_lack: Whether the scan may show only a part of the page.
    """
    most = MOST_RESIDUAL if fit.support >= HALF else EXACT
    if fit.residual_px > most * lay_out(template).height:
        return None
    sizes = np.array([len(field.boxes) for field in template.fields])
    there, lacking, support = find_fields(sketch, template, fit.homography, match, sizes)
    bare = np.array(
        [
            may_lack and not seen and is_bare(sketch.rows, field, fit.homography)
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
    # A field with broken frames speaks half against it, where all else fits to a hair.
    against = np.where(there | bare, 0, np.where(lacking | (not is_exact(fit, template)), 2, 1))
    seen, denied = int(sizes[there].sum()), int((sizes * against).sum() // 2)
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
    same_turned = layout.same_turned
    if not there.all():
        same_turned = is_same_turned(layout.centres[np.repeat(there, sizes)], layout.side)
    upright = bool(witnesses.markers) or not same_turned
    if not upright and witnesses.reference is not None:
        lead = witnesses.reference - _agreement_turned(sketch, template, fit)
        if lead < -UPRIGHT:
            return None
        upright = lead > UPRIGHT
    residual_px = fit.residual_px if upright or layout.lone else None
    aligned = AlignedPage(sketch.page, fit.homography, residual_px, absent)
    return Alignment(aligned, seen, denied, support, witnesses.reference)


def _agreement_turned(sketch: Sketch, template: FormTemplate, fit: Fit) -> float:
    """How much of the reference's print the page would have if it lay the other way up."""
    turned = turn_boxes(fit.homography, lay_out(template).centres)
    agreement = ask_witnesses(sketch, template, turned).reference
    return agreement or 0.0


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
