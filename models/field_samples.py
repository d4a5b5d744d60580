"""Fields of simulated pages as they are read, to fit what their probability is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.classifier import LiteRTClassifier, load_classifier
from models.dataset import load_split
from pipeline.acceptance import Profile
from pipeline.authoring.blank import DRAWN, blank_page
from pipeline.authoring.digit_hands import digit_hands
from pipeline.authoring.levels import parse_level
from pipeline.authoring.simulate import SimulatedPage, Simulation, simulate_page
from pipeline.authoring.values import LATEST
from pipeline.calibration import is_decidable
from pipeline.decode import decode_page
from pipeline.errors import PageError
from pipeline.page import FIELD_SUPPORT, cut_page
from pipeline.recognize import recognize
from pipeline.records import BoxReading, BoxRow, FieldResult, Page, PageId
from pipeline.template import FormTemplate, load_template

TRIAL_FORM = Path(__file__).parent / "trial_form" / "template.yaml"
"""Codes with and without check digits, dates with windows, counts and their total."""
SURE = 0.99
"""Boxes that the network is surer of than this would be accepted, if it were not for a doubt."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which pages to make."""

    data: Path
    """MNIST's folder, as for `models.dataset.load_split`."""
    seed: int
    """That of the network's training, so that held-out writers are held out."""
    half: str
    """Whose digits: `held_out` writers of the training half, or those of the `test` half."""
    level: str
    pages: int
    first: int = 0


@dataclass(frozen=True, slots=True)
class FieldSample:
    """One field of a simulated page."""

    page: int
    field: str
    checked: bool
    product: float
    """That all boxes are right, taken one by one."""
    posterior: float
    """The same after the checks."""
    right: bool
    decidable: bool
    """Whether its confidence alone decides about it."""


@dataclass(frozen=True, slots=True, eq=False)
class PageSample:
    """What the boxes of a simulated page are said to hold, and what was written."""

    number: int
    readings: tuple[BoxReading, ...]
    """As the network has them, without any doubt about lost strokes."""
    doubtful: NDArray[np.bool_]
    """Where a stroke may have gone with the frame, (N,)."""
    found: tuple[bool, ...]
    """For each field whether its frames were."""
    texts: Mapping[str, str]


def make_samples(order: Order, workers: int) -> list[PageSample]:
    """Make pages and read them; those that cannot be read are left out."""
    numbers = range(order.first, order.first + order.pages)
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        jobs = [pool.submit(read_simulated, order, number) for number in numbers]
        return [page for job in jobs if (page := job.result())]


def read_simulated(order: Order, number: int) -> PageSample | None:
    """Make one page and read its boxes."""
    plan, classifier = _equipment(order)
    page = simulate_page(plan, number)
    try:
        cut = cut_page(Page(PageId(f"{number}", 1, ""), _in_grey(page)), [plan.template])
    except PageError:
        return None
    return PageSample(
        number=number,
        readings=tuple(recognize(cut.cut.crops, classifier, doubt=0.0)),
        doubtful=np.array([crop.doubtful for crop in cut.cut.crops], bool),
        found=tuple(support >= FIELD_SUPPORT for support in cut.cut.view.frames.support),
        texts=page.texts,
    )


@lru_cache(maxsize=1)
def _equipment(order: Order) -> tuple[Simulation, LiteRTClassifier]:
    cv2.setNumThreads(1)
    split = load_split(order.data, order.seed)
    digits = split.held_out if order.half == "held_out" else split.test
    writers = digits.writers.astype(np.int64) if digits.writers.max() >= 0 else None
    template = load_template(TRIAL_FORM, LATEST)
    plan = Simulation(
        template=template,
        blank=blank_page(template, DRAWN),
        hands=digit_hands(digits.images, digits.labels, writers),
        level=parse_level(order.level),
        seed=order.seed,
    )
    return plan, load_classifier()


def _in_grey(page: SimulatedPage) -> NDArray[np.uint8]:
    image = page.picture.image
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8)


def measure_doubt(pages: Sequence[PageSample]) -> float:
    """Measure how often a box is misread where a stroke may have gone with the frame.

    Only boxes of which the network is sure count: of the others its own probability speaks.
    """
    asked = wrong = 0
    for page in pages:
        truth = "".join(page.texts.values())
        for reading, doubtful, written in zip(page.readings, page.doubtful, truth, strict=True):
            character, probability = reading.ranked()[0]
            if doubtful and probability > SURE:
                asked += 1
                wrong += character != written
    return (wrong + 1) / (asked + 2)


def decode_samples(pages: Sequence[PageSample], doubt: float) -> list[FieldSample]:
    """Decode pages with this doubt, and compare each field with what was written."""
    template = load_template(TRIAL_FORM, LATEST)
    profile = Profile(accept=0.0, accept_checked=0.0)
    return [
        sample
        for page in pages
        for sample in _compare(
            page, template, decode_page(_doubted(page, doubt), page.found, template, profile)
        )
    ]


def _doubted(page: PageSample, doubt: float) -> list[BoxReading]:
    return [
        replace(
            reading,
            probabilities=(1 - doubt) * reading.probabilities + doubt / len(reading.classes),
        )
        if doubtful
        else reading
        for reading, doubtful in zip(page.readings, page.doubtful, strict=True)
    ]


def _compare(
    page: PageSample,
    template: FormTemplate,
    decoded: tuple[Sequence[FieldResult], Sequence[BoxRow]],
) -> Iterator[FieldSample]:
    tied = {name for check in template.checks for name in check.fields}
    checked = {spec.name for spec in template.fields if spec.checks} | tied
    fields, rows = decoded
    for field in fields:
        yield FieldSample(
            page=page.number,
            field=field.field,
            checked=field.field in checked,
            product=prod(row.confidence for row in rows if row.field == field.field),
            posterior=field.confidence,
            right=field.raw == page.texts[field.field],
            decidable=is_decidable(";".join(field.reasons)),
        )
