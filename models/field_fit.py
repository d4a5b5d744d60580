"""Makes the profile that is shipped with a network.

    python -m models.field_fit --data MNIST_FOLDER --seed SEED --samples FOLDER

To be run again for each new network: its thresholds are of that network's confidences. The pages
that it reads are kept in FOLDER, so that a run that was stopped goes on where it was, and several
may fill one folder; `--pages 0` fits what is there.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from models.acceptance import shipped_profile
from models.classifier import load_classifier
from models.field_samples import FieldSample, decode_samples, measure_doubts
from models.page_digits import HELD_OUT
from models.simulated import PageSample, make_samples, parse_order
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
MAX_ERROR = 0.001
"""What the shipped profile promises: at most this share of wrong fields among the accepted."""
SPARE = 0.5
"""What of that is asked where the sample allows it: fields of one hand go wrong together, the
held-out hands are few, and the bound knows nothing of either."""
LEVEL = 0.95
"""How often that must hold."""


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
    """Fit doubts and map, and find the thresholds that keep the promise on these pages."""
    doubts = measure_doubts(pages)
    samples = decode_samples(pages, doubts)
    known = [one for one in samples if one.decidable]
    field_map = fit_map(known)

    def promised(*, checked: bool) -> PromiseModel:
        kind = [one for one in known if one.checked == checked]
        all_of_kind = sum(one.checked == checked for one in samples)
        wrong = np.array([not one.right for one in kind])
        sure = confidences(kind, field_map)
        found = promise(sure, wrong, max_error=SPARE * max_error, level=level)
        if not found.holds:
            found = promise(sure, wrong, max_error=max_error, level=level)
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
        doubts=doubts,
        field_map=MapModel(slope=field_map.slope, offset=field_map.offset, trust=field_map.trust),
        plain=promised(checked=False),
        checked=promised(checked=True),
    )


def main() -> None:
    """Make pages, read them, fit, and write the profile beside the network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    order, folder, workers, minutes = parse_order(parser, HELD_OUT)
    pages = make_samples(order, folder, workers=workers, minutes=minutes)
    card = load_classifier().card
    model = make_profile(pages, card.sha256, max_error=MAX_ERROR, level=LEVEL)
    write_whole({shipped_profile(card): profile_text(model).encode()})
    print(profile_text(model))


if __name__ == "__main__":
    main()
