"""What a run says of its batch when it is done: drift, and what the audit proves so far."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from pipeline.audit import Audited, Key, estimate, read_audit
from pipeline.drift import latest_drifts


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
