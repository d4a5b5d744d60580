"""What of a page its scan shows, once it is known how the page lies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.evidence import AGREEMENT, ALIKE
from pipeline.fit import BOX_PX, REACH
from pipeline.frames import view_fields
from pipeline.geometry import Matrix, as_edges, edge_corners, local_scale, transform
from pipeline.lacking import ANGLES
from pipeline.matching import PageRows, lay_out
from pipeline.printed import LEAST_POINTS, agreement_of, loose_print
from pipeline.records import Points
from pipeline.sketch import Sketch
from pipeline.template import FormTemplate

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


def print_points(page: PageRows) -> Points:
    """Where something is printed on a scan, (N, 2), in scan pixels."""
    print_ = page.cells.print
    height, width = (max(1, side // BLOCK) for side in print_.shape)
    small = cv2.resize(print_, (width, height), interpolation=cv2.INTER_AREA)
    y, x = np.nonzero(small > 255 * PRINTED)
    return np.asarray((np.column_stack([x, y]) + 0.5) * BLOCK * page.cells.factor, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What a scan shows of a page: what lies on one side of a line."""

    boxes: NDArray[np.bool_]
    """(N,): the boxes on that side."""
    there: NDArray[np.bool_]
    """(N,): those whose frames are seen, on whichever side."""
    away: Points
    """(2,): the direction of what is not shown."""
    edge: float
    """How far the page is shown in that direction, in template pixels."""


def find_shown(
    sketch: Sketch, template: FormTemplate, homography: Matrix, prints: Points
) -> Shown | None:
    """Find the line beyond which a scan shows nothing printed of a page.

    Of the lines that are possible, that on whose side most boxes are where they should be.
    """
    boxes = [field.boxes for field in template.fields]
    view = view_fields(sketch.image, homography, boxes, reach=REACH / 2, box_px=BOX_PX)
    corners = edge_corners(as_edges([box for field in boxes for box in field]))
    on_scan = transform(homography, corners)
    in_bounds = (on_scan >= 0) & (on_scan <= sketch.image.shape[::-1])
    inside = in_bounds.reshape(len(corners) // 4, 8).all(axis=1, keepdims=True)
    seen = view.frames.seen.sum(axis=1) >= SEEN_LINES
    there = inside & seen[:, None]
    away = np.array([np.cos(ANGLES), np.sin(ANGLES)])
    on_page = transform(np.asarray(np.linalg.inv(homography), np.float64), prints)
    on_page = on_page[((on_page >= 0) & (on_page <= template.size[::-1])).all(axis=1)]
    if not len(on_page):
        return None
    edge = np.quantile(on_page @ away, LAST, axis=0)
    far = (corners @ away).reshape(len(there), 4, -1).max(axis=1)
    expected = inside & (far <= edge - TEAR * lay_out(template).side)
    shown = expected | (there & (far <= edge))
    merit = (shown & there).sum(axis=0) - 2 * (shown & ~there).sum(axis=0)
    best = int(merit.argmax())
    return Shown(shown[:, best], there[:, 0], away[:, best], float(edge[best]))


def text_agrees(sketch: Sketch, template: FormTemplate, homography: Matrix, shown: Shown) -> bool:
    """Tell whether what a scan shows beside the boxes is what the reference has there."""
    points = loose_print(template)
    points = points[points @ shown.away < shown.edge]
    if len(points) < LEAST_POINTS:
        return False
    agreement = agreement_of(sketch.rows, points, homography, template.size)
    return agreement is not None and agreement >= AGREEMENT[1]


def part_of(template: FormTemplate, shown: NDArray[np.bool_]) -> FormTemplate:
    """A template without the boxes that are not shown, nor single ones of longer fields."""
    fields, start = [], 0
    for field in template.fields:
        end = start + len(field.boxes)
        boxes = tuple(box for box, each in zip(field.boxes, shown[start:end], strict=True) if each)
        start = end
        if len(boxes) > 1 or len(boxes) == len(field.boxes):
            fields.append(replace(field, boxes=boxes))
    return replace(template, fields=tuple(fields))


def sides_off(homography: Matrix, size: tuple[float, float], shape: tuple[int, ...]) -> float:
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


def unexplained(page: PageRows, template: FormTemplate, homography: Matrix) -> float:
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
