"""The verbs that train and measure networks."""

# ruff: noqa: PLC0415 - a verb imports what it alone needs, so that each starts fast.

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import out
from pipeline.errors import ModelError

app = typer.Typer()


@app.command(epilog="Example: [bold]formdigits train --data mnist --output runs/first[/bold]")
def train(
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for network and card.")],
    network: Annotated[str, typer.Option(help="Which network.")] = "digitnet",
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="MNIST's four files; else downloaded.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often to go through the digits.")] = 14,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network.")] = 1,
) -> None:
    """Train a network and convert it for reading."""
    try:
        from models.learning import Plan
        from models.train import train as learn
    except ModuleNotFoundError as error:
        raise ModelError(f"training needs {error.name}: pip install 'formdigits[train]'") from error
    card = learn(Plan(network=network, epochs=epochs, seed=seed, data=data, output=output))
    out.print_json(data=card.figures)


@app.command(epilog="Example: [bold]formdigits evaluate --data mnist[/bold]")
def evaluate(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="MNIST's four files; else downloaded.")
    ] = None,
    network: Annotated[str, typer.Option(help="Which network.")] = "digitnet",
) -> None:
    """Measure a network on MNIST's test half, other digit sets in the folder, and no digits."""
    from models.classifier import load_classifier
    from models.evaluate import evaluate_network, table

    out.print(table(evaluate_network(data, load_classifier(network))))
