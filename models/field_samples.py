"""Fields of simulated pages, to fit what their probability is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.classifier import load_classifier
from models.samples import DIGITS
from models.simulated import TRIAL_FORM, PageSample
from pipeline.acceptance import Profile
from pipeline.authoring.values import LATEST
from pipeline.calibration import is_decidable
from pipeline.decode import is_checked, judge_field, weigh_fields
from pipeline.decode.field import text_probability
from pipeline.recognize import add_doubt
from pipeline.records import BoxReading
from pipeline.template import FormTemplate, load_template

SURE = 0.99
"""Boxes that the network is surer of than this would be accepted, if it were not for a doubt."""
ACCEPT_ALL = Profile(accept=0.0, accept_checked=0.0)


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


@lru_cache(maxsize=1)
def _form() -> FormTemplate:
    return load_template(TRIAL_FORM, LATEST)


@lru_cache(maxsize=1)
def _classes() -> str:
    return load_classifier().card.classes


def measure_doubts(pages: Sequence[PageSample]) -> dict[str, float]:
    """Measure how often a box is misread where a stroke may have gone with the frame.

    All digits together, since the network sees what is around them, and each mark for itself: a
    dash that was lost leaves a blank. Only boxes of which the network is sure count, in fields
    whose frames were found: of others its own probability speaks, or they go to a person anyway.

    Returns:
        For each class the share, with one more of each kind: none of few proves nothing.
    """
    classes = _classes()
    asked, wrong = np.ones((2, len(classes)))
    kinds = np.array([0 if name in DIGITS else place for place, name in enumerate(classes)])
    for page in pages:
        found = np.repeat(page.found, [len(text) for text in page.texts])
        sure = found & page.doubtful & (page.probabilities.max(axis=1) > SURE)
        written = np.array([classes.index(one) for one in "".join(page.texts)])
        read = page.probabilities.argmax(axis=1)
        np.add.at(asked, kinds[read[sure]], 1)
        np.add.at(wrong, kinds[read[sure]], written[sure] != read[sure])
    shares = (wrong / (asked + 1))[kinds]
    return {name: round(float(share), 4) for name, share in zip(classes, shares, strict=True)}


def decode_samples(pages: Sequence[PageSample], doubts: Mapping[str, float]) -> list[FieldSample]:
    """Decode pages with these doubts, and compare each field with what was written."""
    return [sample for page in pages for sample in _decode(page, doubts)]


def _decode(page: PageSample, doubts: Mapping[str, float]) -> Iterator[FieldSample]:
    form = _form()
    weighed = weigh_fields(_doubted(page, doubts), form)
    for (reading, settled), found, text in zip(weighed, page.found, page.texts, strict=True):
        judged = judge_field(reading, settled, form, ACCEPT_ALL, found=bool(found))
        yield FieldSample(
            page=page.number,
            field=reading.spec.name,
            checked=is_checked(reading.spec, form),
            product=text_probability(reading.boxes, settled.raw),
            posterior=settled.posterior,
            right=settled.raw == text,
            decidable=is_decidable(";".join(judged.reasons)),
        )


def _doubted(page: PageSample, doubts: Mapping[str, float]) -> list[BoxReading]:
    classes = _classes()
    probabilities = page.probabilities.copy()
    add_doubt(probabilities, page.doubtful, classes, doubts)
    return [BoxReading("", place, classes, row) for place, row in enumerate(probabilities)]
