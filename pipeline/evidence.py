"""What speaks for and against a page being a form, once it is known how it would lie.

Frames that are there speak for it, and frames that are not where other print is speak against it;
a part of the page that the scan does not show says nothing. A single row of boxes looks like many
others, so it needs another witness: the markers, the reference, or the edges of the page.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.geometry import Matrix, bounding_box, local_scale, transform
from pipeline.growth import is_cell_at
from pipeline.marker_witness import see_markers
from pipeline.matching import BoxLayout, PageRows
from pipeline.printed import agreement_of, look_up, reference_print
from pipeline.records import Points
from pipeline.sketch import Sketch
from pipeline.template import FieldSpec, FormTemplate

BARE = 0.04
"""Print that covers less than this share of an area is none: the scan shows no form there."""
GRID = 400
"""A page is looked at for print in so many steps along its longer side."""
SIDE = (24, 6)
"""An area is looked at in so many places across and down."""
AGREEMENT = (0.1, 0.4)
"""With less agreement than this, above chance, a page's print is not its reference's; with more
it is."""
EDGES = 0.15
"""How far the corners of a page may be from those of its scan or of its paper, as a share of the
longer side."""
STRETCH = 1.05
"""How many times as much a lone row may be enlarged in one direction as in the other: paper and
printers do less, and a form with boxes of another shape needs more."""
ALIKE = 1.25
"""How many times as large other boxes may be, or as small, to be like those of a lone row."""
OUTSIDE = 0.1
"""The share of a scan's cells that may lie outside the page, on what is around it."""
MARGIN = 0.02
"""Print this far outside, as a share of the longer side, may still be the page's."""


@dataclass(frozen=True, slots=True, eq=False)
class Witnesses:
    """What markers, reference and edges say; None where there is nothing to ask."""

    markers: bool | None
    reference: float | None
    """How much more than by chance the print agrees, 1 at most."""

    @property
    def print_agrees(self) -> bool:
        """Tell whether what is printed around the boxes is the reference's."""
        return self.reference is not None and self.reference >= AGREEMENT[1]

    @property
    def confirm(self) -> bool:
        """Tell whether one of them recognises the form."""
        return bool(self.markers) or self.print_agrees

    @property
    def deny(self) -> bool:
        """Tell whether one of them says it is another."""
        unlike = self.reference is not None and self.reference < AGREEMENT[0]
        return (self.markers is False or unlike) and not self.confirm


def ask_witnesses(sketch: Sketch, template: FormTemplate, homography: Matrix) -> Witnesses:
    """Look for the markers and the reference's print where they would be."""
    markers = reference = None
    if template.markers:
        markers = see_markers(sketch.image, template.markers, template.size, homography)
    if template.reference:
        points = reference_print(template)
        reference = agreement_of(sketch.rows, points, homography, template.size)
    return Witnesses(markers, reference)


def is_bare(page: PageRows, field: FieldSpec, homography: Matrix) -> bool:
    """Tell whether the scan does not show the place of a field: it is outside, or unprinted."""
    area = bounding_box(field.boxes)
    x, y = np.meshgrid(
        np.linspace(area.left, area.right, SIDE[0] * len(field.boxes)),
        np.linspace(area.top, area.bottom, SIDE[0]),
    )
    seen, inside = look_up(page, transform(homography, np.column_stack([x.ravel(), y.ravel()])))
    return bool(inside.mean() < 0.5 or seen[inside].mean() < BARE)


def lacks_a_part(
    page: PageRows,
    homography: Matrix,
    size: tuple[float, float],
    *,
    there: Points,
    absent: Points,
) -> bool:
    """Tell whether a scan lacks one part of a page, cut off, torn off or covered.

    Then a line parts what is there from what is not, and beyond it there is no print at all;
    between the fields of another form there is.

    Args:
        page: The page's print.
        homography: (3, 3), template pixels to scan pixels.
        size: Template (height, width).
        there: Points of the boxes that are there, (N, 2), in template pixels.
        absent: Points of those that are not, likewise.
    """
    step = max(size) / GRID
    grid = np.meshgrid(np.arange(0, size[1], step), np.arange(0, size[0], step))
    places = np.column_stack([axis.ravel() for axis in grid]).astype(np.float64)
    for angle in np.arange(0, 2 * np.pi, np.pi / 8):
        away = np.array([np.cos(angle), np.sin(angle)])
        edge = (absent @ away).min()
        if edge < (there @ away).max():
            continue
        beyond = places[places @ away >= edge]
        seen, inside = look_up(page, transform(homography, beyond))
        if not inside.any() or seen[inside].mean() < BARE / 2:
            return True
    return False


def has_lone_proof(
    sketch: Sketch, template: FormTemplate, layout: BoxLayout, homography: Matrix
) -> bool:
    """Tell whether a single row of boxes lies where the page's edges say, and ends as it should."""
    first, last = layout.centres[[0, -1]]
    step = (last - first) / max(len(layout.centres) - 1, 1)
    beyond = np.array([first - step, last + step])
    if is_cell_at(sketch.rows, beyond, layout.sizes[[0, -1]], homography).any():
        return False
    if _has_other_rows(sketch.rows, layout, homography):
        return False
    page = transform(homography, _corners_of(template.size))
    length = max(sketch.image.shape)
    turned = [np.roll(page, turn, axis=0) for turn in range(4)]
    scan = _corners_of(sketch.image.shape)
    if _stretch(homography, layout.centres) < STRETCH and any(
        np.hypot(*(each - scan).T).max() < EDGES * length for each in turned
    ):
        return True
    outline = sketch.outline
    return outline is not None and any(_is_like(each, outline, length) for each in turned)


def _has_other_rows(page: PageRows, layout: BoxLayout, homography: Matrix) -> bool:
    """Tell whether there are rows of such boxes where the template has none."""
    rows = page.rows
    back = np.asarray(np.linalg.inv(homography), np.float64)
    middles = transform(back, (rows.starts + rows.ends) / 2)
    reach = layout.sizes.max(axis=0)
    inside = (middles > layout.centres.min(axis=0) - reach) & (
        middles < layout.centres.max(axis=0) + reach
    )
    side = layout.side * local_scale(homography, tuple(layout.centres.mean(axis=0)))
    alike = np.abs(np.log(np.sqrt(rows.along * rows.across) / side)) < np.log(ALIKE)
    return bool((alike & ~inside.all(axis=1)).any())


def is_all_of_it(sketch: Sketch, template: FormTemplate, homography: Matrix) -> bool:
    """Tell whether what is printed on the scan like boxes lies on the page."""
    if not len(sketch.rows.cells):
        return True
    margin = MARGIN * max(template.size)
    back = np.asarray(np.linalg.inv(homography), np.float64)
    places = transform(back, sketch.rows.cells.centres)
    beyond = (places < -margin) | (places > np.array(template.size[::-1]) + margin)
    return bool(beyond.any(axis=1).mean() <= OUTSIDE)


def _corners_of(size: tuple[float, ...]) -> Points:
    height, width = size
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)


def _stretch(homography: Matrix, points: Points) -> float:
    """How many times as much a page is enlarged along one direction as along another."""
    middle = points.mean(axis=0)
    unit = np.array([(0, 0), (1, 0), (0, 1)], np.float64)
    origin, right, down = transform(homography, middle + unit)
    sizes = np.linalg.svd(np.array([right - origin, down - origin]), compute_uv=False)
    return float(sizes[0] / sizes[1])


def _is_like(page: Points, outline: Points, length: float) -> bool:
    """Tell whether two quadrilaterals, corners (4, 2), have about the same place and format."""
    sides = [
        np.hypot(*(each - np.roll(each, 1, axis=0)).T).reshape(2, 2).mean(axis=0)
        for each in (page, outline)
    ]
    ratio = sides[0] / sides[1]
    misses = np.hypot(*(page - outline).T)
    return bool(misses.max() < EDGES * length and ratio.max() < STRETCH * ratio.min())
