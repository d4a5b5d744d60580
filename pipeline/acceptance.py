"""What a field's probability is worth, and from where on it is accepted: the profile of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, log

_LEAST = 1e-7
"""Probabilities are kept this far from 0 and 1: nothing measured tells finer ones apart."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """From what boxes and checks say to how often fields like it were right.

    On the scale of log odds: `slope` times what the boxes say of all of them together, plus
    `offset`, plus `trust` times what the checks add. Boxes of one page have one writer and one
    scanner, so that their product is not the probability of the field; and checks know nothing of
    why a box was misread.

    Source: Platt, "Probabilistic outputs for support vector machines", 1999, with two inputs.
    """

    slope: float = 1.0
    offset: float = 0.0
    trust: float = 1.0

    def confidence(self, product: float, posterior: float) -> float:
        """Give the probability that a field is right.

        Args:
            product: That all its boxes are right, taken one by one.
            posterior: The same after its checks; equal to it where it has none.
        """
        boxes = log_odds(product)
        odds = self.slope * boxes + self.offset + self.trust * (log_odds(posterior) - boxes)
        return 1 / (1 + exp(-odds))


def log_odds(probability: float) -> float:
    """Give the logarithm of p / (1 - p), bounded."""
    safe = min(max(probability, _LEAST), 1 - _LEAST)
    return log(safe / (1 - safe))


@dataclass(frozen=True, slots=True)
class Profile:
    """The numbers that decide what is accepted."""

    accept: float
    """The confidence from which a field is accepted that has no threshold of its own."""
    accept_checked: float
    """The same for a field with checks."""
    fields: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """By template and field: those that were calibrated."""
    field_map: FieldMap = FieldMap()

    def threshold(self, template: str, name: str, *, checked: bool) -> float:
        """Give the confidence from which a field is accepted."""
        return self.fields.get((template, name), self.accept_checked if checked else self.accept)
