"""A template's boxes matched with a page's cells: which form it is, and how it lies.

A row of boxes and a row of cells with as many give a hypothesis each way round; the one under
which most boxes find a cell is grown over the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.cells import Cells
from pipeline.geometry import Matrix
from pipeline.quantiles import median
from pipeline.records import Points
from pipeline.rows import LEAST, Rows, find_rows, is_lone, join_rows
from pipeline.template import FormTemplate

SHAPES = (0.72, 1.12)
"""How much of a box's side its cell may show: lines take some, a page held askew foreshortens."""
SAME = 0.8
"""The share of boxes that lie upon boxes again when a form is turned that looks alike then."""
SAMPLE = 24
"""How many boxes a hypothesis is tried on."""
UPRIGHT = float(np.cos(np.deg2rad(6)))
"""Sides of boxes that are this near to a right angle are at one: writing pulls at their corners."""
MOST_TRIES = 20000
MOST_LENGTHS = 6
OVERHANG = 0.2
LEAST_SHARE = 0.25
"""A place where fewer boxes have a cell is none."""
CLEAR = 0.4
"""Where more have one, no parts of rows are tried."""
NEAR = 0.4
"""How far off a cell may be to be a box's at first, as a share of the box's smaller side."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxLayout:
    """A template's boxes as they are matched: (B, 2)."""

    centres: Points
    sizes: Points
    side: float
    """The median of their sides."""
    rows: Rows
    sample: Points
    """(SAMPLE, 2): centres that stand for all."""
    same_turned: bool
    """Whether the boxes lie upside down as they lie upright."""
    lone: bool
    """Whether they lie in a single row."""
    height: float
    """The median of the boxes' heights."""


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """The rows of several templates (T) in one, so that a page is compared with all at once."""

    rows: Rows
    of_row: NDArray[np.intp]
    """(R,): whose row it is."""
    samples: Points
    """(T, SAMPLE, 2)."""
    sizes: NDArray[np.float64]
    """(T, 2): heights and widths of their pages."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A guess where a template's boxes are, and what share of some of them has a cell there."""

    share: float
    homography: Matrix
    origin: Points
    """(2,): the middle of the row that it is guessed from, in template pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class PageRows:
    """A page's cells, where they are, and their rows read in each of the four directions."""

    cells: Cells
    rows: Rows
    owner: NDArray[np.int16]
    """For each pixel of a coarse page the cell whose middle is there, or -1."""
    pitch: float
    """Scan pixels to one of `owner`."""


@lru_cache(maxsize=512)
def lay_out(template: FormTemplate) -> BoxLayout:
    """Give a template's boxes as they are matched."""
    boxes = [box for field in template.fields for box in field.boxes]
    centres = np.array([((b.left + b.right) / 2, (b.top + b.bottom) / 2) for b in boxes])
    sizes = np.array([(box.width, box.height) for box in boxes])
    flat = np.zeros(len(boxes))
    rows = find_rows(
        centres, np.column_stack([sizes[:, 0], flat]), np.column_stack([flat, sizes[:, 1]])
    )
    sample = centres[np.linspace(0, len(boxes) - 1, SAMPLE).astype(np.intp)]
    side = median(sizes)
    return BoxLayout(
        centres,
        sizes,
        side,
        rows,
        sample,
        same_turned=is_same_turned(centres, side),
        lone=is_lone(centres, side),
        height=median(sizes[:, 1]),
    )


def is_same_turned(centres: Points, side: float) -> bool:
    """Tell whether turning the boxes round their middle brings most of them upon boxes again."""
    turned = centres.min(axis=0) + centres.max(axis=0) - centres
    nearest = np.hypot(*(turned[:, None] - centres[None]).transpose(2, 0, 1)).min(axis=1)
    return bool((nearest < side / 2).mean() >= SAME)


@lru_cache(maxsize=64)
def bind(templates: tuple[FormTemplate, ...]) -> Book:
    """Put templates together."""
    layouts = [lay_out(template) for template in templates]
    counts = [len(layout.rows) for layout in layouts]
    return Book(
        join_rows([layout.rows for layout in layouts]),
        np.repeat(np.arange(len(layouts)), counts),
        np.array([layout.sample for layout in layouts]),
        np.array([template.size for template in templates], np.float64),
    )


def read_rows(cells: Cells) -> PageRows:
    """Find the rows of a page's cells, whichever way the page is turned."""
    across = find_rows(cells.centres, cells.rights, cells.downs)
    upright = find_rows(cells.centres, cells.downs, -cells.rights)
    rows = join_rows([across, across.reversed(), upright, upright.reversed()])
    least = np.minimum(np.hypot(*cells.rights.T), np.hypot(*cells.downs.T))
    pitch = median(least) / 6 if len(cells) else 1.0
    height, width = (round(n * cells.factor / pitch) + 1 for n in cells.print.shape)
    owner = np.full((height, width), -1, np.int16)
    places = np.rint(cells.centres / pitch).astype(int).tolist()
    for cell, (place, side) in enumerate(zip(places, least.tolist(), strict=True)):
        cv2.circle(owner, place, max(1, round(NEAR * side / pitch)), cell, thickness=-1)
    return PageRows(cells, rows, owner, pitch)


def find_places(page: PageRows, templates: tuple[FormTemplate, ...]) -> list[Place | None]:
    """Guess for each template where its boxes are on a page; None where no row is like its own."""
    book = bind(templates)
    places = _best_places(page, page.rows, book, book.rows, book.of_row)
    if all(place is None or place.share < CLEAR for place in places):
        rows, _ = with_parts(page.rows, book.rows)
        wanted, of = with_parts(book.rows, page.rows)
        parts = _best_places(page, rows, book, wanted, book.of_row[of])
        places = [max(pair, key=_share) for pair in zip(places, parts, strict=True)]
    return places


def _share(place: Place | None) -> float:
    return 0.0 if place is None else place.share


def _best_places(
    page: PageRows, rows: Rows, book: Book, wanted: Rows, whose: NDArray[np.intp]
) -> list[Place | None]:
    tries, row = propose(rows, wanted)
    form = whose[row]
    best = np.zeros(len(book.samples))
    places: list[Place | None] = [None] * len(best)
    points = book.samples[form] @ tries[:, :, :2].swapaxes(1, 2) + tries[:, None, :, 2]
    shares = (cell_at(page, points) >= 0).mean(axis=1)
    # Boxes may look alike with the page turned or shifted; the scan then shows less of it.
    merits = shares - _overhang(page, tries, book.sizes[form])
    np.maximum.at(best, form, merits)
    for index in np.flatnonzero(best > LEAST_SHARE - OVERHANG).tolist():
        first = np.flatnonzero((form == index) & (merits == best[index]))[0]
        if shares[first] <= LEAST_SHARE:
            continue
        origin = (wanted.starts[row[first]] + wanted.ends[row[first]]) / 2
        homography = np.vstack([tries[first], (0.0, 0.0, 1.0)])
        places[index] = Place(float(shares[first]), homography, origin)
    return places


def _overhang(
    page: PageRows, tries: NDArray[np.float64], sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far pages of sizes (H, 2), as height and width, would reach beyond the scan, (H,).

    In shares of the scan, of which little counts: part of a page may be missing.
    """
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * sizes[:, None, ::-1]
    there = corners @ tries[:, :, :2].swapaxes(1, 2) + tries[:, None, :, 2]
    scan = np.array(page.cells.print.shape[::-1]) * page.cells.factor
    beyond = np.maximum(there - scan, 0) + np.maximum(-there, 0)
    return np.asarray(OVERHANG * np.minimum((beyond / scan).max(axis=(1, 2)), 1.0), np.float64)


def with_parts(rows: Rows, others: Rows) -> tuple[Rows, NDArray[np.intp]]:
    """Rows, and all parts of them that are as long as others are; and of which rows each is."""
    lengths = np.unique(others.counts[others.counts > LEAST])[-MOST_LENGTHS:]
    parts = [rows.windows(int(length)) for length in lengths]
    of = [np.arange(len(rows)), *(which for _, which in parts)]
    return join_rows([rows, *(part for part, _ in parts)]), np.concatenate(of)


def propose(rows: Rows, wanted: Rows) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Affine maps (H, 2, 3) that put a row of a template on a row of the page, and which (H,)."""
    if not len(rows) or not len(wanted):
        return np.zeros((0, 2, 3)), np.zeros(0, np.intp)
    there, here = rows.steps(), np.hypot(*wanted.steps().T)
    scale = np.hypot(*there.T)[:, None] / here
    along = rows.along[:, None] / (scale * wanted.along)
    across = rows.across[:, None] / (scale * wanted.across)
    fits = rows.counts[:, None] == wanted.counts
    for shape in (along, across):
        fits &= (shape > SHAPES[0]) & (shape < SHAPES[1])
    which, of = np.nonzero(fits)
    if len(which) > MOST_TRIES:
        which, of = (each[:: len(which) // MOST_TRIES + 1] for each in (which, of))
    found, form, scale = rows.pick(which), wanted.pick(of), scale[which, of]
    right = there[which] / here[of, None]
    # What the frame's line takes from a box it takes from both its sides.
    line = np.maximum(scale * form.along - found.along, 0)
    squeeze = (found.across + line) / (scale * form.across)
    squeeze = np.where(np.abs(squeeze - 1) < 0.05, 1.0, squeeze)
    upright = np.column_stack([-right[:, 1], right[:, 0]]) / scale[:, None]
    level = (found.downs * upright).sum(axis=1) > UPRIGHT
    down = np.where(level[:, None], upright, found.downs) * (scale * squeeze)[:, None]
    maps = np.stack([right, down, np.zeros_like(right)], axis=2)
    middle = (form.starts + form.ends)[:, :, None] / 2
    maps[:, :, 2] = (found.starts + found.ends) / 2 - (maps[:, :, :2] @ middle)[:, :, 0]
    return maps, of


def cell_at(page: PageRows, points: Points) -> NDArray[np.int16]:
    """The cell whose middle is near each scan point (..., 2), -1 for none."""
    at = np.rint(points / page.pitch).astype(np.intp)
    height, width = page.owner.shape
    inside = (at >= 0).all(axis=-1) & (at[..., 0] < width) & (at[..., 1] < height)
    at = np.where(inside[..., None], at, 0)
    return np.where(inside, page.owner[at[..., 1], at[..., 0]], -1)
