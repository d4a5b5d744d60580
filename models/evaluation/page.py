"""The page that shows how well a network reads: one HTML file that needs no other, and its PNGs."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from scipy.stats import binomtest

from models.calibrate import BINS
from models.evaluation.charts import draw_charts
from models.evaluation.figures import (
    ClassFigures,
    Figures,
    Outcome,
    class_name,
    count_confusions,
    measure,
    measure_classes,
)
from models.samples import CLASSES
from pipeline.errors import OutputError
from pipeline.normalize import SIDE
from pipeline.records import GreyImage, ModelCard
from pipeline.tables import write_whole

PAGE = "index.html"
MOST_SHOWN = 90
"""Misread samples in a gallery; the surest come first."""
TILES_A_ROW = 15
TITLES: Mapping[str, tuple[str, str]] = {
    "held_out": (
        "Held-out writers",
        "Digits of MNIST's training half whose writers the network did not learn from, as written.",
    ),
    "held_out_scanned": (
        "Held-out writers, as scanned",
        "The same digits through other pens and bad scanners, with remains of frames and "
        "neighbours, and drawn marks: harder than most forms. Confidence is fitted on both.",
    ),
    "held_out_pages": (
        "Held-out writers, from simulated pages",
        "Boxes as reading cuts them from pages with all kinds of damage, with what is around them "
        "shown faintly.",
    ),
    "mnist_test": ("MNIST test half", "10,000 digits of writers found nowhere in training."),
    "usps_test": ("USPS test half", "Digits from envelopes of the US Postal Service, 16x16."),
    "optdigits": ("Optdigits", "Digits of 13 people from UCI's collection, 32x32 bilevel."),
    "nsysu_digits": ("NSYSU quiz boxes", "Digits from printed boxes of real quiz sheets."),
    "negatives": (
        "No digits",
        "Drawn by the pen simulator: what stains and frames leave in blank boxes, crosses, dashes "
        "and scribbles, letters, fragments and blots. None of these should pass as a digit.",
    ),
    "forms": (
        "Boxes of forms",
        "Boxes of these pages, found, cut out and read as in a real run, each for itself. A field "
        "is accepted only if all its boxes together are sure.",
    ),
}
"""Title and description of each set."""


@dataclass(frozen=True, slots=True)
class Misread:
    """A sample that was read wrongly, as the gallery shows it."""

    column: int
    row: int
    read: str
    read_share: float
    true: str
    true_share: float | None
    """None where the network does not know the class."""
    place: str


@dataclass(frozen=True, slots=True)
class Section:
    """A set on the page."""

    name: str
    title: str
    about: str
    figures: Figures
    interval: tuple[float, float]
    """95 % interval of the accuracy (Wilson)."""
    has_digits: bool
    has_marks: bool
    wrong_accepted: int
    unread: int
    classes: list[ClassFigures]
    misread: list[Misread]
    misread_total: int
    pictures: Mapping[str, str]
    """Each as a data URI, by its name."""


def write_page(outcomes: Mapping[str, Outcome], card: ModelCard, folder: Path) -> Path:
    """Write the page and its pictures, whole or not at all.

    Args:
        outcomes: What the network made of each set.
        card: The network's.
        folder: Where to write; made if need be.

    Returns:
        The page.

    Raises:
        OutputError: If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}; choose another --output") from error
    pictures = {
        name: draw_charts(outcome, card.accept_confidence)
        | {"misread": _encode(tile_misread(outcome))}
        for name, outcome in outcomes.items()
    }
    sections = [
        _make_section(name, outcome, card, pictures[name]) for name, outcome in outcomes.items()
    ]
    files = {
        folder / f"{name}-{kind}.png": picture
        for name, of_set in pictures.items()
        for kind, picture in of_set.items()
    }
    write_whole(files | {folder / PAGE: render(sections, card).encode()})
    return folder / PAGE


def render(sections: list[Section], card: ModelCard) -> str:
    """Lay the sections out as HTML."""
    environment = Environment(
        loader=PackageLoader("models.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["class_name"] = class_name
    page = environment.get_template("page.html.j2")
    return page.render(sections=sections, card=card, bins=BINS, columns=TILES_A_ROW)


def _percent(share: float | None, decimals: int = 2) -> str:
    return "-" if share is None else f"{100 * share:.{decimals}f}\N{NARROW NO-BREAK SPACE}%"


def _make_section(
    name: str, outcome: Outcome, card: ModelCard, pictures: Mapping[str, bytes]
) -> Section:
    title, about = TITLES.get(name, (name, ""))
    figures = measure(outcome, card.accept_confidence)
    wrong = outcome.read != outcome.labels
    sure = outcome.probabilities.max(axis=1) >= card.accept_confidence
    low, high = binomtest(int((~wrong).sum()), int(figures["samples"])).proportion_ci(
        method="wilson"
    )
    return Section(
        name=name,
        title=title,
        about=about,
        figures=figures,
        interval=(low, high),
        has_digits=bool((outcome.labels < 10).any()),
        has_marks=bool((outcome.labels >= 10).any()),
        wrong_accepted=int((wrong & sure).sum()),
        unread=outcome.unread,
        classes=measure_classes(count_confusions(outcome)),
        misread=list(_list_misread(outcome)),
        misread_total=int(wrong.sum()),
        pictures={kind: _as_uri(picture) for kind, picture in pictures.items()},
    )


def _order_misread(outcome: Outcome) -> list[int]:
    """Give the places of the misread samples that are shown, the surest first."""
    wrong = np.flatnonzero(outcome.read != outcome.labels)
    order = np.argsort(-outcome.probabilities[wrong].max(axis=1), kind="stable")
    return [int(place) for place in wrong[order][:MOST_SHOWN]]


def _list_misread(outcome: Outcome) -> Iterator[Misread]:
    for number, place in enumerate(_order_misread(outcome)):
        shares, label = outcome.probabilities[place], int(outcome.labels[place])
        yield Misread(
            column=number % TILES_A_ROW,
            row=number // TILES_A_ROW,
            read=class_name(CLASSES[outcome.read[place]]),
            read_share=float(shares.max()),
            true=class_name(CLASSES[label]),
            true_share=float(shares[label]) if label < len(shares) else None,
            place=outcome.places[place] if outcome.places else "",
        )


def tile_misread(outcome: Outcome) -> GreyImage:
    """Lay the misread samples of the gallery out on one sheet, row by row, dark on light."""
    order = _order_misread(outcome)
    rows = max(1, -(-len(order) // TILES_A_ROW))
    sheet = np.full((rows * SIDE, TILES_A_ROW * SIDE), 255, np.uint8)
    for number, place in enumerate(order):
        top, left = SIDE * (number // TILES_A_ROW), SIDE * (number % TILES_A_ROW)
        sheet[top : top + SIDE, left : left + SIDE] = 255 - outcome.images[place, :, :, 0]
    return sheet


def _encode(picture: GreyImage) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def _as_uri(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode()
