"""Simulated pages as they are read, box by box, kept in a folder so that making them can go on."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from math import inf
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

from models.classifier import LiteRTClassifier, load_classifier
from models.dataset import read_arrays
from models.page_digits import TRAINING, choose_digits
from pipeline.authoring.blank import DRAWN, LINE, BlankPage, Line, blank_page
from pipeline.authoring.digit_hands import digit_hands
from pipeline.authoring.levels import parse_level
from pipeline.authoring.scan_files import save_page
from pipeline.authoring.simulate import SimulatedPage, Simulation, simulate_page
from pipeline.authoring.values import LATEST
from pipeline.errors import ModelError, PageError
from pipeline.inbox import Document
from pipeline.ingest import decode_page, load
from pipeline.normalize import fit_all
from pipeline.page import cut_page, fields_found, needed_side_px
from pipeline.recognize import read_seen
from pipeline.records import Floats, GreyImage, Page
from pipeline.surroundings import show_around
from pipeline.tables import write_whole
from pipeline.template import load_template

TRIAL_FORM = Path(__file__).parent / "trial_form" / "template.yaml"
"""Codes with and without check digits, dates with windows, counts and their total."""
PRINTS = tuple(Line(px, level) for px in (2, 3, 4, 6) for level in (30, 70, 110, 150))
"""The frames of the pages to learn from: thin and thick, dark and pale."""
PIECE = 20
"""Pages in one file of samples: what is lost where a run is stopped."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which pages to make."""

    data: Path
    """MNIST's folder, as for `models.dataset.load_mnist`."""
    seed: int
    """That of the network's training, so that held-out writers are held out."""
    half: str
    """Whose digits: those of `training`, `held_out` from it, or of MNIST's `test` half."""
    level: str
    pages: int
    first: int = 0


def parse_order(parser: argparse.ArgumentParser, half: str) -> tuple[Order, Path, int, float]:
    """Add what pages are made by, and read the command line: which, where to, how."""
    parser.add_argument("--data", type=Path, required=True, help="MNIST's folder, with writers")
    parser.add_argument("--seed", type=int, required=True, help="that of the network's training")
    parser.add_argument("--samples", type=Path, required=True, help="where pages are kept")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first page")
    parser.add_argument("--level", default="mix")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=inf, help="begin no page after so many")
    given = parser.parse_args()
    order = Order(given.data, given.seed, half, given.level, given.pages, given.first)
    return order, given.samples, given.workers, given.minutes


@dataclass(frozen=True, slots=True, eq=False)
class CutSample:
    """What the boxes of a simulated page look like, and what was written."""

    number: int
    texts: tuple[str, ...]
    """What was written, field by field in the template's order."""
    seen: GreyImage
    """uint8 (boxes, 28, 28), as the network is shown them."""
    doubtful: NDArray[np.bool_]
    """Where a stroke may have gone with the frame, (boxes,)."""
    found: NDArray[np.bool_]
    """For each field whether its frames were."""


@dataclass(frozen=True, slots=True, eq=False)
class PageSample:
    """What the boxes of a simulated page are said to hold, and what was written."""

    number: int
    texts: tuple[str, ...]
    """What was written, field by field in the template's order."""
    probabilities: Floats
    """(boxes, classes), as the network has them, without any doubt about lost strokes."""
    doubtful: NDArray[np.bool_]
    """Where a stroke may have gone with the frame, (boxes,)."""
    found: NDArray[np.bool_]
    """For each field whether its frames were."""


def make_samples(
    order: Order, folder: Path, *, workers: int = 1, minutes: float = inf
) -> list[PageSample]:
    """Make pages, keep them, and read them with the shipped network; args as `make_pages`.

    Returns:
        Those of the folder that are of this order's hands and damage, also of other runs, without
        the pages that could not be read.
    """
    make_pages(order, folder, workers=workers, minutes=minutes)
    network = load_classifier()
    return [_read(page, network) for path in pieces(order, folder) for page in read_piece(path)]


def make_pages(order: Order, folder: Path, *, workers: int = 1, minutes: float = inf) -> None:
    """Make pages, cut out their boxes and keep them; what the folder has is not made again.

    Args:
        order: Which pages.
        folder: Where they are kept, for one state of the pipeline.
        workers: Processes that make them. Others may make other pages in the same folder.
        minutes: After so many no more are begun.
    """
    folder.mkdir(parents=True, exist_ok=True)
    end = time.time() + 60 * minutes
    firsts = range(order.first, order.first + order.pages, PIECE)
    parts = [replace(order, first=first, pages=PIECE) for first in firsts]
    missing = [part for part in parts if not _path(part, folder).exists()]
    if missing:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            list(pool.map(_keep_piece, missing, [folder] * len(missing), [end] * len(missing)))


def pieces(order: Order, folder: Path) -> list[Path]:
    """Name the files of this order's hands and damage."""
    return sorted(folder.glob(f"{order.half}-{order.level}-{order.seed}-*.npz"))


def read_piece(path: Path) -> Iterator[CutSample]:
    """Read the pages of a file.

    Raises:
        ModelError: If it is damaged, or of another version.
    """
    piece = read_arrays(path)
    names = ("numbers", "texts", "seen", "doubtful", "found")
    try:
        columns = [piece[name] for name in names]
    except KeyError as error:
        raise ModelError(f"{path} lacks {error}; delete it and make its pages again.") from error
    for number, texts, *arrays in zip(*columns, strict=True):
        yield CutSample(int(number), tuple(map(str, texts)), *arrays)


def _read(page: CutSample, network: LiteRTClassifier) -> PageSample:
    probabilities = read_seen(page.seen, network)
    return PageSample(page.number, page.texts, probabilities, page.doubtful, page.found)


def _path(order: Order, folder: Path) -> Path:
    return folder / f"{order.half}-{order.level}-{order.seed}-{order.first:06}.npz"


def _keep_piece(order: Order, folder: Path, end: float) -> None:
    if time.time() > end:
        return
    numbers = range(order.first, order.first + order.pages)
    pages = [page for number in numbers if (page := cut_simulated(order, number))]
    packed = BytesIO()
    np.savez_compressed(
        packed,
        asked=np.array(order.pages),
        numbers=np.array([page.number for page in pages]),
        texts=np.array([page.texts for page in pages]),
        seen=np.array([page.seen for page in pages]),
        doubtful=np.array([page.doubtful for page in pages]),
        found=np.array([page.found for page in pages]),
    )
    write_whole({_path(order, folder): packed.getvalue()})


def cut_simulated(order: Order, number: int) -> CutSample | None:
    """Make one page, scan it into a file, and cut out its boxes; None where it cannot be read."""
    printed = PRINTS[number % len(PRINTS)] if order.half == TRAINING else LINE
    plan = replace(
        _equipment(order.data, order.seed, order.half, order.level), blank=_blank(printed)
    )
    page = simulate_page(plan, number)
    templates = [plan.template]
    try:
        cut = cut_page(_scan(page, needed_side_px(templates)), templates)
    except PageError:
        return None
    crops = cut.cut.crops
    return CutSample(
        number=number,
        texts=tuple(page.texts[spec.name] for spec in plan.template.fields),
        seen=show_around(fit_all([crop.ink for crop in crops]), crops),
        doubtful=np.array([crop.doubtful for crop in crops], bool),
        found=np.array(fields_found(cut), bool),
    )


def _scan(page: SimulatedPage, side_px: int) -> Page:
    with TemporaryDirectory() as folder:
        path = save_page(page, Path(folder), "page")
        return decode_page(load(Document(path, path.name)), 1, side_px=side_px)


@lru_cache(maxsize=len(PRINTS) + 1)
def _blank(line: Line) -> BlankPage:
    return blank_page(load_template(TRIAL_FORM, LATEST), DRAWN, line)


@lru_cache(maxsize=1)
def _equipment(data: Path, seed: int, half: str, level: str) -> Simulation:
    cv2.setNumThreads(1)
    digits = choose_digits(data, seed, half)
    writers = digits.writers.astype(np.int64) if digits.writers.max() >= 0 else None
    template = load_template(TRIAL_FORM, LATEST)
    return Simulation(
        template=template,
        blank=_blank(LINE),
        hands=digit_hands(digits.images, digits.labels, writers),
        level=parse_level(level),
        seed=seed,
    )
