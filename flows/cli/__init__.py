"""The command line, and the process boundary: errors become messages and exit codes."""

import sys

import typer
from rich.text import Text

from flows.cli import care, network, promises, review, scans, service, template
from flows.cli.console import err
from pipeline.errors import ExitCode, ExtractionError

app = typer.Typer(
    help="Reads handwritten digits from the boxes of scanned forms, and says how sure it is.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
app.add_typer(scans.app)
app.add_typer(promises.app)
app.add_typer(review.app)
app.add_typer(service.app)
app.add_typer(care.app)
app.add_typer(network.app)
app.add_typer(template.app, name="template")


def main() -> None:
    """Run the command line; nothing but what a verb was asked for goes to stdout."""
    try:
        app(prog_name="formdigits")
    except ExtractionError as error:
        err.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == ExitCode.INTERRUPTED:
            err.print("interrupted; the same command goes on from there.")
        raise
