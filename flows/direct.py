"""Extraction without Prefect: the same stages in this process and its workers."""

from collections.abc import Sequence
from pathlib import Path

from flows.batch import Rules, Summary
from flows.order import Handling, Order
from flows.progress import watcher
from flows.round import begun
from flows.workers import Workers


def extract_directly(  # noqa: PLR0913 - the options of a run
    inputs: Sequence[Path],
    templates: Path,
    output: Path,
    *,
    workers: int = 1,
    database: str = "",
    rules: Rules | None = None,
    handling: Handling | None = None,
) -> Summary:
    """Read scans that are new, and write what was read.

    Args:
        inputs: Files and folders of scans.
        templates: The folder of templates.
        output: A folder, as `prepare_output` leaves it.
        workers: How many processes read.
        database: Address of the database; if none, it is in the output folder.
        rules: What decides beside the templates.
        handling: How the files of the inbox are treated.

    Raises:
        ExtractionError: If nothing can be read, or not written.
    """
    chosen = rules or Rules(), handling or Handling()
    with begun(Order(inputs, templates, output, database, *chosen)) as this:
        watcher().start(this.pages)
        with Workers(workers) as processes:
            for batch in processes.read_all(this.jobs):
                this.keep(batch)
                watcher().add(batch)
        return this.finish()
