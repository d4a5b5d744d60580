"""Pictures of figures, as PNG: each for a light page and for a dark one."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray
from scipy.stats import binomtest

from models.calibrate import BINS, confidence_and_right
from models.evaluation.figures import Outcome, class_name, count_confusions
from models.samples import CLASSES
from pipeline.tables import write_whole


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours of a page."""

    suffix: str
    """Follows the name of each picture."""
    paper: str
    ink: str
    faint: str
    line: str
    accent: str
    warning: str
    none: str
    """A cell with nothing in it."""


LIGHT = Scheme("", "#ffffff", "#1f2430", "#6b7280", "#e3e6ec", "#2457d6", "#c2410c", "#f4f5f8")
DARK = Scheme("-dark", "#171a21", "#e8eaf0", "#98a0b0", "#2c313c", "#7aa2ff", "#fb923c", "#1e222b")
DOTS_PER_INCH = 180
FIGURE_WIDTH = 5.6
FIGURE_SIZE = (FIGURE_WIDTH, 3.9)
_PERCENT = FuncFormatter(lambda share, _: f"{100 * share:g} %")
MUCH_CONFUSED = 0.1
"""Share of a class read as one other from which a cell has its full colour."""


def draw_charts(outcome: Outcome, accept: float) -> dict[str, bytes]:
    """Draw all charts of an outcome, for both schemes: names without suffix, and PNGs."""
    confusions = count_confusions(outcome)
    made = {}
    for scheme in (LIGHT, DARK):
        made[f"confusion{scheme.suffix}"] = draw_confusions(confusions, scheme)
        made[f"reliability{scheme.suffix}"] = draw_reliability(outcome, scheme)
        made[f"risk-coverage{scheme.suffix}"] = draw_risk_coverage(outcome, accept, scheme)
    return made


def draw_confusions(confusions: NDArray[np.int64], scheme: Scheme) -> bytes:
    """Draw a confusion matrix as a heat map: rows are true, and coloured by their own share.

    The diagonal has a colour of its own, so that few errors show beside many right ones.
    """
    rows = np.flatnonzero(confusions.sum(axis=1))
    columns = np.flatnonzero(confusions.sum(axis=0) + confusions.sum(axis=1))
    cells = confusions[np.ix_(rows, columns)]
    shares = cells / cells.sum(axis=1, keepdims=True)
    right = rows[:, None] == columns
    strength = np.where(right, shares, np.sqrt(np.minimum(1, shares / MUCH_CONFUSED)))[..., None]
    none, good, bad = (np.array(to_rgb(c)) for c in (scheme.none, scheme.accent, scheme.warning))
    colours = none + strength * (np.where(right[..., None], good, bad) - none)
    figure, axes = _start(scheme, (FIGURE_WIDTH, 0.9 + 0.33 * max(len(rows), 3)))
    axes.imshow(colours, aspect="auto")
    for place, count in np.ndenumerate(cells):
        if count:
            colour = scheme.paper if strength[place][0] > 0.6 else scheme.ink
            _write(axes, place, f"{count}", colour)
    axes.set_xticks(range(len(columns)), [class_name(CLASSES[place]) for place in columns])
    axes.set_yticks(range(len(rows)), [class_name(CLASSES[place]) for place in rows])
    for label in axes.get_xticklabels():
        label.set_fontsize(9 if len(label.get_text()) == 1 else 6.5)
    axes.set(xlabel="read as", ylabel="truly")
    axes.set_xticks(np.arange(1, len(columns)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(rows)) - 0.5, minor=True)
    axes.grid(visible=False)
    axes.grid(which="minor", color=scheme.paper, linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    return _as_png(figure)


def _write(axes: Axes, place: tuple[int, ...], text: str, colour: str) -> None:
    row, column = place
    axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=colour)


def draw_reliability(outcome: Outcome, scheme: Scheme) -> bytes:
    """Draw how often boxes of each confidence were right, and how many of each there are.

    Bins as in `calibration_error`; the bars on the points are exact 95 % intervals (Clopper and
    Pearson, Biometrika 26, 1934): few boxes say little.
    """
    confidence, right = confidence_and_right(outcome.probabilities, outcome.labels)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    figure, (axes, below) = _start_two(scheme)
    axes.plot([0, 1], [0, 1], color=scheme.faint, linewidth=1, linestyle=(0, (4, 3)))
    for place in np.flatnonzero(counts):
        chosen = bins == place
        hits = int(right[chosen].sum())
        interval = binomtest(hits, int(counts[place])).proportion_ci()
        middle = float(confidence[chosen].mean())
        axes.plot([middle] * 2, interval, color=scheme.accent, linewidth=1.2, alpha=0.6)
        axes.plot(middle, hits / counts[place], "o", color=scheme.accent, markersize=5)
    axes.set(ylabel="right", ylim=(-0.02, 1.02))
    edges = (np.arange(BINS) + 0.5) / BINS
    below.bar(edges, counts, width=0.8 / BINS, color=scheme.accent, alpha=0.75)
    below.set(xlabel="confidence", ylabel="boxes", yscale="log", xlim=(-0.02, 1.02))
    below.set_ylim(bottom=0.7)
    for part in (axes.xaxis, axes.yaxis, below.xaxis):
        part.set_major_formatter(_PERCENT)
    return _as_png(figure)


def draw_risk_coverage(outcome: Outcome, accept: float, scheme: Scheme) -> bytes:
    """Draw how many accepted boxes are wrong, as more of them are accepted, the surest first.

    Source: El-Yaniv and Wiener, "On the foundations of noise-free selective classification",
    JMLR 11 (2010).
    """
    confidence, right = confidence_and_right(outcome.probabilities, outcome.labels)
    order = np.argsort(-confidence, kind="stable")
    taken = np.arange(1, len(order) + 1)
    coverage, risk = taken / (len(order) + outcome.unread), np.cumsum(1 - right[order]) / taken
    figure, axes = _start(scheme, FIGURE_SIZE)
    axes.plot(coverage, risk, color=scheme.accent, linewidth=1.8)
    axes.fill_between(coverage, risk, color=scheme.accent, alpha=0.12, linewidth=0)
    accepted = int((confidence >= accept).sum())
    if accepted:
        point = coverage[accepted - 1], risk[accepted - 1]
        axes.plot(*point, "o", color=scheme.warning, markersize=7, zorder=3)
        axes.annotate(
            f"accepted from {100 * accept:.1f} % on",
            point,
            xytext=(-8, 14),
            textcoords="offset points",
            ha="right",
            color=scheme.ink,
        )
    axes.set(xlabel="share of boxes accepted", ylabel="wrong among them", xlim=(0, 1.01))
    axes.set_ylim(0, max(0.002, 1.15 * float(risk[len(risk) // 20 :].max())))
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.yaxis.set_major_formatter(_PERCENT)
    return _as_png(figure)


def draw_curve(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw loss and accuracy on held-out writers over the epochs, as PNG.

    Args:
        history: One row an epoch, as `models.train.learn` keeps it.
        path: The PNG file.
    """
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    loss, errors = figure.subplots(1, 2)
    loss.semilogy(epochs, [row["loss"] for row in history])
    loss.set(xlabel="epoch", ylabel="training loss")
    for name in ("clean", "scanned"):
        errors.semilogy(epochs, [100 * (1 - row[name]) + 1e-3 for row in history], label=name)
    errors.set(xlabel="epoch", ylabel="error on held-out writers, %")
    errors.legend()
    write_whole({path: _as_png(figure)})


def _start(scheme: Scheme, size: tuple[float, float]) -> tuple[Figure, Axes]:
    with rc_context(_style(scheme)):
        figure = Figure(figsize=size, layout="constrained")
        return figure, figure.subplots()


def _start_two(scheme: Scheme) -> tuple[Figure, NDArray[np.object_]]:
    with rc_context(_style(scheme)):
        figure = Figure(figsize=FIGURE_SIZE, layout="constrained")
        return figure, figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))


def _style(scheme: Scheme) -> Any:  # matplotlib types its settings by hundreds of names
    return {
        "figure.facecolor": scheme.paper,
        "axes.facecolor": scheme.paper,
        "axes.edgecolor": scheme.line,
        "axes.labelcolor": scheme.faint,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": scheme.line,
        "grid.linewidth": 0.7,
        "xtick.color": scheme.faint,
        "ytick.color": scheme.faint,
        "text.color": scheme.ink,
        "font.size": 9,
    }


def _as_png(figure: Figure) -> bytes:
    """Give the PNG; without matplotlib's version in it, the same figures give the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()
