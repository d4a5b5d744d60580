"""What can be told only when all pages of a batch are there: rosters, audits, drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from flows.batch import Plan
from pipeline.audit import Audited, Key, draw_audit, estimate, keep_audit, read_audit
from pipeline.drift import keep_history, latest_drifts
from pipeline.records import PageResult
from pipeline.store.origin import Origin


def settle(
    results: Sequence[PageResult], plan: Plan, output: Path
) -> tuple[list[PageResult], Origin]:
    """Assign pages to their rosters, draw who is audited, and compare with earlier batches.

    Args:
        results: All of a run.
        plan: The run's.
        output: Where the draw is written down.

    Returns:
        The results as they are final, and the run's origin with what was drawn.

    Raises:
        ExtractionError: If a draw of before cannot be read, or this one not be written.
    """
    final, origin = list(results), plan.origin
    if any(template.roster for template in origin.templates) and origin.profile:
        from pipeline.roster import assign_rosters  # noqa: PLC0415 - loads SciPy

        final = assign_rosters(final, origin.templates, origin.profile)
    keep_history(final, output)
    if not plan.audit_share:
        return final, origin
    drawn = draw_audit(final, plan.audit_share)
    keep_audit(drawn, {page.identity.document for page in final}, output)
    return final, replace(origin, audited=frozenset(one.key for one in drawn))


def show_drift(output: Path, err: Console) -> None:
    """Name what a batch has otherwise than the batches before it in the same folder."""
    for line in latest_drifts(output):
        err.print(f"drift: {line}", style="yellow", soft_wrap=True, highlight=False)


def show_audit(output: Path, database: str, err: Console) -> None:
    """Say what people's answers so far prove about the accepted fields."""
    drawn = read_audit(output)
    if not drawn:
        return
    from pipeline.store.database import database_url, opened  # noqa: PLC0415 - loads SQLAlchemy
    from pipeline.store.load import load_corrections  # noqa: PLC0415

    with opened(database_url(output, database)) as engine:
        answers = {key: one.raw for key, one in load_corrections(engine).items()}
    show_estimate(drawn, answers, err)


def show_estimate(drawn: list[Audited], answers: dict[Key, str], err: Console) -> None:
    """Say what answers prove about the accepted fields."""
    found = estimate(drawn, answers)
    proof = (
        f"{found.wrong} of {found.answered} answered were wrong: between {found.low:.3%} and "
        f"{found.high:.3%} of the accepted fields are (95% sure)"
        if found.answered
        else "none is answered yet"
    )
    err.print(f"audit: {found.drawn} accepted fields drawn for people; {proof}", soft_wrap=True)
