"""A real Prefect server and its workers for tests, with a home of their own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.flows.servers import PATIENCE_S, free_port, process, program, wait_for

REPOSITORY = Path(__file__).parent.parent.parent
QUICK = {
    # Everything looks for work every few seconds instead of every ten.
    "PREFECT_RUNNER_POLL_FREQUENCY": "2",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True, slots=True)
class Prefect:
    """A server that runs."""

    variables: Mapping[str, str]
    """The environment of whoever speaks to it."""
    pid: int

    @property
    def url(self) -> str:
        """Give the address of its API."""
        return self.variables["PREFECT_API_URL"]

    def ask(self, path: str, **query: Any) -> Any:
        """Ask the API."""
        return httpx.post(f"{self.url}/{path}", json=query, timeout=30).raise_for_status().json()

    def runs(self, flow: str, deployment: str) -> list[dict[str, Any]]:
        """List the runs of a deployment that began, the first first."""
        found = self.ask(
            "flow_runs/filter",
            flows={"name": {"any_": [flow]}},
            deployments={"name": {"any_": [deployment]}},
            sort="EXPECTED_START_TIME_ASC",
            limit=200,
        )
        return [run for run in found if run["run_count"]]

    def begin(self, flow: str, deployment: str) -> None:
        """Have a run begin, with the parameters of its deployment, which must fit the flow."""
        name = f"{self.url}/deployments/name/{flow}/{deployment}"
        key = httpx.get(name).raise_for_status().json()["id"]
        self.ask(f"deployments/{key}/create_flow_run", parameters={})

    def call(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run the command, or `prefect`, against this server, and expect it to succeed."""
        name, *rest = map(str, arguments)
        return subprocess.run(
            [program(name), *rest],
            env=dict(self.variables),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )


@contextmanager
def prefect_server(home: Path, port: int | None = None) -> Iterator[Prefect]:
    """Run a server for the length of a `with`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    port = port or free_port()
    url = f"http://127.0.0.1:{port}/api"
    variables = {**kept, **QUICK, "PREFECT_HOME": str(home), "PREFECT_API_URL": url}
    command = [program("prefect"), "server", "start", "--host", "127.0.0.1", "--port", port]
    with process(command, env=variables) as server:
        wait_for(server, lambda: is_healthy(url))
        yield Prefect(variables, server.pid)


def is_healthy(url: str) -> bool:
    """Tell whether a server answers."""
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def command(server: Prefect, arguments: Sequence[object], log: Path) -> Iterator[psutil.Process]:
    """Run a command for the length of a `with`; then nothing of what it started is left."""
    with log.open("ab") as file:
        started = subprocess.Popen(
            [program(str(arguments[0])), *map(str, arguments[1:])],
            env=dict(server.variables),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield psutil.Process(started.pid)
    finally:
        if started.poll() is None:
            family = psutil.Process(started.pid).children(recursive=True)
            started.send_signal(signal.SIGINT)
            try:
                started.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                started.kill()
            kill(family)
        started.wait()


def kill_all(process: psutil.Process) -> None:
    """End a process and all that it started as a power cut does."""
    kill([process, *process.children(recursive=True)])


def kill(family: Sequence[psutil.Process]) -> None:
    """End processes as a power cut does."""
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=PATIENCE_S)


def await_that(happens: Callable[[], Any], what: str, log: Path, patience_s: float = 120) -> Any:
    """Wait for something, and give it; fail with the end of a log if it takes too long."""
    end = time.monotonic() + patience_s
    while not (found := happens()):
        assert time.monotonic() < end, f"{what} did not happen; {log.read_text()[-3000:]}"
        time.sleep(0.2)
    return found
