"""Makes the profile that is shipped with a network: `python -m models.field_fit --data FOLDER`.

To be run again for each new network: its thresholds are of that network's confidences.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from models.acceptance import shipped_profile
from models.classifier import load_classifier
from models.field_samples import (
    FieldSample,
    Order,
    PageSample,
    decode_samples,
    make_samples,
    measure_doubt,
)
from pipeline.acceptance import (
    FieldMap,
    MapModel,
    ProfileModel,
    PromiseModel,
    log_odds,
    profile_text,
)
from pipeline.decode import DECIMALS
from pipeline.promise import promise
from pipeline.tables import write_whole

Values = NDArray[np.float64]
BINS = 15


def fit_map(samples: Sequence[FieldSample]) -> FieldMap:
    """Fit what a field's probability is worth, by the likelihood of which were right."""
    boxes, added, right = _inputs(samples)

    def loss(parameters: Values) -> float:
        slope, offset, trust = parameters
        odds = slope * boxes + offset + trust * added
        return float(np.logaddexp(0, np.where(right, -odds, odds)).mean())

    found = minimize(loss, (1.0, 0.0, 1.0), bounds=((0.1, 5), (-10, 10), (0, 5)))
    slope, offset, trust = (round(float(value), 4) for value in found.x)
    return FieldMap(slope, offset, trust)


def _inputs(samples: Sequence[FieldSample]) -> tuple[Values, Values, NDArray[np.bool_]]:
    boxes = np.array([log_odds(one.product) for one in samples])
    after = np.array([log_odds(one.posterior) for one in samples])
    return boxes, after - boxes, np.array([one.right for one in samples])


def confidences(samples: Sequence[FieldSample], field_map: FieldMap) -> Values:
    """Give the confidence of each field, as fields.csv has it."""
    boxes, added, _ = _inputs(samples)
    odds = field_map.slope * boxes + field_map.offset + field_map.trust * added
    return np.asarray(np.round(expit(odds), DECIMALS), np.float64)


def calibration_error(confidence: Values, right: NDArray[np.bool_]) -> float:
    """Measure how far confidence and accuracy lie apart (ECE, 15 bins of equally many fields).

    Source: Nixon et al., "Measuring calibration in deep learning", CVPR workshops 2019.
    """
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, BINS)
    gaps = [abs(confidence[part].mean() - right[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(order))


def make_profile(
    pages: Sequence[PageSample], network: str, *, max_error: float, level: float
) -> ProfileModel:
    """Fit doubt and map, and find the thresholds that keep the promise on these pages."""
    doubt = round(measure_doubt(pages), 4)
    samples = decode_samples(pages, doubt)
    known = [one for one in samples if one.decidable]
    field_map = fit_map(known)

    def promised(*, checked: bool) -> PromiseModel:
        kind = [one for one in known if one.checked == checked]
        all_of_kind = sum(one.checked == checked for one in samples)
        wrong = np.array([not one.right for one in kind])
        found = promise(confidences(kind, field_map), wrong, max_error=max_error, level=level)
        return PromiseModel(
            accept=found.accept,
            fields=all_of_kind,
            accepted=found.accepted,
            wrong=found.wrong,
            wrong_at_most=round(found.wrong_at_most, 6),
            promised=found.holds,
        )

    return ProfileModel(
        network=network,
        max_error=max_error,
        confidence=level,
        fitted_on=f"{len(samples)} fields of {len(pages)} simulated pages, writers held out",
        doubt=doubt,
        field_map=MapModel(slope=field_map.slope, offset=field_map.offset, trust=field_map.trust),
        plain=promised(checked=False),
        checked=promised(checked=True),
    )


def main() -> None:
    """Make pages, read them, fit, and write the profile beside the network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MNIST's folder, with writers")
    parser.add_argument("--seed", type=int, default=1, help="that of the network's training")
    parser.add_argument("--pages", type=int, default=1500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--max-error", type=float, default=0.001)
    parser.add_argument("--confidence", type=float, default=0.95)
    options = parser.parse_args()
    order = Order(options.data, options.seed, "held_out", "mix", options.pages)
    pages = make_samples(order, options.workers)
    card = load_classifier().card
    model = make_profile(pages, card.sha256, max_error=options.max_error, level=options.confidence)
    write_whole({shipped_profile(card): profile_text(model).encode()})
    print(profile_text(model))


if __name__ == "__main__":
    main()
