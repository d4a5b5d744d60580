"""A run and its truth to a profile: thresholds for its fields, a table, and a curve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from flows.risk_chart import draw_risk_coverage
from flows.show import show_table
from models.acceptance import read_for
from models.classifier import load_classifier
from pipeline.acceptance import ProfileModel, profile_text
from pipeline.calibration import Calibrated, Target, calibrate
from pipeline.tables import write_whole

COLUMNS = (
    "template",
    "field",
    "fields",
    "accept from",
    "accepted",
    "for a person",
    "wrong",
    "wrong at most",
    "promise",
)
NOWHERE = "nowhere"


def calibrate_run(
    output: Path, truth: Path, target: Target, *, before: Path | None, profile: Path
) -> list[Calibrated]:
    """Find thresholds for the fields of a run, and write them as a profile with their curve.

    Args:
        output: The folder that `extract` wrote.
        truth: What stands there.
        target: What is asked for.
        before: The profile that the run was read with; None for the shipped one.
        profile: The file to write; its curve goes beside it, as PNG.

    Returns:
        What was found for each field.

    Raises:
        ExtractionError: If a file is missing or wrong, or cannot be written.
    """
    card = load_classifier().card
    base = read_for(card, before)
    found = calibrate(output, truth, target)
    model = extend(base, found, target, f"{output.name} with {truth.name}")
    write_whole(
        {
            profile: profile_text(model).encode(),
            profile.with_suffix(".png"): draw_risk_coverage(found, target),
        }
    )
    return found


def extend(
    base: ProfileModel, found: Sequence[Calibrated], target: Target, fitted_on: str
) -> ProfileModel:
    """Give a profile with these fields' thresholds; what it says of others stays."""
    told = [one for one in found if len(one.confidence)]
    new = {(one.template, one.field): one.as_promise() for one in told}
    kept = {(one.template, one.field): one for one in base.fields}
    return base.model_copy(
        update={
            "max_error": target.max_error,
            "confidence": target.confidence,
            "fitted_on": fitted_on,
            "fields": tuple((kept | new).values()),
        }
    )


def show_calibration(found: Sequence[Calibrated], target: Target, out: Console) -> None:
    """Show the thresholds with what they promise."""
    rows = [
        (
            one.template,
            one.field,
            str(one.fields),
            _from_where(one),
            f"{one.accepted} ({one.accepted / one.fields:.1%})",
            f"{one.review} ({one.review / one.fields:.1%})",
            str(one.promise.wrong),
            f"{one.promise.wrong_at_most:.3%}",
            "yes" if one.promise.holds else f"{one.promise.needed} more right ones needed",
        )
        for one in found
    ]
    show_table(out, COLUMNS, rows)


def _from_where(one: Calibrated) -> str:
    if one.promise.holds:
        return f"{one.promise.accept:.4f}"
    return NOWHERE if one.promise.accept is None and len(one.confidence) else "as before"


def remark(found: Sequence[Calibrated], target: Target, profile: Path) -> str:
    """Say in a sentence or two what was found."""
    fields = sum(one.fields for one in found)
    review = sum(one.review for one in found)
    held = sum(one.promise.holds for one in found)
    lines = [
        f"{review} of {fields} fields will need a person. Promised for {held} of {len(found)} "
        f"fields of the form: at most {target.max_error:.3%} wrong among the accepted "
        f"({target.confidence:.0%} sure).",
    ]
    if held < len(found):
        lines.append(
            "For the others the sample is too small: extract goes on deciding about them by the "
            "profile's general thresholds."
        )
    barred = [one.field for one in found if _from_where(one) == NOWHERE]
    if barred:
        lines.append(
            f"Nothing is accepted of {', '.join(barred)} any more: the surest reading was wrong."
        )
    lines.append(f"Written to {profile} and {profile.with_suffix('.png').name}")
    return "\n".join(lines)
