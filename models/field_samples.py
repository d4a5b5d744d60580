"""Fields of simulated pages as they are read, to fit what their probability is worth."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
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
from pipeline.page import read_pages
from pipeline.records import Page, PageId, PageResult
from pipeline.template import load_template

TRIAL_FORM = Path(__file__).parent / "trial_form" / "template.yaml"
"""Codes with and without check digits, dates with windows, counts and their total."""
TAKEN_AT_THEIR_WORD = Profile(accept=0.0, accept_checked=0.0)


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


def make_samples(order: Order, workers: int) -> list[FieldSample]:
    """Make pages, read them, and compare each field with what was written."""
    numbers = range(order.first, order.first + order.pages)
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        jobs = [pool.submit(read_simulated, order, number) for number in numbers]
        return [sample for job in jobs for sample in job.result()]


def read_simulated(order: Order, number: int) -> list[FieldSample]:
    """Make one page and read it; a page that cannot be read gives no samples."""
    plan, classifier = _equipment(order)
    page = simulate_page(plan, number)
    scan = Page(PageId(f"{number}", 1, ""), _in_grey(page))
    (result,) = read_pages([scan], [plan.template], classifier, TAKEN_AT_THEIR_WORD)
    return list(_compare(number, result, page, plan))


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


def _compare(
    number: int, result: PageResult, page: SimulatedPage, plan: Simulation
) -> Iterator[FieldSample]:
    tied = {name for check in plan.template.checks for name in check.fields}
    checked = {spec.name for spec in plan.template.fields if spec.checks} | tied
    for field in result.fields:
        boxes = [row.confidence for row in result.boxes if row.field == field.field]
        if boxes:
            yield FieldSample(
                page=number,
                field=field.field,
                checked=field.field in checked,
                product=prod(boxes),
                posterior=field.confidence,
                right=field.raw == page.texts[field.field],
                decidable=is_decidable(";".join(field.reasons)),
            )
