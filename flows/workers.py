"""Worker processes that read batches, and how they end: when their parent says so, or dies.

Ctrl-C in a terminal goes to every process of a command. The parent alone obeys it, and ends the
workers, which print nothing.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol, TypeVar

from flows.batch import Job, give_up, read_batch
from pipeline.ingest import PageRef, UnsteadyFileError
from pipeline.records import PageResult

_Result_co = TypeVar("_Result_co", covariant=True)
RETRIES: Final = 2
RETRY_DELAY_S: Final = 1.0
_for_one_thread: Final = threading.Lock()
"""The network is not for use by two threads, and a Dask worker may have many."""


class Workers(AbstractContextManager["Workers"]):
    """A number of processes that read batches; with one, this process reads them itself."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = _Pool(count) if count > 1 else None
        self._replacing = threading.Lock()
        self._stopped = False

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the workers at once, whatever they have in hand."""
        self._stopped = True
        if self._pool is not None:
            self._pool.stop()

    def read(self, job: Job, *, patient: bool = False) -> list[PageResult]:
        """Read a batch and wait for it; as `read_batch`, but outliving a worker's death."""
        pool = self._pool
        if pool is None:
            with _for_one_thread:
                return read_batch(job, patient=patient)
        try:
            return pool.submit(job, patient=patient).result()
        except BrokenProcessPool:
            if self._stopped:
                raise
            self._replace(pool)
            return [result for page in job.pages for result in _read_alone(job, page)]

    def _replace(self, broken: "_Pool") -> None:
        with self._replacing:
            if self._pool is broken:
                broken.stop()
                self._pool = _Pool(self._count)

    def read_all(self, jobs: Iterable[Job]) -> Iterator[list[PageResult]]:
        """Read batches, and give each as it is done."""
        if self._pool is None:
            yield from map(self._read_patiently, jobs)
            return
        threads = ThreadPoolExecutor(self._count)
        try:
            yield from in_window(jobs, partial(self._submit, threads), as_completed, self._count)
        finally:
            self.stop()
            threads.shutdown(cancel_futures=True)

    def _submit(self, threads: ThreadPoolExecutor, job: Job) -> Future[list[PageResult]]:
        return threads.submit(self._read_patiently, job)

    def _read_patiently(self, job: Job) -> list[PageResult]:
        """Read a batch, trying again where the file system stumbles."""
        for _ in range(RETRIES):
            try:
                return self.read(job, patient=True)
            except UnsteadyFileError:
                time.sleep(RETRY_DELAY_S)
        return self.read(job)


class _Promise(Protocol[_Result_co]):
    def result(self) -> _Result_co: ...


_Future = TypeVar("_Future", bound=_Promise[Any])


def in_window(
    jobs: Iterable[Job],
    submit: Callable[[Job], _Future],
    as_completed: Callable[[list[_Future]], Iterator[_Future]],
    workers: int,
) -> Iterator[list[PageResult]]:
    """Hand out jobs as others come back, so that no more results are held than are worked on.

    Args:
        jobs: What to read.
        submit: Hands out one.
        as_completed: Gives what was handed out as it comes back.
        workers: How many are worked on at once; as many again wait for a worker.
    """
    waiting: list[_Future] = []
    for job in jobs:
        waiting.append(submit(job))
        if len(waiting) > 2 * workers:
            yield _take(waiting, as_completed)
    while waiting:
        yield _take(waiting, as_completed)


def _take(
    waiting: list[_Future], as_completed: Callable[[list[_Future]], Iterator[_Future]]
) -> list[PageResult]:
    done = next(iter(as_completed(waiting)))
    waiting.remove(done)
    results: list[PageResult] = done.result()
    return results


class _Pool:
    """Worker processes, and a pipe of which this process alone holds the writing end.

    When that end is closed, on purpose or by this process's death, every worker ends.
    """

    def __init__(self, count: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._lifeline, self._writer = spawn.Pipe(duplex=False)
        self._executor = ProcessPoolExecutor(
            count, mp_context=spawn, initializer=_end_with, initargs=(self._lifeline,)
        )

    def submit(self, job: Job, *, patient: bool) -> "Future[list[PageResult]]":
        with interrupts_held():
            return self._executor.submit(read_batch, job, patient=patient)

    def stop(self) -> None:
        self._writer.close()
        self._executor.shutdown(cancel_futures=True)


def _end_with(lifeline: Connection) -> None:
    threading.Thread(target=_wait_for_the_end, args=(lifeline,), daemon=True).start()


def _wait_for_the_end(lifeline: Connection) -> None:
    lifeline.poll(None)
    os._exit(1)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while processes are started: they inherit that, and never see one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _read_alone(job: Job, page: PageRef) -> list[PageResult]:
    """Read a page after a worker died of its batch, in a process of its own."""
    alone = replace(job, pages=(page,))
    pool = _Pool(1)
    try:
        return pool.submit(alone, patient=False).result()
    except BrokenProcessPool:
        return give_up(alone, "the process that read it died; scan the page again, at 300 dpi")
    finally:
        pool.stop()
