"""Prefect's tasks on a Dask cluster, and pages that kill the workers that read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from distributed import Client, KilledWorker
from distributed.client import FutureCancelledError
from prefect import Task
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

from flows.batch import Job, give_up
from flows.cluster import check_api
from pipeline.errors import ExtractionError
from pipeline.records import PageResult

Results = list[PageResult]


@contextmanager
def submitting(client: Client, task: Task[..., Results]) -> Iterator[Callable[[Job], Reading]]:
    """Hand out batches to a cluster inside the `with`.

    Args:
        client: Of the cluster.
        task: What reads a batch; its function must be found by its name on every worker.

    Raises:
        ExtractionError: If the workers cannot reach Prefect's API.
    """
    # Without an address, each worker would start a server of its own.
    url = get_current_settings().api.url or SubprocessASGIServer().api_url
    check_api(client, url)
    runner = DaskTaskRunner(address=client.scheduler_info()["address"])
    with temporary_settings({PREFECT_API_URL: url}), runner:

        def submit(job: Job) -> Reading:
            return Reading(runner.submit(task, {"job": job}), job, submit)

        yield submit


class Reading(PrefectDaskFuture[Results]):
    """A batch that is being read; where it kills one worker after another, page by page."""

    def __init__(
        self, future: PrefectDaskFuture[Results], job: Job, submit: Callable[[Job], Reading]
    ) -> None:
        super().__init__(future.task_run_id, future.wrapped_future)
        self._job, self._submit = job, submit

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Results:
        """Wait for the results; those of a page that cannot be read say so."""
        try:
            return super().result(timeout, raise_on_failure)
        except KilledWorker:
            return self._read_alone()
        except FutureCancelledError as error:
            raise ExtractionError(
                "Dask's scheduler has gone; start it again, then run the same command: what was "
                "read is kept"
            ) from error

    def _read_alone(self) -> Results:
        if len(self._job.pages) == 1:
            return give_up(
                self._job, "the workers that read it died; scan the page again, at 300 dpi"
            )
        pages = [self._submit(replace(self._job, pages=(page,))) for page in self._job.pages]
        return [result for page in pages for result in page.result()]
