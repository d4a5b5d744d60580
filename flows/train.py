"""The Prefect flow that makes a network: train, convert, calibrate, evaluate, put in place.

Conversion comes before calibration, since it is the int8 network that reads.
"""

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run

from models import publish
from models.learning import Plan
from models.train import learn_draft
from pipeline.records import ModelCard


def name_run() -> str:
    """Name a run after its network and where that goes."""
    plan = flow_run.parameters["plan"]
    return f"{plan.network} → {plan.output.name}"


learn = task(name="train")(learn_draft)
adopt = task(name="take trained weights")(publish.adopt)
convert = task(name="convert")(publish.convert)
calibrate = task(name="calibrate")(publish.calibrate)
compare = task(name="compare with the one in place")(publish.compare)
evaluate = task(name="evaluate")(publish.measure_draft)
put_in_place = task(name="put in place")(publish.put_in_place)
let_read = task(name="install")(publish.install)


@flow(name="train", flow_run_name=name_run, persist_result=False)
def train(plan: Plan, weights: Path | None = None, install: bool = False) -> ModelCard:
    """Make a network, and keep it unless it is worse than the one in its place.

    Each task goes on from what the one before left in the plan's folder; an interrupted run is
    taken up again where its last epoch ended.

    Args:
        plan: What to train, on what, and where to write.
        weights: A `.keras` file to go on with instead of training.
        install: Whether it is to read from now on.

    Returns:
        The card.

    Raises:
        ModelError: If data are damaged, training failed, or the network in place is better; then
            that one stays.
        OutputError: If the folder cannot be written.
    """
    if weights:
        adopt(weights, plan)
    else:
        learn(plan)
    convert(plan)
    calibrate(plan)
    compare(plan)
    evaluate(plan)
    card = put_in_place(plan)
    if not weights:
        plan.checkpoint.unlink()
    if install:
        let_read(plan)
    _publish(card)
    return card


def _publish(card: ModelCard) -> None:
    """Leave the figures as an artifact of the run."""
    rows = [
        f"| {name} | {row['samples']} | {100 * row['accuracy']:.2f} % "
        f"| {100 * row['calibration_error']:.2f} % |"
        for name, row in card.figures.items()
    ]
    lines = ["| set | samples | right | calibration error |", "|---|---|---|---|", *rows]
    create_markdown_artifact("\n".join(lines), key="train-figures", description=card.trained_on)
