"""The verbs that train and measure networks."""

# ruff: noqa: PLC0415, PLR0913, PLR0917 - a verb imports what it alone needs, so that each starts
# fast; and its parameters are its options.

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from flows.cli.console import err, out
from pipeline.errors import ModelError

if TYPE_CHECKING:
    from models.learning import Plan
    from pipeline.records import ModelCard

app = typer.Typer()


@app.command(
    epilog="Example: [bold]formdigits train --data mnist --output runs/first[/bold]. Ctrl-C stops "
    "it, and the same command goes on from there."
)
def train(
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for network and card.")],
    network: Annotated[str, typer.Option(help="Which network.")] = "digitnet",
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="MNIST's four files; else downloaded.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often to go through the digits.")] = 14,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network.")] = 1,
    also: Annotated[
        list[Path] | None,
        typer.Option(metavar="NPZ", help="Boxes of export --boxes to learn from too; repeatable."),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .keras file of this network to go on from."),
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="A trained network's .tflite to learn from too; repeatable."
        ),
    ] = None,
    pages: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Simulated pages of models.page_boxes to learn from too."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A .keras file: do not train, but convert and calibrate this one."
        ),
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Let it read from now on, unless it is worse.")
    ] = False,
    direct: Annotated[bool, typer.Option("--direct", help="Without Prefect.")] = False,
) -> None:
    """Train a network, convert and calibrate it, measure it, and keep it unless it is worse."""
    from pipeline.complaints import listening

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with listening():  # while it loads, TensorFlow remarks on the machine
            from models.learning import Plan
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    others = tuple(also or ()), tuple(teacher or ()), pages
    plan = Plan(network, epochs, seed, data, output, start, *others)
    run = _direct if direct else _flow
    try:
        card = run(plan, weights, install)
    except KeyboardInterrupt:
        if plan.checkpoint.exists():
            err.print("what was learned is kept; the same command goes on from there")
        raise
    out.print_json(data=card.figures)
    err.print(f"written to {output}, with a page that shows how well it reads", soft_wrap=True)


def _direct(plan: "Plan", weights: Path | None, install: bool) -> "ModelCard":
    from models.publish import adopt, publish
    from models.publish import install as let_read
    from models.train import train as learn

    if weights:
        adopt(weights, plan)
    card = publish(plan) if weights else learn(plan)
    return let_read(plan) if install else card


def _flow(plan: "Plan", weights: Path | None, install: bool) -> "ModelCard":
    from flows.embedded import start_if_needed

    err.print(Text("starting Prefect; --direct does without it", "dim"))
    start_if_needed()
    from flows.train import train as train_flow

    return train_flow(plan, weights, install)


@app.command(
    epilog="Example: [bold]formdigits evaluate --data mnist[/bold], or on forms of your own "
    "[bold]formdigits evaluate --forms scans --templates forms --truth truth.csv[/bold]"
)
def evaluate(
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the page and its pictures.")
    ] = Path("evaluation"),
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="MNIST's four files and perhaps other digit sets; else downloaded."
        ),
    ] = None,
    network: Annotated[str, typer.Option(help="Which network.")] = "digitnet",
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it lies; else the installed one.")
    ] = None,
    forms: Annotated[
        list[Path] | None, typer.Option(metavar="INPUT", help="Scans, or a folder; repeatable.")
    ] = None,
    templates: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of their templates.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(metavar="CSV", help="What stands there: document,page,field,raw.")
    ] = None,
) -> None:
    """Measure a network: a page with figures, charts and every misread digit."""
    if (forms, templates, truth).count(None) not in {0, 3}:
        raise typer.BadParameter("--forms, --templates and --truth go together")
    try:
        from models.evaluation.run import Own, evaluate_network
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    from flows.show import show_table
    from models.evaluation.figures import COLUMNS, rows

    own = Own(tuple(forms), templates, truth) if forms and templates and truth else None
    figures, page = evaluate_network(network, weights, data, own, output)
    show_table(out, ("set", "samples", *COLUMNS), rows(figures))
    err.print(f"shown on {page}", soft_wrap=True)


def _missing(error: ModuleNotFoundError) -> ModelError:
    return ModelError(f"this needs {error.name}: pip install 'formdigits[train]'")
