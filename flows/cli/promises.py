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
