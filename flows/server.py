"""A Prefect server of one's own, with its pages, for as long as something is served."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from pipeline.errors import ExtractionError

HOST: Final = "127.0.0.1"
PORT: Final = 4200
START_S: Final = 180.0
STOP_S: Final = 20.0
_PROBE_S: Final = 0.5


@contextmanager
def reachable_server() -> Iterator[str]:
    """Give the address of a Prefect API: the configured one, one that runs here, or a new one.

    A new one keeps its records in PREFECT_HOME as always, and ends with the `with`.

    Raises:
        ExtractionError: If the configured one does not answer, or none can be started.
    """
    if url := _configured():
        yield url
        return
    usual = _address(PORT)
    if is_healthy(usual):
        _point_to(usual)
        yield usual
        return
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)],
        env=os.environ | {"PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C ends what is served first, and then the server
    )
    try:
        _wait_for(_address(port), process)
        _point_to(_address(port))
        yield _address(port)
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def configured_server() -> str:
    """Give the address of the Prefect API that is configured.

    Raises:
        ExtractionError: If none is, or it does not answer.
    """
    if url := _configured():
        return url
    raise ExtractionError(
        "no Prefect API is configured; start one with `prefect server start`, and say where: "
        f"`prefect config set PREFECT_API_URL={_address(PORT)}`"
    )


def _configured() -> str | None:
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from prefect.settings import get_current_settings  # noqa: PLC0415 - see `flows.embedded`

    url = get_current_settings().api.url
    if url and not is_healthy(url):
        raise ExtractionError(
            f"Prefect's API at {url} does not answer; start it, or unset PREFECT_API_URL"
        )
    return url


def is_healthy(url: str) -> bool:
    """Tell whether a Prefect API answers at an address."""
    try:
        answer = httpx.get(f"{url}/health", timeout=5)
        return answer.status_code == 200 and answer.json() is True
    except (httpx.HTTPError, ValueError):
        return False


def _address(port: int) -> str:
    return f"http://{HOST}:{port}/api"


def _point_to(url: str) -> None:
    """Have this process, and those that it starts, speak to a server."""
    from prefect.context import refresh_global_settings_context  # noqa: PLC0415

    os.environ["PREFECT_API_URL"] = url
    refresh_global_settings_context()


def _free_port() -> int:
    """Give Prefect's usual port where it is free, else any."""
    for port in (PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ExtractionError("no port is free for Prefect's server; set PREFECT_API_URL")


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while not is_healthy(url):
        if process.poll() is not None or time.monotonic() > end:
            raise ExtractionError(
                "Prefect's server did not start; try `prefect server start` to see why, "
                "or set PREFECT_API_URL"
            )
        time.sleep(_PROBE_S)
