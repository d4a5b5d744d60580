"""The verbs about templates."""

# ruff: noqa: PLC0415 - a verb imports what it alone needs, so that each starts fast.

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import out

app = typer.Typer(no_args_is_help=True, help="Look at templates.")


@app.command(epilog="Example: [bold]formdigits template check forms[/bold]")
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of templates.")],
) -> None:
    """Check templates, and show their fields."""
    from flows.show import show_templates
    from pipeline.template import load_templates

    show_templates(load_templates(folder), out)
