"""Serving a schedule: runs that are due are started here, for as long as this process lives."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Final

import httpx
from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import PrefectException

from flows.server import is_healthy
from flows.taking_over import HEARTBEAT_S

LOOK_S: Final = 15.0
"""Between two looks whether the server answers."""
WAIT_S: Final = (1.0, 60.0)
"""The same while it does not, and nothing can be served: at first, and at most."""
API_RETRIES: Final = 7
"""Of one request, after 2, 4, 8 … seconds: some four minutes without the server."""
Say = Callable[[str], None]


def serve_forever(deployment: RunnerDeployment, url: str, say: Say) -> None:
    """Start runs when they are due, until Ctrl-C or SIGTERM; then pause the schedule.

    A server that is gone is waited for; runs that fell due meanwhile are made up for when it is
    back, one after the other.

    Args:
        deployment: What to run, and when.
        url: Address of the API.
        say: Is told what a person should know.
    """
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", str(API_RETRIES))
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", str(HEARTBEAT_S))
    # Of a server that is gone it prints a page of traceback, which `_watched` says in a line.
    logging.getLogger("prefect.FlowRunCancellingObserver").setLevel(logging.CRITICAL)
    with _watched(url, say), Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        while True:
            try:
                serve(deployment, limit=1, print_starting_message=False)
            except* (httpx.HTTPError, PrefectException, RuntimeError):
                if is_healthy(url):
                    raise
            else:
                return
            _wait_for(url)


@contextmanager
def _watched(url: str, say: Say) -> Iterator[None]:
    """Say when the server is gone, and when it is back."""
    end = threading.Event()

    def watch() -> None:
        was_there = True
        while not end.wait(LOOK_S):
            is_there = is_healthy(url)
            if was_there and not is_there:
                say(f"Prefect's API at {url} does not answer; waiting for it, a run goes on")
            elif is_there and not was_there:
                say("Prefect's API answers again; runs that were due are made up for")
            was_there = is_there

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _wait_for(url: str) -> None:
    """Wait until a server answers, looking less and less often."""
    pause, longest = WAIT_S
    while not is_healthy(url):
        time.sleep(pause)
        pause = min(2 * pause, longest)
