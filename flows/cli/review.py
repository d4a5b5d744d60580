"""The verbs for what comes after reading: review by people, and export."""

# ruff: noqa: PLC0415, PLR0913, PLR0917 - a verb imports what it alone needs, so that each starts
# fast; and its parameters are its options.

import getpass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from flows.cli.console import err, out

app = typer.Typer()


@app.command(epilog="Example: [bold]formdigits review results[/bold]")
def review(
    output: Annotated[Path, typer.Argument(help="Folder that extract wrote.")],
    host: Annotated[str, typer.Option(help="Address to serve at.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port; else 8077, or any that is free.")
    ] = None,
    reviewer: Annotated[
        str, typer.Option(metavar="NAME", help="Who reviews; else who is logged in.")
    ] = "",
    token: Annotated[
        str, typer.Option(metavar="TEXT", help="What others must know; needed off this machine.")
    ] = "",
    scans: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the scans are, if they have moved.")
    ] = None,
    database: Annotated[
        str, typer.Option(metavar="URL", help="Results database; else results.db in the output.")
    ] = "",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    second_key: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of decided fields that another keys again, blind."),
    ] = 0.0,
    edited: Annotated[
        Path | None,
        typer.Option(
            "--import", metavar="FILE", help="Take an edited fields.csv instead; open no page."
        ),
    ] = None,
) -> None:
    """Show people what the machine is not sure of, on a web page of this machine."""
    name = reviewer or _logged_in()
    if edited:
        from flows.results import apply_reviews

        final = apply_reviews(output, [edited], name, database=database)
        err.print(f"{final.imported} fields changed by {edited}", soft_wrap=True, highlight=False)
        return
    from pipeline.review.server import Desk, serve
    from pipeline.store.database import database_url

    def tell(address: str) -> None:
        out.print(address, soft_wrap=True, highlight=False)
        err.print(Text("serving the review pages; Ctrl-C ends it", "dim"))

    url = database_url(output, database)
    serve(Desk(output, url, host, port, name, token, scans, not no_browser, second_key), tell)


def _logged_in() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return "reviewer"


class Form(StrEnum):
    """What the results are written as."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


@app.command(epilog="Example: [bold]formdigits export results --format xlsx[/bold]")
def export(
    output: Annotated[Path, typer.Argument(help="Folder that extract wrote.")],
    form: Annotated[Form, typer.Option("--format", help="Which files to write.")] = Form.CSV,
    boxes: Annotated[
        bool,
        typer.Option(
            "--boxes", help="Write boxes.npz for train --also, and reviewed.csv for calibrate, too."
        ),
    ] = False,
    database: Annotated[
        str, typer.Option(metavar="URL", help="Results database; else results.db in the output.")
    ] = "",
) -> None:
    """Write the results as people corrected them, with who decided each field."""
    from flows.results import apply_reviews

    final = apply_reviews(output, form=form, database=database, boxes=boxes)
    with_boxes = f", {final.boxes} boxes labelled" if boxes else ""
    err.print(
        f"{final.fields} fields, {final.decided} decided by people{with_boxes}. "
        f"Written to {output}",
        soft_wrap=True,
        highlight=False,
    )
