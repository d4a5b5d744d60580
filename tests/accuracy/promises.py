"""What the shipped profile keeps of its promise: simulated pages, writers used nowhere before.

    python tests/accuracy/promises.py --data FOLDER --pages 2000

FOLDER holds MNIST with its writers, of which the test half writes. Run it a last time after
`python -m models.field_fit`: its figures are the README's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from models.acceptance import load_profile
from models.classifier import load_classifier
from models.field_fit import calibration_error, confidences
from models.field_samples import Order, decode_samples, make_samples

KINDS = {
    "eight-digit code, no check": ("code",),
    "ten-digit code with Luhn or Verhoeff": ("card", "identity"),
    "date with a window": ("born", "signed"),
    "three counts and their total": ("count_1", "count_2", "count_3", "total"),
    "other fields, no check": ("pin_code", "amount"),
}


def main() -> None:
    """Make the pages, read them, and print a row for each kind of field."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--level", default="mix")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    order = Order(options.data, options.seed, "test", options.level, options.pages)
    pages = make_samples(order, options.workers)
    profile = load_profile(load_classifier().card)
    samples = decode_samples(pages, profile.doubt)
    confidence = confidences(samples, profile.field_map)
    print(f"{len(samples)} fields of {len(pages)} pages; {options.pages - len(pages)} not read")
    for kind, names in KINDS.items():
        chosen = [place for place, one in enumerate(samples) if one.field in names]
        of_kind = [samples[place] for place in chosen]
        accept = np.array(
            [profile.threshold("trial-form", one.field, checked=one.checked) for one in of_kind]
        )
        decidable = np.array([one.decidable for one in of_kind])
        taken = decidable & (confidence[chosen] >= accept)
        wrong = int(sum(not one.right for one, took in zip(of_kind, taken, strict=True) if took))
        share = f"{wrong} of {taken.sum()} wrong, {wrong / max(int(taken.sum()), 1):.3%}"
        print(f"{kind}: {len(chosen)} fields, {taken.mean():.2%} accepted, {share}")
    known = [place for place, one in enumerate(samples) if one.decidable]
    right = np.array([samples[place].right for place in known])
    print(
        f"calibration error of field confidence: {calibration_error(confidence[known], right):.4f}"
    )


if __name__ == "__main__":
    main()
