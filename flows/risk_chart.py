"""The risk-coverage curve of a calibration, as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from pipeline.calibration import Calibrated, Target


def draw_risk_coverage(fields: Sequence[Calibrated], target: Target) -> bytes:
    """Draw for each field the share of wrong ones among the surest, and the chosen point.

    Returns:
        A PNG. Coverage counts all fields, also those that no threshold lets pass.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for one in fields:
        if not len(one.confidence):
            continue
        order = np.argsort(-one.confidence, kind="stable")
        taken = np.arange(1, len(order) + 1)
        risk = np.cumsum(one.wrong[order]) / taken
        (line,) = axes.plot(
            100 * taken / one.fields, 100 * risk, label=f"{one.template}: {one.field}"
        )
        if one.promise.accepted:
            at = 100 * one.promise.accepted / one.fields
            share = 100 * one.promise.wrong / one.promise.accepted
            filled = line.get_color() if one.promise.holds else "white"
            axes.plot(at, share, "o", color=line.get_color(), markerfacecolor=filled, clip_on=False)
    axes.axhline(100 * target.max_error, color="grey", linestyle=":", linewidth=1)
    axes.set(
        xlabel="fields accepted, %",
        ylabel="wrong among them, %",
        title=f"dots: the threshold; hollow: no promise of {100 * target.max_error:g} % yet",
        xlim=(0, 100),
    )
    axes.set_ylim(bottom=0)
    if len(fields) <= 12:
        axes.legend(fontsize="small")
    memory = io.BytesIO()
    figure.savefig(memory, format="png", dpi=120, metadata={"Software": None})
    return memory.getvalue()
