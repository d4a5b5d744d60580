"""Fields that were settled on what is not their frames.

Where frames are broken or pale, upright strokes in the middles of the boxes may look more like
their sides than what is left of these. Such a field moved by almost half a box, and the page's
others did not: it is looked for again, where they are.

Where the page's alignment is off by half a box, the nearest frames may be those one box further
on, and all that is measured on them fits: a code is read from the second box on. But then some
fields were moved one way to their frames and others the other way, by more than a template is
drawn wrong or paper bends. Or, where all boxes are as wide, the last of every row stands where
nothing is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.frames import FieldsView, settle
from pipeline.geometry import Edges, as_edges
from pipeline.template import FieldSpec

UNEVEN = 0.6
"""How far fields may be moved against each other, as a share of a box: a template drawn by hand
moved them by 0.45, and one box too far by 0.74 and more."""

ENDS = 0.65
"""How much must be seen of the first boxes of all rows, and of the last, as a share of what is seen
of those between; on pages in place it is 0.8 and more, and one box aside 0.55 and less."""
FOUND = 0.5
"""Fields with less of their frames say nothing of it, nor do those of fewer boxes than three."""
ALONE = 0.3
"""How far along its row a field may be moved otherwise than the page's others before it is looked
for where they are, likewise: fields of a template drawn by hand differed by 0.24."""
NEARBY = 0.15
"""How far it may then be from there."""
AS_GOOD = 0.6
"""How much of a frame must be there, against what was seen where it went: a template drawn by hand
has fields that do stand elsewhere."""


def call_back(view: FieldsView) -> FieldsView:
    """Look again for fields that were moved otherwise than the page's others, where those are.

    Args:
        view: The fields as settled on their frames, each for itself.

    Returns:
        The same, those fields moved that have their frames there too. A page that is astray stays
        as it is: which of its fields are at home, nobody can say.
    """
    groups, expected = view.strips.groups, view.strips.edges
    size = np.median(expected[:, 2:] - expected[:, :2], axis=0)
    moves = groups.middles(view.frames.edges - expected)
    usual = np.median(moves, axis=0)
    off = _relative(moves - usual, size)
    alone = np.abs(off[:, 0]) > ALONE
    if not alone.any() or _is_uneven(off):
        return view
    strips = replace(view.strips, edges=expected + usual)
    again = settle(view.lines, strips, NEARBY * float(size.min()))
    back = alone & (again.support >= AS_GOOD * view.frames.support)
    return replace(view, frames=view.frames.taking(again, back, groups))


def is_astray(
    view: FieldsView, specs: Sequence[FieldSpec], shown: NDArray[np.bool_] | None = None
) -> bool:
    """Tell whether some fields of a page lie on frames that are not theirs; which, nobody can say.

    Args:
        view: The fields as settled on their frames.
        specs: The template's fields.
        shown: (F,): those that the scan shows, if not all: the others say nothing.
    """
    expected = np.concatenate([as_edges(spec.boxes) for spec in specs])
    size = np.median(expected[:, 2:] - expected[:, :2], axis=0)
    moves = _relative(view.strips.groups.middles(view.printed() - expected), size)
    asked = np.ones(len(specs), bool) if shown is None else shown
    return bool(asked.any()) and (_is_uneven(moves[asked]) or _lacks_ends(view, asked))


def _lacks_ends(view: FieldsView, asked: NDArray[np.bool_]) -> bool:
    """Tell whether there is nothing around the boxes at one end of the rows."""
    groups, seen = view.strips.groups, view.frames.seen
    telling = asked & (groups.counts > 2) & (view.frames.support >= FOUND)
    first = groups.starts[telling]
    last = first + groups.counts[telling] - 1
    between = telling[groups.of_box]
    between[first] = between[last] = False
    if not between.any():
        return False
    usual = seen[between][:, [1, 3]].mean()
    ends = seen[first][:, [0, 1, 3]].mean(), seen[last][:, [1, 2, 3]].mean()
    return bool(min(ends) < ENDS * usual)


def _is_uneven(moves: NDArray[np.float64]) -> bool:
    return bool((np.ptp(moves, axis=0) > UNEVEN).any())


def _relative(moves: Edges, size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moves (F, 4) as shares of a box: (F, 2), along and across."""
    return np.asarray((moves[:, :2] + moves[:, 2:]) / (2 * size), np.float64)
