"""The verbs that read scans and look at what was read."""

# ruff: noqa: PLC0415, PLR0913, PLR0917 - a verb imports what it alone needs, so that each starts
# fast; and its parameters are its options.

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from flows.cli.console import err, out

if TYPE_CHECKING:
    from flows.batch import Rules, Summary

app = typer.Typer()


@app.command(
    epilog="Example: [bold]formdigits extract scans --templates forms --output results[/bold]"
)
def extract(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="Scans, or folders of scans at any depth."),
    ],
    templates: Annotated[Path, typer.Option(metavar="DIR", help="Folder of templates.")],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the CSV files.")],
    direct: Annotated[bool, typer.Option("--direct", help="Without Prefect.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that read.")] = 1,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that formdigits did not write.")
    ] = False,
    database: Annotated[
        str, typer.Option(metavar="URL", help="Results database; else results.db in the output.")
    ] = "",
    profile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What to accept, as calibrate writes it."),
    ] = None,
    today: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="What `today` in a template means; else the clock's day, or SOURCE_DATE_EPOCH.",
        ),
    ] = None,
    audit_share: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Share of the accepted fields that people check too, unannounced; 0.02 is usual.",
        ),
    ] = 0.0,
) -> None:
    """Read scanned forms into fields.csv, digits.csv and pages.csv."""
    from flows.batch import Rules
    from flows.progress import shown
    from flows.results import check_database
    from flows.settling import show_audit, show_drift
    from flows.show import show_run
    from pipeline.export import prepare_output

    prepare_output(output, force=force)
    check_database(output, database, force=force)
    run = _direct if direct else _flow
    with shown(err):
        rules = Rules(profile, today.date() if today else None, audit_share)
        summary = run(inputs, templates, output, workers, database, rules)
    show_run(output, summary, out=out, err=err)
    show_drift(output, err)
    show_audit(output, database, err)


def _direct(
    inputs: list[Path],
    templates: Path,
    output: Path,
    workers: int,
    database: str,
    rules: "Rules",
) -> "Summary":
    from flows.direct import extract_directly

    return extract_directly(
        inputs, templates, output, workers=workers, database=database, rules=rules
    )


def _flow(
    inputs: list[Path],
    templates: Path,
    output: Path,
    workers: int,
    database: str,
    rules: "Rules",
) -> "Summary":
    from flows.embedded import start_if_needed
    from pipeline.ingest import find_documents
    from pipeline.template import load_templates

    # Starting Prefect takes seconds; a mistyped path is told before.
    find_documents(inputs, leave_out=output)
    load_templates(templates, rules.today)
    err.print(Text("starting Prefect; --direct does without it", "dim"))
    start_if_needed()
    from flows.extract import extract as extract_flow

    return extract_flow(inputs, templates, output, workers, database, rules)


@app.command(
    epilog="Example: [bold]formdigits look scan.jpg --templates forms --output pictures[/bold]"
)
def look(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Scans, or folders.")],
    templates: Annotated[Path, typer.Option(metavar="DIR", help="Folder of templates.")],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the pictures.")],
) -> None:
    """Draw how each page was read: a page with its readings, and every stage of every box."""
    from flows.pictures import draw_pages

    for path in draw_pages(inputs, templates, output):
        out.print(str(path), soft_wrap=True)


@app.command(epilog="Example: [bold]formdigits score results --truth truth.csv[/bold]")
def score(
    output: Annotated[Path, typer.Argument(help="Folder that extract wrote.")],
    truth: Annotated[
        Path, typer.Option(metavar="CSV", help="What stands there: document,page,field,raw.")
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures here too.")
    ] = None,
) -> None:
    """Compare a run with what people say stands on the paper."""
    from flows.show import show_score
    from pipeline.score import score as compare
    from pipeline.tables import write_whole

    figures = compare(output, truth)
    if figures.missing:
        err.print(f"{figures.missing} fields of the truth are not in the output: counted as wrong")
    if figures.unscored:
        err.print(f"{figures.unscored} fields of the output are not in the truth: left out")
    if json_file:
        write_whole({json_file: json.dumps(figures.as_dict(), indent=2).encode() + b"\n"})
    show_score(figures, out)
