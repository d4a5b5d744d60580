"""The verbs about what may be promised of a run."""

# ruff: noqa: PLC0415 - a verb imports what it alone needs, so that each starts fast.

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import err, out

app = typer.Typer()


@app.command(
    epilog="Example: [bold]formdigits calibrate results --truth truth.csv --max-error 0.001[/bold],"
    " then [bold]formdigits extract scans --templates forms --output next "
    "--profile results/profile.yaml[/bold]"
)
def calibrate(  # noqa: PLR0913, PLR0917 - its parameters are its options
    output: Annotated[Path, typer.Argument(help="Folder that extract wrote.")],
    truth: Annotated[
        Path, typer.Option(metavar="CSV", help="What stands there: document,page,field,raw.")
    ],
    max_error: Annotated[
        float,
        typer.Option(min=1e-6, max=0.5, help="Share of wrong fields among the accepted."),
    ],
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="How sure the promise must be.")
    ] = 0.95,
    profile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The profile that the run was read with."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Else profile.yaml in the output.")
    ] = None,
) -> None:
    """Find from which confidence on fields may be accepted, for a share of errors you choose."""
    from flows.calibration import calibrate_run, remark, show_calibration
    from pipeline.calibration import Target

    target = Target(max_error, confidence)
    place = write or output / "profile.yaml"
    found = calibrate_run(output, truth, target, before=profile, profile=place)
    show_calibration(found, target, out)
    err.print(remark(found, target, place), soft_wrap=True, highlight=False)


@app.command(epilog="Example: [bold]formdigits audit results --truth answers.csv[/bold]")
def audit(
    output: Annotated[Path, typer.Argument(help="Folder that extract --audit-share wrote.")],
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="What people say stands there: document,page,field,raw; else what they decided "
            "in review.",
        ),
    ] = None,
    database: Annotated[
        str, typer.Option(metavar="URL", help="Results database; else results.db in the output.")
    ] = "",
) -> None:
    """Estimate how many accepted fields are wrong, from those that people checked unannounced."""
    from flows.proofs import show_audit, show_estimate
    from pipeline.audit import AUDIT_FILE, read_audit
    from pipeline.errors import InputFileError
    from pipeline.score import read_truth

    if not read_audit(output):
        raise InputFileError(
            f"{output / AUDIT_FILE} names no field; run extract with --audit-share first"
        )
    if truth is None:
        show_audit(output, database, out)
        return
    rows = read_truth(truth).itertuples(index=False)
    answers = {(str(row[0]), int(str(row[1])), str(row[2])): str(row[3]) for row in rows}
    show_estimate(read_audit(output), answers, out)
