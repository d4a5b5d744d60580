"""Samples of writers that a network does not learn from: to watch, calibrate and choose by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from models.architectures import find_network
from models.dataset import load_mnist, split_by_writer
from models.learning import Plan
from models.page_boxes import read_boxes
from models.page_digits import HELD_OUT
from models.samples import Samples, as_samples, make_held_out
from pipeline.records import GreyImage

TYPICAL = 1000
DRAWN = ("held_out", "held_out_scanned")
"""Those that do not come from pages."""
PAGES = 120
"""Simulated pages to choose by: about as many boxes as there are other samples."""


@lru_cache(maxsize=1)
def held_out_sets(plan: Plan) -> dict[str, Samples]:
    """Give the digits of writers that the plan's network does not learn from.

    Clean, scanned, and, where it learns from simulated pages, from such.
    """
    digits = split_by_writer(load_mnist(plan.data)[0], plan.seed)[1]
    network = find_network(plan.network)
    scanned = make_held_out(digits, network.recipe, plan.seed)
    sets = {"held_out": as_samples(digits), "held_out_scanned": scanned}
    if plan.pages is not None:
        sets["held_out_pages"] = read_boxes(plan.pages, HELD_OUT, network.classes, PAGES)
    return sets


def choose_typical(sets: Mapping[str, Samples]) -> GreyImage:
    """Choose what the quantiser takes its ranges from: as scanned, and clean.

    With boxes of simulated pages among them ranges are no better: what is around a digit is faint.
    """
    scanned = sets["held_out_scanned"].images
    some = np.random.default_rng(0).permutation(len(scanned))[:TYPICAL]
    return np.concatenate([scanned[some], sets["held_out"].images[: TYPICAL // 4]])
