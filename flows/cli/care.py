"""The verbs for whoever looks after the program."""

# ruff: noqa: PLC0415 - a verb imports what it alone needs, so that each starts fast.

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import err, out
from pipeline.errors import ExitCode

app = typer.Typer()


@app.command(
    epilog="Example: [bold]formdigits doctor inbox results --templates forms[/bold]. "
    "Exit code 0: all is well, or works for now; 1: something has failed."
)
def doctor(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDER]...", help="Inboxes and outputs, to be read and written."),
    ] = None,
    templates: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of templates.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder whose results.db is looked at.")
    ] = None,
    database: Annotated[str, typer.Option(metavar="URL", help="Results database.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
) -> None:
    """Find out what keeps formdigits from working here, and what to do about it."""
    from flows.doctor.examination import examination
    from flows.doctor.finding import State
    from flows.show import show_table

    findings = list(examination(folders or [], templates, output, database))
    if as_json:
        out.print_json(json.dumps([asdict(one) for one in findings]))
    else:
        rows = [(one.what, one.state, one.found, one.todo) for one in findings]
        show_table(out, ("what", "state", "found", "what to do"), rows)
    failures = sum(one.state is State.FAILED for one in findings)
    if failures:
        err.print(f"{failures} of {len(findings)} findings keep formdigits from working")
        raise typer.Exit(ExitCode.FAILED)
    err.print("formdigits can work here")


@app.command(epilog="Example: [bold]formdigits status results --json[/bold]")
def status(
    output: Annotated[Path, typer.Argument(help="Folder that extract wrote.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    database: Annotated[
        str, typer.Option(metavar="URL", help="Results database; else results.db in the output.")
    ] = "",
) -> None:
    """Say how things stand: documents, pages, fields, what waits, the last runs, what failed."""
    from flows.standing import show_standing, standing_of

    found = standing_of(output, database)
    if as_json:
        out.print_json(json.dumps(asdict(found)))
    else:
        show_standing(found, out)
