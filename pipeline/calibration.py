"""A run against the truth: for each field from where on it may be accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.acceptance import FieldPromise
from pipeline.errors import InputFileError
from pipeline.promise import Promise, promise
from pipeline.records import Flag
from pipeline.score import put_together

BY_CONFIDENCE: Final = ("low_confidence", "decided_by:")
"""Reasons that a threshold can lift; with any other a field goes to a person whatever it is."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for."""

    max_error: float
    """Share of wrong fields among the accepted."""
    confidence: float
    """How often the bound on it must hold."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """One field of one template."""

    template: str
    field: str
    fields: int
    """How many the truth has."""
    accepted: int
    """How many of them the profile will accept; where no promise holds, it is as it was before."""
    promise: Promise
    confidence: NDArray[np.float64]
    """Of those that confidence decides about, (N,)."""
    wrong: NDArray[np.bool_]
    """Which of them were misread, (N,)."""

    @property
    def review(self) -> int:
        """Count the fields that need a person."""
        return self.fields - self.accepted

    def as_promise(self) -> FieldPromise:
        """Give it as the profile has it."""
        return FieldPromise(
            template=self.template,
            field=self.field,
            accept=self.promise.accept,
            fields=self.fields,
            accepted=self.promise.accepted,
            wrong=self.promise.wrong,
            wrong_at_most=round(self.promise.wrong_at_most, 6),
            promised=self.promise.holds,
        )


def calibrate(output: Path, truth: Path, target: Target) -> list[Calibrated]:
    """Find for each field the threshold that keeps the error among the accepted low enough.

    Args:
        output: The folder that `extract` wrote.
        truth: What stands there, as for `score`.
        target: What is asked for.

    Returns:
        One for each field, sorted by template and field.

    Raises:
        InputFileError: If a file is missing, or the truth does not match the output.
    """
    both, _ = put_together(output, truth)
    known = both.dropna(subset=["read"])
    if known.empty:
        raise InputFileError(
            f"{truth} and {output} have no field in common; give the truth of what was read there"
        )
    _refuse_other_lengths(known, truth)
    return [
        _calibrate(str(template), str(field), rows, target)
        for (template, field), rows in _groups(known)
    ]


def _refuse_other_lengths(known: pd.DataFrame, truth: Path) -> None:
    """See that texts have one character a box; those of a page that failed have none."""
    is_read = known["read"] != ""
    other = known[is_read & (known["raw"].str.len() != known["read"].str.len())]
    if len(other):
        first = other.iloc[0]
        raise InputFileError(
            f"{truth}: {first['document']}, page {first['page']}, field {first['field']}: "
            f"{first['raw']!r} has {len(first['raw'])} characters, the field has "
            f"{len(first['read'])} boxes; write one character a box, _ for a blank one"
        )


def _groups(known: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    yield from known.groupby(["template", "field"], sort=True)  # type: ignore[misc]  # two keys


def _calibrate(template: str, field: str, rows: pd.DataFrame, target: Target) -> Calibrated:
    decidable = np.array([is_decidable(reasons) for reasons in rows["reasons"]])
    chosen = rows[decidable]
    confidence = chosen["confidence"].to_numpy(np.float64)
    wrong = (chosen["raw"] != chosen["read"]).to_numpy(np.bool_)
    found = promise(confidence, wrong, max_error=target.max_error, level=target.confidence)
    least = inf if found.accept is None else found.accept
    before = (chosen["flag"] == Flag.ACCEPTED).to_numpy() & (confidence >= least)
    accepted = found.accepted if found.holds else int(before.sum())
    return Calibrated(template, field, len(rows), accepted, found, confidence, wrong)


def is_decidable(reasons: str) -> bool:
    """Tell whether confidence alone decides about a field with these reasons."""
    return all(reason.startswith(BY_CONFIDENCE) for reason in reasons.split(";") if reason)
