"""Serving a schedule: runs that are due are started here, for as long as this process lives."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Final

import httpx
from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import PrefectException

from flows.deployments import HEARTBEAT_S
from flows.server import is_healthy

WAIT_S: Final = (1.0, 60.0)
"""Between two looks whether a server is back: at first, and at most."""
API_RETRIES: Final = 7
"""Of one request, after 2, 4, 8 … seconds: some four minutes without the server."""


def serve_forever(deployment: RunnerDeployment, url: str, say: Callable[[str], None]) -> None:
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
    while True:
        try:
            with redirect_stdout(sys.stderr):
                serve(deployment, limit=1, print_starting_message=False)
        except* (httpx.HTTPError, PrefectException, RuntimeError) as group:
            if is_healthy(url):
                raise
            say(f"Prefect's API at {url} does not answer ({group.exceptions[0]}); waiting for it")
        else:
            return
        wait_for_server(url)
        say("Prefect's API is back")


def wait_for_server(url: str) -> None:
    """Wait until an API answers, looking less and less often."""
    pause, longest = WAIT_S
    while not is_healthy(url):
        time.sleep(pause)
        pause = min(2 * pause, longest)
