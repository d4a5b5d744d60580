"""Pages whose fields were settled on their neighbours' frames: a code read from the second box on.

Where the page's alignment is off by half a box, the nearest frames may be those one box further
on, and all that is measured on them fits. But then some fields were moved one way to their frames
and others the other way, by more than a template is drawn wrong or paper bends.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.frames import FieldsView
from pipeline.geometry import as_edges
from pipeline.template import FieldSpec

UNEVEN = 0.6
"""How far fields may be moved against each other, as a share of a box: a template drawn by hand
moved them by 0.45, and one box too far by 0.74 and more."""


def is_astray(view: FieldsView, fields: Sequence[FieldSpec]) -> bool:
    """Tell whether some fields of a page lie on frames that are not theirs; which, nobody can say.

    Args:
        view: The fields as settled on their frames.
        fields: The template's.
    """
    expected = np.concatenate([as_edges(field.boxes) for field in fields])
    size = np.median(expected[:, 2:] - expected[:, :2], axis=0)
    moves = view.strips.groups.middles(view.printed() - expected)
    moves = (moves[:, :2] + moves[:, 2:]) / (2 * size)
    return bool((np.ptp(moves, axis=0) > UNEVEN).any()) or _lacks_an_end(view)


def _lacks_an_end(view: FieldsView) -> bool:
    """Tell whether in most fields the first box, or in most the last, has no line of its own."""
    left, top, right, bottom = view.frames.seen.T
    groups = view.strips.groups
    level = top | bottom
    ends = groups.starts, groups.starts + groups.counts - 1
    bare = [~(own | level)[end] for own, end in zip((left, right), ends, strict=True)]
    return any(2 * np.count_nonzero(each) > len(each) for each in bare)
