"""Batches that differ from those before: another printer, another scanner, other people's hands."""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.records import Flag, Mark, PageResult, Status
from pipeline.tables import Table, as_csv, read_csv, write_whole

HISTORY_FILE: Final = "history.csv"
_COLUMNS: Final = ("batch", "template", "figure", "pages", "mean", "variance", "chance")
DRIFTED: Final = 1e-4
"""A batch differs where chance alone would do so more seldom than this, all figures together."""
_LEAST_PAGES: Final = 10
"""Fewer on either side say nothing."""
_DIGITS: Final = "0123456789"
FIGURES: Final = {
    "blank": "boxes that are blank",
    "reject": "boxes that cannot be read",
    "review": "fields for a person",
    "residual": "distance of the frames, px",
} | {digit: f"digits that are {digit}" for digit in _DIGITS}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one template's pages in one batch."""

    batch: str
    template: str
    figure: str
    pages: int
    mean: float
    variance: float
    """Between pages: boxes of one page have one writer and one scanner."""
    chance: float | None = None
    """How often a batch like those before would differ as much; None where there are too few."""

    @property
    def drifted(self) -> bool:
        """Tell whether chance is no explanation."""
        return self.chance is not None and self.chance * len(FIGURES) < DRIFTED


def measure_batch(results: Iterable[PageResult]) -> list[Figure]:
    """Measure the pages of a batch, by template; each is looked at once."""
    hashes: list[str] = []
    # Numbers and nothing else: a night's run has many pages.
    found: defaultdict[str, defaultdict[str, array[float]]]
    found = defaultdict(lambda: defaultdict(lambda: array("d")))
    for page in results:
        hashes.append(f"{page.identity.sha256}:{page.identity.number}")
        if page.status is Status.READ:
            for figure, value in _measure_page(page).items():
                found[page.template][figure].append(value)
    batch = hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()[:12]
    measured = []
    for template, of_pages in sorted(found.items()):
        for figure in FIGURES:
            values = np.array(of_pages[figure])
            if len(values):
                spread = float(values.var(ddof=1)) if len(values) > 1 else 0.0
                mean = float(values.mean())
                measured.append(Figure(batch, template, figure, len(values), mean, spread))
    return measured


def _measure_page(page: PageResult) -> dict[str, float]:
    readings = "".join(row.reading for row in page.boxes)
    digits = [reading for reading in readings if reading.isdigit()]
    found = {
        "blank": readings.count(Mark.BLANK) / len(readings),
        "reject": readings.count(Mark.ILLEGIBLE) / len(readings),
        "review": sum(field.flag is Flag.REVIEW for field in page.fields) / len(page.fields),
    }
    if page.residual_px is not None:
        found["residual"] = page.residual_px
    return found | {digit: digits.count(digit) / len(digits) for digit in _DIGITS if digits}


def compare(batch: Sequence[Figure], history: Sequence[Figure]) -> list[Figure]:
    """Compare a batch with all batches before it.

    Source: Welch, "The generalization of Student's problem when several different population
    variances are involved", Biometrika 34 (1947), on pages.

    Args:
        batch: As measured.
        history: Of earlier batches.

    Returns:
        The batch, each figure with how often chance would make it differ as much.
    """
    before = _pool(history)
    return [_compare(one, before.get((one.template, one.figure))) for one in batch]


def _pool(history: Iterable[Figure]) -> dict[tuple[str, str], Figure]:
    """Put batches together as if their pages had been measured at once."""
    groups: dict[tuple[str, str], list[Figure]] = {}
    for one in history:
        groups.setdefault((one.template, one.figure), []).append(one)
    return {key: _pooled(group) for key, group in groups.items()}


def _pooled(group: Sequence[Figure]) -> Figure:
    pages = np.array([one.pages for one in group])
    means = np.array([one.mean for one in group])
    total = int(pages.sum())
    mean = float((pages * means).sum() / total)
    inside = sum((one.pages - 1) * one.variance for one in group)
    between = float((pages * (means - mean) ** 2).sum())
    variance = (inside + between) / max(total - 1, 1)
    return Figure("", group[0].template, group[0].figure, total, mean, variance)


def _compare(one: Figure, before: Figure | None) -> Figure:
    if before is None or min(one.pages, before.pages) < _LEAST_PAGES:
        return one
    from scipy.stats import ttest_ind_from_stats  # noqa: PLC0415 - loading it takes long

    # A figure that never varied may begin to; a page's worth of variance keeps that no miracle.
    floor = (0.5 / (one.pages + before.pages)) ** 2
    deviations = ((max(each.variance, floor)) ** 0.5 for each in (one, before))
    own, others = deviations
    test = ttest_ind_from_stats(
        one.mean, own, one.pages, before.mean, others, before.pages, equal_var=False
    )
    values = one.batch, one.template, one.figure, one.pages, one.mean, one.variance
    return Figure(*values, chance=float(test.pvalue))


def keep_history(results: Iterable[PageResult], output: Path) -> None:
    """Compare a batch with the history in a folder, and add it there as the latest.

    The same batch, read again, takes its own place and is not compared with itself.

    Raises:
        ExtractionError: If the history is damaged, or cannot be written.
    """
    measured = measure_batch(results)
    known = {one.batch for one in measured}
    history = [one for one in read_history(output) if one.batch not in known]
    rows = tuple(_cells(one) for one in (*history, *compare(measured, history)))
    write_whole({output / HISTORY_FILE: as_csv(Table("history", _COLUMNS, rows)).encode()})


def _cells(one: Figure) -> tuple[str, ...]:
    chance = "" if one.chance is None else f"{one.chance:.3g}"
    figures = str(one.pages), f"{one.mean:.6g}", f"{one.variance:.6g}", chance
    return one.batch, one.template, one.figure, *figures


def read_history(output: Path) -> list[Figure]:
    """Read the figures of earlier batches, oldest first; none where there were none."""
    path = output / HISTORY_FILE
    return list(_rows(path)) if path.exists() else []


def _rows(path: Path) -> Iterator[Figure]:
    for row in read_csv(path, _COLUMNS).to_dict("records"):
        chance = float(row["chance"]) if row["chance"] else None
        yield Figure(
            row["batch"],
            row["template"],
            row["figure"],
            int(row["pages"]),
            float(row["mean"]),
            float(row["variance"]),
            chance,
        )


def latest_figures(output: Path) -> list[Figure]:
    """Give the figures of the latest batch; none where there was none."""
    return _latest(read_history(output))


def _latest(history: Sequence[Figure]) -> list[Figure]:
    return [one for one in history if one.batch == history[-1].batch]


def latest_drifts(output: Path) -> list[str]:
    """Say of each figure of the latest batch that drifted what it was before, and what it is."""
    history = read_history(output)
    latest = _latest(history)
    before = _pool(one for one in history if one.batch != history[-1].batch)
    return [
        f"template {one.template}: {FIGURES[one.figure]} went from "
        f"{before[one.template, one.figure].mean:.3g} to {one.mean:.3g} a page"
        for one in latest
        if one.drifted and (one.template, one.figure) in before
    ]
