"""Extraction without Prefect: the same stages in this process and its workers."""

from collections.abc import Sequence
from pathlib import Path

from flows.batch import Plan, Rules, Summary, plan
from flows.progress import watcher
from flows.results import write_results
from flows.settling import settle
from flows.workers import Workers
from pipeline.records import PageResult


def extract_directly(  # noqa: PLR0913 - the options of a run
    inputs: Sequence[Path],
    templates: Path,
    output: Path,
    *,
    workers: int = 1,
    database: str = "",
    rules: Rules | None = None,
) -> Summary:
    """Read scans and write what was read.

    Args:
        inputs: Files and folders of scans.
        templates: The folder of templates.
        output: A folder, as `prepare_output` leaves it.
        workers: How many processes read.
        database: Address of the database; if none, it is in the output folder.
        rules: What decides beside the templates.

    Raises:
        ExtractionError: If nothing can be read, or not written.
    """
    todo = plan(inputs, templates, output, rules)
    results, origin = settle(_read(todo, workers), todo, output)
    write_results(results, origin, output, database)
    return Summary(passed_over=todo.passed_over).plus(results)


def _read(todo: Plan, count: int) -> list[PageResult]:
    watcher().start(todo.pages)
    results: list[PageResult] = []
    with Workers(count) as workers:
        for batch in workers.read_all(todo.jobs):
            results += batch
            watcher().add(batch)
    return results
