"""The Prefect flow that takes what people decided, and writes the results anew."""

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.tasks import exponential_backoff

from flows.results import Final, apply_reviews
from flows.workers import RETRIES, RETRY_DELAY_S


def name_run() -> str:
    """Name a run after the folder that it writes anew."""
    return f"reviews → {Path(flow_run.parameters['output']).name}"


@task(
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(RETRY_DELAY_S),
    retry_jitter_factor=0.5,
)
def apply(output: Path, files: list[Path], reviewer: str, form: str, database: str) -> Final:
    """Import edited files, and write the final fields; both whole or not at all."""
    return apply_reviews(output, files, reviewer, form=form, database=database)


@flow(name="review", flow_run_name=name_run, persist_result=False)
def review(
    output: Path,
    files: list[Path] | None = None,
    reviewer: str = "import",
    form: str = "csv",
    database: str = "",
) -> Final:
    """Take what people decided about a run, and write its results anew.

    Args:
        output: A folder that `extract` wrote.
        files: Edited fields.csv files to take first.
        reviewer: Whose decisions those are.
        form: csv, xlsx or parquet.
        database: Address of the results database; if none, it is in the folder.

    Returns:
        How many fields there are, and how many people decided.

    Raises:
        InputFileError: If a row of a file cannot be taken; then nothing of that file was.
        OutputError: If the results cannot be written.
    """
    final = apply(output, files or [], reviewer, form, database)
    get_run_logger().info("%d fields, %d decided by people", final.fields, final.decided)
    create_markdown_artifact(
        f"| fields | decided by people |\n|---|---|\n| {final.fields} | {final.decided} |",
        key="review-summary",
    )
    return final
