"""How right a run was, and how well it knew: its output against what people say stands there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.errors import InputFileError
from pipeline.records import Flag, Mark
from pipeline.tables import read_csv

TRUTH_COLUMNS: Final = ("document", "page", "field", "raw")
_KEY: Final = ["document", "page", "field"]
_STATES: Final = {Mark.BLANK: "blank", Mark.STRUCK: "struck", Mark.ILLEGIBLE: "illegible"}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of a kind there are, and how many of them were right."""

    count: int
    right: int

    @property
    def accuracy(self) -> float | None:
        """Share that was right, 0 to 1; None where there are none."""
        return self.right / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of one run. Shares are 0 to 1, and None where there is nothing to divide by."""

    boxes: Tally
    states: dict[str, Tally]
    """By what truly stands in the box: digit, blank, struck."""
    fields: Tally
    accepted: int
    wrong_accepted: int
    aurc: float | None
    """Area under the risk-coverage curve over fields by confidence; 0 is best."""
    missing: int
    """Fields of the truth that the output lacks; they count as wrong."""
    unscored: int
    """Fields of the output that the truth does not name."""

    def as_dict(self) -> dict[str, object]:
        """Give the figures as JSON has them."""
        return {
            "boxes": self.boxes.count,
            "box_accuracy": self.boxes.accuracy,
            "by_state": {
                state: {"boxes": tally.count, "accuracy": tally.accuracy}
                for state, tally in self.states.items()
            },
            "fields": self.fields.count,
            "field_accuracy": self.fields.accuracy,
            "accepted_share": self.accepted / self.fields.count,
            "wrong_accepted": self.wrong_accepted,
            "wrong_accepted_share": self.wrong_accepted_share,
            "aurc": self.aurc,
            "missing_fields": self.missing,
            "unscored_fields": self.unscored,
        }

    @property
    def wrong_accepted_share(self) -> float | None:
        """Wrong fields among the accepted ones, 0 to 1; None where none was accepted."""
        return self.wrong_accepted / self.accepted if self.accepted else None


def score(output: Path, truth: Path) -> Score:
    """Compare a run's output with the truth.

    Args:
        output: The folder that `extract` wrote.
        truth: A CSV of document, page, field and raw, one row a field.

    Raises:
        InputFileError: If a file is missing or lacks a column, or the truth is of other scans.
    """
    both, unscored = put_together(output, truth)
    missing = int(both["read"].isna().sum())
    both = both.fillna({"read": "", "confidence": "0", "flag": str(Flag.REVIEW)})
    return _score(both, missing, unscored)


def put_together(output: Path, truth: Path) -> tuple[pd.DataFrame, int]:
    """Put what was read beside what stands there.

    Args:
        output: The folder that `extract` wrote.
        truth: A CSV of document, page, field and raw, one row a field.

    Returns:
        A row for each field of the truth, as text: document, page, field, raw, and of the output
        template, read, confidence, flag and reasons, NA where it lacks the field; and how many
        fields of the output the truth does not name.

    Raises:
        InputFileError: If a file is missing or lacks a column, or the truth is of other scans.
    """
    expected = read_truth(truth)
    columns = (*_KEY, "template", "raw", "confidence", "flag", "reasons")
    found = read_csv(output / "fields.csv", columns).rename(columns={"raw": "read"})
    _refuse_other_scans(expected, read_csv(output / "pages.csv", ("document",)), truth)
    both = expected.merge(found, on=_KEY, how="left")
    return both, len(found) - int(both["read"].notna().sum())


def read_truth(path: Path) -> pd.DataFrame:
    """Read what people say stands on the paper.

    Returns:
        A frame of str with the columns document, page, field and raw; one row a field.

    Raises:
        InputFileError: If it is missing or no such CSV, empty, names a field twice, or a page by
            what is no number.
    """
    truth = read_csv(path, TRUTH_COLUMNS)
    if truth.empty:
        raise InputFileError(f"{path} names no field; write one row a field")
    unnumbered = truth[~truth["page"].str.fullmatch("[1-9][0-9]*")]
    if len(unnumbered):
        document, page = unnumbered.iloc[0][["document", "page"]]
        raise InputFileError(f"{path}: {document} has page {page!r}; number pages 1, 2, ...")
    twice = truth[truth.duplicated(_KEY)]
    if len(twice):
        name = ", ".join(twice.iloc[0][_KEY])
        raise InputFileError(f"{path} names {name} twice; keep one row")
    return truth


def _refuse_other_scans(truth: pd.DataFrame, pages: pd.DataFrame, path: Path) -> None:
    unknown = sorted(set(truth["document"]) - set(pages["document"]))
    if unknown:
        raise InputFileError(
            f"{path} names {len(unknown)} documents that the output lacks, {unknown[0]!r} first; "
            "names are relative to the INPUT that was given to extract"
        )


def _score(both: pd.DataFrame, missing: int, unscored: int) -> Score:
    right = (both["raw"] == both["read"]).to_numpy()
    accepted = (both["flag"] == Flag.ACCEPTED).to_numpy()
    states = _box_tallies(both["raw"], both["read"])
    return Score(
        boxes=Tally(
            sum(tally.count for tally in states.values()),
            sum(tally.right for tally in states.values()),
        ),
        states=states,
        fields=Tally(len(right), int(right.sum())),
        accepted=int(accepted.sum()),
        wrong_accepted=int((accepted & ~right).sum()),
        aurc=risk_coverage_area(both["confidence"].to_numpy(np.float64), right),
        missing=missing,
        unscored=unscored,
    )


def _box_tallies(truth: "pd.Series[str]", read: "pd.Series[str]") -> dict[str, Tally]:
    boxes = pd.DataFrame(
        [
            (_STATES.get(Mark(mark), "") if mark in set(Mark) else "digit", mark == seen)
            for raw, found in zip(truth, read, strict=True)
            for mark, seen in zip(raw, found.ljust(len(raw)), strict=False)
        ],
        columns=["state", "right"],
    )
    tallies = boxes.groupby("state")["right"].agg(["size", "sum"])
    shown = ["digit", "blank", "struck", *sorted(set(tallies.index) - {"digit", "blank", "struck"})]
    tallies = tallies.reindex(shown, fill_value=0)
    return {str(state): Tally(int(n), int(ok)) for state, n, ok in tallies.itertuples()}


def risk_coverage_area(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Average the risk over all coverages, the surest fields taken first.

    Fields of equal confidence come in no order: each stands for the average of all orders, so that
    the figure does not depend on how rows are sorted.

    Source: Geifman, Uziel and El-Yaniv, "Bias-reduced uncertainty estimation for deep neural
    classifiers", ICLR 2019.

    Args:
        confidence: Shape (N,), N at least 1.
        right: Shape (N,).

    Returns:
        The area, 0 to 1: the mean over k of the share of wrong fields among the k surest.
    """
    order = np.argsort(-confidence, kind="stable")
    steps = np.append(np.flatnonzero(np.diff(confidence[order])) + 1, len(order))
    wrong = np.cumsum(~right[order])[steps - 1]
    taken = np.arange(1, len(order) + 1)
    return float(np.mean(np.interp(taken, [0, *steps], [0, *wrong]) / taken))
