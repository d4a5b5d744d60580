"""What the shipped profile keeps of its promise: simulated pages, writers used nowhere before.

    python tests/accuracy/promises.py --data FOLDER --seed SEED --samples FOLDER

The first folder holds MNIST with its writers, of which the test half writes; in the second the
pages are kept, so that a run that was stopped goes on, and several may fill it. Run it a last time
after `python -m models.field_fit`: its figures are the README's.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.acceptance import load_profile
from models.classifier import load_classifier
from models.field_fit import LEVEL, calibration_error, confidences
from models.field_samples import FieldSample, decode_samples
from models.simulated import make_samples, parse_order
from pipeline.acceptance import Profile
from pipeline.promise import upper_bound

CODES = tuple(f"code_{number}" for number in range(1, 6))
KINDS = {
    "eight-digit code, no check": CODES,
    "ten-digit code with Luhn or Verhoeff": ("card", "identity"),
    "date with a window": ("born", "signed"),
    "three counts and their total": ("count_1", "count_2", "count_3", "total"),
    "other fields, no check": ("pin_code", "amount", "account"),
}


def main() -> None:
    """Make the pages, read them, and print a row for each kind of field."""
    order, folder, workers, minutes = parse_order(argparse.ArgumentParser(), "test")
    pages = make_samples(order, folder, workers=workers, minutes=minutes)
    profile = load_profile(load_classifier().card)
    samples = decode_samples(pages, profile.doubts)
    confidence = confidences(samples, profile.field_map)
    print(f"{len(samples)} fields of {len(pages)} pages")
    for kind, names in KINDS.items():
        chosen = np.array([one.field in names for one in samples])
        _show(kind, [one for one in samples if one.field in names], confidence[chosen], profile)
    decidable = np.array([one.decidable for one in samples])
    right = np.array([one.right for one in samples])
    error = calibration_error(confidence[decidable], right[decidable])
    print(f"calibration error of field confidence: {error:.4f}")


def _show(
    kind: str, samples: Sequence[FieldSample], confidence: NDArray[np.float64], profile: Profile
) -> None:
    accept = [profile.threshold("trial-form", one.field, checked=one.checked) for one in samples]
    taken = (confidence >= accept) & np.array([one.decidable for one in samples])
    wrong = int((taken & ~np.array([one.right for one in samples])).sum())
    count = int(taken.sum())
    print(
        f"{kind}: {len(samples)} fields, {taken.mean():.2%} accepted, {wrong} of {count} wrong, "
        f"{wrong / max(count, 1):.3%}, at most {upper_bound(wrong, count, LEVEL):.3%}"
    )


if __name__ == "__main__":
    main()
