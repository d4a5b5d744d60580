"""The Prefect flow that reads scans: retries, runs and artifacts around the stages."""

import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

from prefect import Task, flow, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture, as_completed
from prefect.logging import get_run_logger
from prefect.runtime import deployment, flow_run, task_run
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff
from prefect.utilities.annotations import quote
from pydantic import Field

from flows.artifacts import ProgressArtifact, publish
from flows.batch import Job, Rules, Summary
from flows.cluster import bundle, check_workers, connected, count_workers
from flows.hooks import refuse_endless, tell_completed, tell_crashed, tell_failed
from flows.notify import Notify
from flows.order import Handling, Order, Reread
from flows.progress import tell, watcher
from flows.remote.address import at_hand
from flows.results import check_database
from flows.round import Round, begun
from flows.runner import Runner
from flows.workers import RETRIES, RETRY_DELAY_S, Workers, in_window
from pipeline.arrivals import PAUSE_S
from pipeline.errors import ExtractionError, OutputError
from pipeline.export import prepare_output
from pipeline.ingest import UnsteadyFileError
from pipeline.records import PageResult

_HERE = Workers(1)
_workers: ContextVar[Workers] = ContextVar("workers")
_round: ContextVar[Round] = ContextVar("round")


TASK_PAGES = 32
"""A task costs as much as a page or two; a kill loses at most so many a worker."""


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


def read_pages(job: Job) -> list[PageResult]:
    """Read a batch of pages; on the last try, pages that cannot be opened fail for themselves."""
    reader, patient = _workers.get(_HERE), task_run.run_count <= RETRIES
    return [result for part in job.parts() for result in reader.read(part, patient=patient)]


# Its function has another name, by which workers on other machines find it.
read = task(
    name="read",
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(RETRY_DELAY_S),
    retry_jitter_factor=0.5,
    retry_condition_fn=_may_pass,
)(read_pages)


@task(
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(RETRY_DELAY_S),
    retry_jitter_factor=0.5,
    retry_condition_fn=_may_pass,
)
def write() -> Summary:
    """Write the tables and the CSVs, whole or not at all; then move the files."""
    return _round.get().finish()


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
    reread: Reread = Reread.NEW,
    move: bool = False,
    settle_s: Annotated[float, Field(ge=0)] = PAUSE_S,
    runner: Runner = Runner.LOCAL,
    scheduler: str = "",
) -> Summary:
    """Read scans that are new, and write what was read.

    A run that was killed is gone on with by the next.

    Args:
        inputs: Files and folders of scans.
        templates: The folder of templates.
        output: The folder for the CSVs.
        workers: How many processes read.
        database: Address of the results database; if none, it is in the output folder.
        rules: What decides beside the templates.
        notify: Who is told how the run ended.
        reread: Which documents are read that were read before: none (new), those whose template,
            profile or network changed (changed), or all.
        move: Whether files go to done/, failed/ or duplicate/ below the inbox when they were read.
        settle_s: How long a file must have been left alone to be read.
        runner: Whether processes of this machine read (local), or a Dask cluster (dask).
        scheduler: Address of the cluster's scheduler; if none, `workers` are started here.

    Returns:
        What became of the run, in numbers.

    Raises:
        ExtractionError: If nothing can be read, or not written.
    """
    refuse_endless()
    began, logger = time.monotonic(), get_run_logger()
    handling = Handling(reread, move, settle_s, by_itself=deployment.id is not None)
    chosen = rules or Rules()

    def told(text: str) -> None:
        tell(text)
        logger.warning(text)

    with at_hand(inputs, output, moves=move) as here:
        prepare_output(here.output)
        check_database(here.output, database)
        order = Order(here.inputs, templates, here.output, database, chosen, handling)
        with begun(order, told) as this:
            logger.info("%d pages to read", this.pages)
            watchers = watcher(), ProgressArtifact()
            for each in watchers:
                each.start(this.pages)
            for batch in _read_all(this.jobs, workers, runner, scheduler):
                this.keep(batch)
                for each in watchers:
                    each.add(batch)
            summary = _write(this)
        publish(summary, here.output, database, time.monotonic() - began)
        logger.info(
            "%d pages read, %d failed; %d fields accepted, %d to review",
            summary.pages - summary.failed,
            summary.failed,
            summary.accepted,
            summary.review,
        )
    return summary


def _write(this: Round) -> Summary:
    token = _round.set(this)
    try:
        return write()
    finally:
        _round.reset(token)


def _read_all(
    jobs: Sequence[Job], count: int, runner: Runner, scheduler: str
) -> Iterator[list[PageResult]]:
    """Read each batch in a task of its own, and give it as it is done."""
    if jobs and runner is Runner.DASK:
        return _read_on_cluster(jobs, count, scheduler)
    return _read_here(jobs, count)


def _read_here(jobs: Sequence[Job], count: int) -> Iterator[list[PageResult]]:
    """Read on this machine.

    The tasks wait in threads for worker processes that know no Prefect: those start faster and
    are the same ones as without Prefect.
    """
    with Workers(count) as workers:
        token = _workers.set(workers)
        runner: ThreadPoolTaskRunner[list[PageResult]] = ThreadPoolTaskRunner(max_workers=count)
        with runner:
            try:
                bundles = bundle(jobs, count, TASK_PAGES)
                yield from in_window(bundles, lambda job: _submit(runner, job), as_completed, count)
            finally:
                workers.stop()  # before the runner waits for its tasks: Ctrl-C is obeyed at once
        _workers.reset(token)


def _submit(
    runner: ThreadPoolTaskRunner[list[PageResult]], job: Job
) -> PrefectFuture[list[PageResult]]:
    # Quoted, or Prefect would search it for futures.
    return runner.submit(read, {"job": quote(job)})


def _read_on_cluster(jobs: Sequence[Job], count: int, scheduler: str) -> Iterator[list[PageResult]]:
    """Read on the workers of a Dask cluster, which see the same folders."""
    with connected(scheduler, count) as client:
        from flows.cluster_tasks import submitting  # noqa: PLC0415 - an optional part

        check_workers(client, jobs[0])
        workers = count_workers(client)
        with submitting(client, read) as submit:
            yield from in_window(bundle(jobs, workers), submit, as_completed, workers)
