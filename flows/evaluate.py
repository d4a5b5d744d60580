"""The Prefect flow that measures the network, on forms of one's own or on sets of digits."""

from __future__ import annotations

import os
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from flows.workers import RETRIES, RETRY_DELAY_S
from pipeline.errors import ModelError


def name_run() -> str:
    """Name a run after what it measures on."""
    parameters = flow_run.parameters
    where = parameters["truth"] or parameters["data"] or "MNIST"
    return f"{parameters['network']} on {'/'.join(Path(where).parts[-2:])}"


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAY_S, retry_jitter_factor=0.5)
def measure(  # noqa: PLR0913, PLR0917 - the options of the flow
    network: str,
    weights: Path | None,
    data: Path | None,
    forms: list[Path],
    templates: Path | None,
    truth: Path | None,
    output: Path,
) -> list[dict[str, str]]:
    """Measure, and write the page; gives a row of figures a set."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        from models.evaluation.figures import COLUMNS, rows  # noqa: PLC0415 - loads Keras
        from models.evaluation.run import Own, evaluate_network  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModelError(f"this needs {error.name}: pip install 'formdigits[train]'") from error
    own = Own(tuple(forms), templates, truth) if forms and templates and truth else None
    figures, page = evaluate_network(network, weights, data, own, output)
    get_run_logger().info("shown on %s", page)
    columns = "set", "samples", *COLUMNS
    return [dict(zip(columns, row, strict=True)) for row in rows(figures)]


@flow(name="evaluate", flow_run_name=name_run, persist_result=False)
def evaluate(  # noqa: PLR0913, PLR0917 - the options of a run
    output: Path,
    forms: list[Path] | None = None,
    templates: Path | None = None,
    truth: Path | None = None,
    data: Path | None = None,
    network: str = "digitnet",
    weights: Path | None = None,
) -> list[dict[str, str]]:
    """Measure a network: figures on the run's page, charts and every misread digit on a page.

    Args:
        output: Folder for the page.
        forms: Scans, or folders of scans; with `templates` and `truth`.
        templates: The folder of their templates.
        truth: What stands there: a CSV of document,page,field,raw.
        data: Folder with MNIST and perhaps other digit sets; if neither it nor forms are given,
            MNIST is downloaded.
        network: Which network.
        weights: Folder where it lies; if none, the installed one.

    Returns:
        A row of figures a set.

    Raises:
        ExtractionError: If something to measure on is missing or damaged.
    """
    rows = measure(network, weights, data, forms or [], templates, truth, output)
    create_table_artifact(rows, key="evaluate-figures", description=f"{network}, page in {output}")
    return rows
