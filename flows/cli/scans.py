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
from flows.runner import Runner

if TYPE_CHECKING:
    from flows.batch import Summary
    from flows.order import Order, Reread

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
        bool,
        typer.Option(
            "--force", help="Read all again, and replace files that formdigits did not write."
        ),
    ] = False,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed",
            help="Read again what another template, profile or network was used for before.",
        ),
    ] = False,
    move: Annotated[
        bool,
        typer.Option(
            "--move", help="Move read files to done/, failed/, duplicate/ below the input."
        ),
    ] = False,
    settle_s: Annotated[
        float,
        typer.Option(
            "--settle",
            min=0,
            metavar="SECONDS",
            help="Leave files that were changed in the last seconds to the next run.",
        ),
    ] = 1.0,
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
    runner: Annotated[
        Runner,
        typer.Option(help="What reads: processes of this machine, or a Dask cluster."),
    ] = Runner.LOCAL,
    scheduler: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The Dask cluster's, as tcp://HOST:8786; else --workers are started here.",
        ),
    ] = "",
) -> None:
    """Read scanned forms into fields.csv, digits.csv and pages.csv."""
    from flows.batch import Rules
    from flows.order import Handling, Order
    from flows.progress import shown
    from flows.proofs import show_audit, show_drift
    from flows.remote.address import address_of, at_hand
    from flows.results import check_database
    from flows.show import show_run
    from pipeline.export import prepare_output

    _refuse_cluster(direct=direct, runner=runner, scheduler=scheduler)
    rules = Rules(profile, today.date() if today else None, audit_share)
    handling = Handling(_reread(force=force, changed=changed), move, settle_s)
    with at_hand(inputs, output, moves=move) as here:
        prepare_output(here.output, force=force)
        check_database(here.output, database, force=force)
        order = Order(here.inputs, templates, here.output, database, rules, handling)
        with shown(err):
            summary = (
                _direct(order, workers) if direct else _flow(order, workers, runner, scheduler)
            )
        show_run(here.output, summary, out=out, err=err)
        if summary.pages:
            show_drift(here.output, err)
        show_audit(here.output, database, err)
    if here.output != output:
        err.print(f"Put to {address_of(output)}", soft_wrap=True, highlight=False)


def _refuse_cluster(*, direct: bool, runner: Runner, scheduler: str) -> None:
    """Refuse a cluster that cannot be used, before Prefect is started, which takes seconds."""
    if scheduler and runner is not Runner.DASK:
        raise typer.BadParameter("needs --runner dask", param_hint="--scheduler")
    if direct and runner is Runner.DASK:
        raise typer.BadParameter("runs Prefect's tasks, and --direct none", param_hint="--runner")
    if runner is Runner.DASK:
        from flows.cluster import reach

        reach(scheduler)


def _reread(*, force: bool, changed: bool) -> "Reread":
    from flows.order import Reread

    return Reread.ALL if force else Reread.CHANGED if changed else Reread.NEW


def _direct(order: "Order", workers: int) -> "Summary":
    from flows.direct import extract_directly

    return extract_directly(
        order.inputs,
        order.templates,
        order.output,
        workers=workers,
        database=order.database,
        rules=order.rules,
        handling=order.handling,
    )


def _flow(order: "Order", workers: int, runner: Runner, scheduler: str) -> "Summary":
    from flows.embedded import start_if_needed
    from flows.order import refuse

    # Starting Prefect takes seconds; a mistyped path is told before.
    refuse(order)
    err.print(Text("starting Prefect; --direct does without it", "dim"))
    start_if_needed()
    from flows.extract import extract as extract_flow

    return extract_flow(
        list(order.inputs),
        order.templates,
        order.output,
        workers,
        order.database,
        order.rules,
        reread=order.handling.reread,
        move=order.handling.move,
        settle_s=order.handling.settle_s,
        runner=runner,
        scheduler=scheduler,
    )


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
