"""Reading on many machines: a Dask cluster, and whether its workers can do the work.

A worker reads as a process of this machine does, from the same paths, with its own copy of the
program. So all must see the same folders, and have the same program with the same network.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flows.batch import Job
from flows.workers import interrupts_held
from pipeline.errors import ExtractionError, InputFileError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

PATIENCE_S: Final = 5
LEAST_PAGES: Final = 8
MOST_PAGES: Final = 64
WORKERS_S: Final = 30
"""So long a cluster may take to get its first worker."""
_ENVIRONMENT: Final = "distributed.nanny.pre-spawn-environ"
_START: Final = "start it with: dask scheduler; or leave --scheduler out to read on this machine"


@contextmanager
def connected(scheduler: str, workers: int) -> Iterator[Client]:
    """Be a client of a cluster for the length of a `with`.

    Args:
        scheduler: Address of a cluster's scheduler; if none, workers of this machine are started,
            and ended at the end.
        workers: How many of them.

    Raises:
        ExtractionError: If Dask is not installed, the scheduler does not answer, or has no workers.
    """
    client_class = _dask()
    if scheduler:
        with _reached(scheduler, client_class) as client:
            yield client
        return
    with _started(workers) as local, client_class(local, set_as_default=False) as client:
        yield client


def _started(workers: int) -> LocalCluster:
    """Start workers on this machine: a process each, with one thread."""
    import dask.config  # noqa: PLC0415 - an optional part
    from distributed import LocalCluster  # noqa: PLC0415

    # Dask has its workers give memory back at once. Pages are much memory, again and again: that
    # takes half as long again as reading them.
    usual = dask.config.get(_ENVIRONMENT)
    kept = {name: value for name, value in usual.items() if not name.startswith("MALLOC")}
    ensure_running()  # it would end the holding when it starts
    with interrupts_held(), dask.config.set({_ENVIRONMENT: kept}):
        return LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)


def reach(scheduler: str) -> None:
    """Find out whether a cluster can be had, and give it back.

    Raises:
        ExtractionError: As `connected`.
    """
    client_class = _dask()
    if scheduler:
        with _reached(scheduler, client_class):
            pass


def _dask() -> type[Client]:
    try:
        from distributed import Client  # noqa: PLC0415 - an optional part
    except ModuleNotFoundError as error:
        raise ExtractionError("Dask needs prefect-dask: pip install 'formdigits[dask]'") from error

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it tells of each connection
    return Client


@contextmanager
def _reached(scheduler: str, connect: type[Client]) -> Iterator[Client]:
    try:
        client = connect(scheduler, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ExtractionError(
            f"Dask's scheduler at {scheduler} does not answer ({error}); {_START}"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKERS_S)
        except TimeoutError as error:
            raise ExtractionError(
                f"Dask's scheduler at {scheduler} has no workers; start some on each machine: "
                f"dask worker {scheduler} --nworkers auto --nthreads 1"
            ) from error
        yield client


def count_workers(client: Client) -> int:
    """Count the processes that read."""
    return len(client.scheduler_info(n_workers=-1)["workers"])


def bundle(jobs: Sequence[Job], workers: int, most: int = MOST_PAGES) -> Iterator[Job]:
    """Put batches together, large ones first and small ones last.

    A task costs a worker as much time as four pages; and all are to end at about the same time.
    Source: guided self-scheduling, Polychronopoulos and Kuck 1987.

    Args:
        jobs: Of one run.
        workers: How many there are.
        most: Pages in a bundle.
    """
    pages = [page for job in jobs for page in job.pages]
    while pages:
        size = min(most, max(LEAST_PAGES, len(pages) // (2 * workers)))
        yield replace(jobs[0], pages=tuple(pages[:size]))
        del pages[:size]


def check_workers(client: Client, first: Job) -> None:
    """Find out before any page is read whether all workers can read, and read alike.

    Args:
        client: Of the cluster.
        first: A batch; every worker must see its templates and its first page.

    Raises:
        ExtractionError: If a worker lacks the program, or has another network.
        InputFileError: If a worker does not see a path.
    """
    digest, paths = network_here(), (first.templates, first.pages[0].document.path)
    try:
        networks: Mapping[str, str] = client.run(network_here)
        unseen: Mapping[str, list[Path]] = client.run(unseen_here, paths)
    except Exception as error:
        raise ExtractionError(
            f"a worker of the cluster cannot run formdigits ({error}); install the same version, "
            "with the same Python, on all machines"
        ) from error
    for worker, network in networks.items():
        if network != digest:
            raise ExtractionError(
                f"the worker at {worker} has the network {network[:12]}, this machine "
                f"{digest[:12]}; install the same version of formdigits on all machines"
            )
    for worker, lacking in unseen.items():
        if lacking:
            raise InputFileError(
                f"the worker at {worker} does not see {lacking[0]}; mount it there under the same "
                "path"
            )


def check_api(client: Client, url: str) -> None:
    """Refuse a Prefect server of this machine alone where workers of others report to it.

    Raises:
        ExtractionError: If a worker is on another machine than a server that only this one reaches.
    """
    hosts: Mapping[str, str] = client.run(socket.gethostname)
    others = set(hosts.values()) - {socket.gethostname()}
    if others and any(name in url for name in ("127.0.0.1", "localhost")):
        raise ExtractionError(
            f"the worker on {min(others)} cannot reach Prefect's API at {url}; start prefect "
            "server start --host 0.0.0.0 and set PREFECT_API_URL to an address that all machines "
            "reach"
        )


def network_here() -> str:
    """Give the SHA-256 of the network that this process reads with."""
    from models.classifier import load_classifier  # noqa: PLC0415 - in the worker

    return load_classifier().card.sha256


def unseen_here(paths: Sequence[Path]) -> list[Path]:
    """Give the paths that this process does not see."""
    return [path for path in paths if not path.exists()]
