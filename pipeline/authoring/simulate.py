"""Fills a form as people do and scans it as offices do, with the truth known for every box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator

from pipeline.authoring.blank import BlankPage
from pipeline.authoring.degrade import DEGRADATIONS, degrade_picture
from pipeline.authoring.digit_hands import DrawHand
from pipeline.authoring.fill import INKS, fill_boxes
from pipeline.authoring.levels import Level
from pipeline.authoring.material import MATERIALS, FilledPage
from pipeline.authoring.picture import Picture
from pipeline.authoring.values import draw_values
from pipeline.template import FormTemplate

_COLOURED = frozenset({"pens", "tint", "perspective"})
"""What is scanned in colour, since that is what it is about; the rest in grey, as forms are."""


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What pages are made of."""

    template: FormTemplate
    """At 300 dpi."""
    blank: BlankPage
    hands: DrawHand
    level: Level
    values: tuple[Mapping[str, str], ...] = ()
    """What to write, page by page and over again; empty for values drawn at random."""
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPage:
    """A page, what is written on it, and how it was scanned."""

    picture: Picture
    texts: Mapping[str, str]
    strengths: Mapping[str, float]


def simulate_page(plan: Simulation, number: int) -> SimulatedPage:
    """Make one page: the same number and seed give the same, whatever else is made.

    Raises:
        TemplateError: If no values pass the template's checks, or damage finds no room on it.
    """
    rng = np.random.default_rng([plan.seed, number])
    drawn = plan.level(rng)
    strengths = {name: drawn[name] for name in (*MATERIALS, *DEGRADATIONS) if name in drawn}
    texts = _choose_texts(plan, number, rng)
    writing = fill_boxes(plan.template, texts, plan.hands(rng), rng)
    ink = tuple(INKS.values())[int(rng.integers(len(INKS)))]
    page = FilledPage(plan.template, plan.blank.image, writing, ink)
    for name in (name for name in strengths if name in MATERIALS):
        page = MATERIALS[name](page, strengths[name], rng)
    picture = page.unite(rng)
    if not _COLOURED & {name for name, strength in strengths.items() if strength}:
        picture = _in_grey(picture)
    scan = {name: strength for name, strength in strengths.items() if name in DEGRADATIONS}
    return SimulatedPage(degrade_picture(picture, scan, rng), texts, strengths)


def _choose_texts(plan: Simulation, number: int, rng: Generator) -> Mapping[str, str]:
    if plan.values:
        given = plan.values[number % len(plan.values)]
        empty = {spec.name: "_" * len(spec.boxes) for spec in plan.template.fields}
        return {**empty, **given}
    return draw_values(plan.template, rng)


def _in_grey(picture: Picture) -> Picture:
    grey = cv2.cvtColor(picture.image, cv2.COLOR_RGB2GRAY)
    return replace(picture, image=np.asarray(grey, np.uint8))
