"""Worker processes that read batches, and how they end: with their parent, never by Ctrl-C.

Ctrl-C in a terminal goes to every process of a command. The parent alone obeys it: the batches in
hand are finished, what waits is dropped, and the workers print nothing.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from multiprocessing.process import parent_process
from typing import Final

from flows.batch import Job, give_up, read_batch
from pipeline.ingest import PageRef, UnsteadyFileError
from pipeline.records import PageResult

RETRIES: Final = 2
RETRY_DELAY_S: Final = 1.0


class Workers(AbstractContextManager["Workers"]):
    """A number of processes that read batches; with one, this process reads them itself."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = _start_pool(count) if count > 1 else None
        self._replacing = threading.Lock()

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def read(self, job: Job, *, patient: bool = False) -> list[PageResult]:
        """Read a batch and wait for it; as `read_batch`, but outliving a worker's death."""
        pool = self._pool
        if pool is None:
            return read_batch(job, patient=patient)
        try:
            return _submit(pool, job, patient=patient).result()
        except BrokenProcessPool:
            self._replace(pool)
            return [result for page in job.pages for result in _read_alone(job, page)]

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        with self._replacing:
            if self._pool is broken:
                self._pool = _start_pool(self._count)

    def read_all(self, jobs: Sequence[Job]) -> Iterator[list[PageResult]]:
        """Read batches, and give each as it is done."""
        if self._pool is None:
            yield from map(self.read_patiently, jobs)
            return
        threads = ThreadPoolExecutor(self._count)
        try:
            for future in as_completed([threads.submit(self.read_patiently, job) for job in jobs]):
                yield future.result()
        finally:
            threads.shutdown(cancel_futures=True)

    def read_patiently(self, job: Job) -> list[PageResult]:
        """Read a batch, trying again where the file system stumbles."""
        for _ in range(RETRIES):
            try:
                return self.read(job, patient=True)
            except UnsteadyFileError:
                time.sleep(RETRY_DELAY_S)
        return self.read(job)


def _start_pool(count: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=spawn, initializer=_end_with_parent)


def _submit(pool: ProcessPoolExecutor, job: Job, *, patient: bool) -> "Future[list[PageResult]]":
    with _interrupts_held():
        return pool.submit(read_batch, job, patient=patient)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while processes are started: they inherit that, and never see one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Let this worker not outlive a parent that was killed."""
    threading.Thread(target=_wait_for_parents_end, daemon=True).start()


def _wait_for_parents_end() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _read_alone(job: Job, page: PageRef) -> list[PageResult]:
    """Read a page after a worker died of its batch, in a process of its own."""
    alone = replace(job, pages=(page,))
    with _start_pool(1) as pool:
        try:
            return _submit(pool, alone, patient=False).result()
        except BrokenProcessPool:
            return give_up(alone, "the process that read it died; scan the page again, at 300 dpi")
