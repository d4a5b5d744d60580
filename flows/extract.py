"""The Prefect flow that reads scans: retries, runs and artifacts around the stages."""

import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, cast

from prefect import Task, flow, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture, as_completed
from prefect.logging import get_run_logger
from prefect.runtime import flow_run, task_run
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff
from prefect.utilities.annotations import quote
from pydantic import Field

from flows.artifacts import ProgressArtifact, publish
from flows.batch import Job, Plan, Rules, Summary, plan
from flows.hooks import tell_completed, tell_crashed, tell_failed
from flows.notify import Notify
from flows.progress import watcher
from flows.results import check_database, write_results
from flows.settling import settle
from flows.workers import RETRIES, RETRY_DELAY_S, Workers
from pipeline.errors import ExtractionError, OutputError
from pipeline.export import prepare_output
from pipeline.ingest import UnsteadyFileError
from pipeline.records import PageResult
from pipeline.store.origin import Origin

_workers: ContextVar[Workers] = ContextVar("workers")


def name_run() -> str:
    """Name a run after the folders that it reads and writes."""
    parameters = flow_run.parameters
    inbox = ", ".join("/".join(Path(path).parts[-2:]) for path in parameters["inputs"][:3])
    more = " and more" if len(parameters["inputs"]) > 3 else ""
    return f"{inbox}{more} → {Path(parameters['output']).name}"


def _may_pass(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Tell what another try may mend from what it cannot."""
    try:
        state.result()
    except (UnsteadyFileError, OutputError):
        return True
    except ExtractionError:
        return False
    return False


@task(
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(RETRY_DELAY_S),
    retry_jitter_factor=0.5,
    retry_condition_fn=_may_pass,
)
def read(job: Job) -> list[PageResult]:
    """Read a batch of pages; on the last try, pages that cannot be opened fail for themselves."""
    return _workers.get(Workers(1)).read(job, patient=task_run.run_count <= RETRIES)


@task(
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(RETRY_DELAY_S),
    retry_jitter_factor=0.5,
    retry_condition_fn=_may_pass,
)
def write(results: list[PageResult], origin: Origin, output: Path, database: str) -> None:
    """Write the database and the CSVs, whole or not at all."""
    write_results(results, origin, output, database)


@flow(
    name="extract",
    flow_run_name=name_run,
    persist_result=False,
    on_completion=[tell_completed],
    on_failure=[tell_failed],
    on_crashed=[tell_crashed],
)
def extract(  # noqa: PLR0913, PLR0917 - the options of a run
    inputs: list[Path],
    templates: Path,
    output: Path,
    workers: Annotated[int, Field(ge=1)] = 1,
    database: str = "",
    rules: Rules | None = None,
    notify: Notify | None = None,
) -> Summary:
    """Read scans and write what was read.

    Args:
        inputs: Files and folders of scans.
        templates: The folder of templates.
        output: The folder for the CSVs.
        workers: How many processes read.
        database: Address of the results database; if none, it is in the output folder.
        rules: What decides beside the templates.
        notify: Who is told how the run ended.

    Returns:
        What became of the run, in numbers.

    Raises:
        ExtractionError: If nothing can be read, or not written.
    """
    began, logger = time.monotonic(), get_run_logger()
    prepare_output(output)
    check_database(output, database)
    todo = plan(inputs, templates, output, rules)
    logger.info("%d pages to read", todo.pages)
    watchers = watcher(), ProgressArtifact()
    for each in watchers:
        each.start(todo.pages)
    results: list[PageResult] = []
    for batch in _read_all(todo, workers):
        results += batch
        for each in watchers:
            each.add(batch)
    results, origin = settle(results, todo, output)
    # Quoted, or Prefect would search every box of every page for futures.
    quoted = cast("list[PageResult]", quote(results)), cast("Origin", quote(origin))
    write(*quoted, output, database)
    summary = Summary(passed_over=todo.passed_over).plus(results)
    publish(summary, output, database, time.monotonic() - began)
    logger.info(
        "%d pages read, %d failed; %d fields accepted, %d to review",
        summary.pages - summary.failed,
        summary.failed,
        summary.accepted,
        summary.review,
    )
    return summary


def _read_all(todo: Plan, count: int) -> Iterator[list[PageResult]]:
    """Read each batch in a task of its own, and give it as it is done.

    The tasks wait in threads for worker processes that know no Prefect: those start faster and
    are the same ones as without Prefect.
    """
    with Workers(count) as workers:
        token = _workers.set(workers)
        runner: ThreadPoolTaskRunner[list[PageResult]] = ThreadPoolTaskRunner(max_workers=count)
        with runner:
            futures: list[PrefectFuture[list[PageResult]]] = [
                runner.submit(read, {"job": quote(job)}) for job in todo.jobs
            ]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                workers.stop()  # before the runner waits for its tasks: Ctrl-C is obeyed at once
        _workers.reset(token)
