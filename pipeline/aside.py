"""Places of a page on which its form fits almost as well: one box further on, or one row.

Rows of boxes lie upon themselves again when they are shifted by a box, but for one box a row. Where
some of a page's boxes are not seen, that one says where it lies, and nothing else does.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import Matrix, scaling, transform, translation
from pipeline.matching import PageRows, cell_at, lay_out
from pipeline.records import Points
from pipeline.template import FormTemplate

LEAST_ALIKE = 0.5
"""The share of boxes that lie upon boxes again under a shift worth asking about."""
MOST_SHIFTS = 8
NEAR = 0.3
"""How far boxes may be from where a shift puts others, in sides of a box."""
LEAD = 0.5
"""A page lies where it is taken to lie if a shift loses this share of what it loses on a form that
has all its boxes."""


@lru_cache(maxsize=512)
def alike_shifts(template: FormTemplate) -> tuple[Points, NDArray[np.float64]]:
    """Shifts that bring many of a form's boxes upon boxes again, and which share of them.

    Returns:
        (K, 2) in template pixels, those of the largest shares, and (K,).
    """
    layout = lay_out(template)
    centres, side = layout.centres, layout.side
    apart = (centres[:, None] - centres[None]).reshape(-1, 2)
    places = np.unique(np.rint(apart / (NEAR * side)), axis=0, return_inverse=True)[1].ravel()
    counts = np.bincount(places)
    middles = np.column_stack([np.bincount(places, each) / counts for each in apart.T])
    often = np.flatnonzero(
        (counts > LEAST_ALIKE / 2 * len(centres)) & (np.hypot(*middles.T) > side / 2)
    )
    shares = np.array([_share_on_boxes(centres, shift, side) for shift in middles[often]])
    best = np.argsort(-shares, kind="stable")[:MOST_SHIFTS]
    best = best[shares[best] >= LEAST_ALIKE]
    return middles[often][best], shares[best]


def _share_on_boxes(centres: Points, shift: Points, side: float) -> float:
    off = np.abs((centres + shift)[:, None] - centres[None]).max(axis=2).min(axis=1)
    return float((off < NEAR * side).mean())


def places_aside(template: FormTemplate, homography: Matrix) -> list[Matrix]:
    """Ways, (3, 3), to lay a page some boxes aside of where a homography has it."""
    return [homography @ translation(*shift) for shift in alike_shifts(template)[0].tolist()]


def turn_boxes(homography: Matrix, centres: Points) -> Matrix:
    """Lay boxes (N, 2) of a page where they are, upside down: (3, 3), as the homography is."""
    x, y = (centres.min(axis=0) + centres.max(axis=0)).tolist()
    return homography @ translation(x, y) @ scaling(-1, -1)


def least_lead(template: FormTemplate) -> float:
    """How many more boxes the right place has than one aside, at least; as a share of all."""
    return float(LEAD * (1 - alike_shifts(template)[1].max(initial=0.0)))


def is_beyond_doubt(page: PageRows, template: FormTemplate, homography: Matrix) -> bool:
    """Tell whether a page has clearly fewer of its cells wherever it is laid some boxes aside."""
    shifts, _ = alike_shifts(template)
    if not len(shifts):
        return True
    centres = lay_out(template).centres
    places = np.concatenate([centres[None], centres + shifts[:, None]])
    found = cell_at(page, transform(homography, places.reshape(-1, 2)).reshape(places.shape))
    own, *others = (found >= 0).mean(axis=1)
    return bool((np.array(others) < own * (1 - least_lead(template))).all())
