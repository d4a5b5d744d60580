"""The verbs for whoever looks after the program."""

# ruff: noqa: PLC0415 - a verb imports what it alone needs, so that each starts fast.

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from flows.cli.console import err, out
from pipeline.errors import ExitCode

app = typer.Typer()
_DAYS: Final = {"d": 1, "w": 7, "y": 365}
_OLDEST_DAYS: Final = 100 * 365


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
    from flows.purging import is_unfinished
    from flows.standing import show_standing, standing_of

    found = standing_of(output, database)
    if is_unfinished(output):
        err.print("a purge was cut short: run formdigits purge again, which ends it")
    if as_json:
        out.print_json(json.dumps(asdict(found)))
    else:
        show_standing(found, out)


@app.command(epilog="Example: [bold]formdigits purge results --older-than 90d --dry-run[/bold]")
def purge(
    output: Annotated[Path, typer.Argument(help="Folder that extract wrote.")],
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Since pages were read: 90d, 26w or 7y.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: Annotated[
        str, typer.Option(metavar="URL", help="Results database; else results.db in the output.")
    ] = "",
) -> None:
    """Remove documents by age: rows, what people decided, kept boxes, scans moved by --move.

    The CSV files are written anew. The hash of each scan's bytes stays, so that none is read again.
    """
    from flows.purging import age_to_time, finish, is_unfinished, preview
    from flows.purging import purge as remove
    from flows.remote.address import refuse

    refuse(output, "purge")
    before = age_to_time(_days(older_than))
    if is_unfinished(output) and not dry_run:
        err.print("ending a purge that was cut short")
        finish(output, database)
    aged = preview(output, before, database)
    out.print(
        f"{aged.documents} documents read before {before}: {aged.pages} pages, {aged.fields} "
        f"fields ({aged.decided} decided by people, {aged.undecided} still waiting), "
        f"{len(aged.images)} scans that were moved; {aged.left} scans stay where they lie",
        soft_wrap=True,
        highlight=False,
    )
    if dry_run or not aged.documents:
        return
    if not yes and not typer.confirm("Remove them for good?", err=True):
        raise typer.Exit(ExitCode.FAILED)
    remove(output, before, database)
    err.print(f"removed; {output} is written anew", soft_wrap=True, highlight=False)


def _days(age: str) -> int:
    """Read an age as 90d, 26w or 7y."""
    number, unit = age[:-1], age[-1:]
    if not (number.isascii() and number.isdecimal()) or int(number) < 1 or unit not in _DAYS:
        raise typer.BadParameter("give a number with d, w or y, as 90d", param_hint="--older-than")
    days = int(number) * _DAYS[unit]
    if days > _OLDEST_DAYS:
        raise typer.BadParameter("nothing is so old", param_hint="--older-than")
    return days
