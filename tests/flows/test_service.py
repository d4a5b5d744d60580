"""Runs that start by themselves: real server, real schedule, real workers, one of which is killed.

Skipped where Prefect's programs are missing; that is a failure in CI.
"""

import json
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.prefect_parts import Prefect, await_that, command, kill_all, prefect_server
from tests.flows.servers import program
from tests.pipeline.conftest import skip_or_fail

Command = Callable[..., subprocess.CompletedProcess[str]]
POOL = "test-pool"
COPIES = 2
"""Of 18 scans: a run of them takes seconds, in which it is killed."""
TABLES = ("fields.csv", "digits.csv", "pages.csv")


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    """A server for all tests of this module."""
    if not program("prefect").exists():
        skip_or_fail("prefect is not installed beside this Python")
    with prefect_server(tmp_path_factory.mktemp("prefect-home")) as server:
        yield server


class Listener(HTTPServer):
    """Somebody with a webhook."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.heard: list[dict[str, Any]] = []


class Hook(BaseHTTPRequestHandler):
    """Keeps what it is told."""

    server: Listener

    def do_POST(self) -> None:
        """Keep it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A webhook on a free port."""
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def tables(output: Path) -> dict[str, bytes]:
    """Give the tables that a run wrote."""
    return {name: (output / name).read_bytes() for name in TABLES}


def directly(formdigits: Command, inbox: Path, sample_forms: Path, output: Path) -> Path:
    """Read an inbox without Prefect; give the output."""
    arguments = ("--templates", sample_forms, "--output", output, "--direct")
    assert formdigits("extract", inbox, *arguments).returncode == 0
    return output


def logged(server: Prefect, run_id: str) -> str:
    """Give what a run said."""
    lines = server.ask("logs/filter", logs={"flow_run_id": {"any_": [run_id]}})
    return "\n".join(line["message"] for line in lines)


def test_a_schedule_fires_until_it_is_stopped(
    prefect: Prefect,
    formdigits: Command,
    sample_forms: Path,
    listener: Listener,
    tmp_path: Path,
) -> None:
    """Runs start by themselves, write what --direct writes, tell the webhook, and leave a report.

    An inbox may be empty at first, and a power cut in a run keeps no later one from beginning.
    After Ctrl-C the schedule is paused, and the command has succeeded.
    """
    inbox, output, log = tmp_path / "cards/in", tmp_path / "out", tmp_path / "log"
    inbox.mkdir(parents=True)
    told = f"http://127.0.0.1:{listener.server_port}/told"
    arguments = ["--templates", sample_forms, "--output", output, "--interval", "10s"]
    arguments += ["--name", "cards", "--webhook", told, "--queue-above", 0, "--metrics-port", 0]
    serve = ["formdigits", "serve", inbox, *arguments]
    with command(prefect, serve, log) as served:
        await_that(lambda: "Beginning flow run" in log.read_text(), "a run", log)
        kill_all(served)
    with command(prefect, serve, log) as served:

        def completed() -> list[dict[str, Any]]:
            runs = prefect.runs("extract", "cards")
            assert not [run for run in runs if run["state_type"] in {"FAILED", "CRASHED"}]
            return [run for run in runs if run["state_type"] == "COMPLETED"]

        await_that(completed, "a first run", log)
        shutil.copytree(sample_forms / "postal-card/scans", inbox, dirs_exist_ok=True)

        def told_of(event: str) -> list[dict[str, Any]]:
            return [message for message in listener.heard if message["event"] == event]

        (first,) = await_that(lambda: told_of("queue")[:1], "a message", log)
        await_that(lambda: "6 pages read" in logged(prefect, first["run_id"]), "its log", log)
        metrics = httpx.get(log.read_text().split("metrics at ")[-1].split()[0]).text
        served.send_signal(signal.SIGINT)
        assert served.wait(60) == 0
    assert tables(output) == tables(directly(formdigits, inbox, sample_forms, tmp_path / "other"))
    waiting = (output / "fields.csv").read_text().count(",review,")
    assert f'formdigits_queue{{task="review"}} {waiting}.0' in metrics
    assert 'formdigits_pages{status="read"} 6.0' in metrics
    assert "formdigits_last_success_timestamp_seconds" in metrics
    assert [told_of("completed")[0][number] for number in ("pages", "queue")] == [0, 0]
    (message,) = (message for message in told_of("completed") if message["pages"] == 6)
    assert message["queue"] == first["queue"] == waiting
    (deployment,) = prefect.ask("deployments/filter", deployments={"name": {"any_": ["cards"]}})
    assert deployment["paused"]
    (run,) = (run for run in completed() if run["id"] == first["run_id"])
    check_page_of(prefect, run, output)


def check_page_of(server: Prefect, run: dict[str, Any], output: Path) -> None:
    """What a manager wants to know stands on the run's page."""
    assert run["name"] == f"cards/in → {output.name}"
    left = server.ask("artifacts/filter", artifacts={"flow_run_id": {"any_": [run["id"]]}})
    by_key = {artifact["key"]: artifact for artifact in left}
    assert set(by_key) == {f"extract-{name}" for name in ("summary", "drift", "worst", "progress")}
    assert "6 pages read, 0 not" in by_key["extract-summary"]["description"]
    assert by_key["extract-progress"]["data"] == 100
    assert "data:image/jpeg;base64," in by_key["extract-worst"]["data"]


def test_another_worker_takes_over(
    prefect: Prefect, formdigits: Command, sample_forms: Path, tmp_path: Path
) -> None:
    """A worker and its run are killed; another worker does the run, and nothing is lost or doubled.

    The deployment holds one run at a time: the dead run's place is given back, too.
    """
    inbox, output, log = tmp_path / "inbox", tmp_path / "out", tmp_path / "log"
    inbox.mkdir()
    for number in range(COPIES):
        for scan in sorted(sample_forms.glob("*/scans/*")):
            # Bytes after the end of a picture are no part of it, and make each another file.
            (inbox / f"{number}-{scan.name}").write_bytes(scan.read_bytes() + bytes([number]))
    prefect.call(*deploying(inbox, sample_forms, output))
    lose_sooner(prefect)
    start = ["prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    with command(prefect, start, log) as worker:
        prefect.begin("extract", "taken-over")
        await_that(lambda: "pages to read" in log.read_text(), "a run", log)
        kill_all(worker)
    with command(prefect, start, log):

        def completed() -> bool:
            (run,) = prefect.runs("extract", "taken-over")
            return run["state_type"] == "COMPLETED" and run["run_count"] > 1

        await_that(completed, "the take-over", log)
    other = directly(formdigits, inbox, sample_forms, tmp_path / "other")
    assert tables(output) == tables(other)


def deploying(inbox: Path, sample_forms: Path, output: Path) -> list[object]:
    """Give the command that deploys an inbox."""
    arguments = ["--templates", sample_forms, "--output", output, "--interval", "1d"]
    return ["formdigits", "deploy", inbox, *arguments, "--pool", POOL, "--name", "taken-over"]


def lose_sooner(server: Prefect) -> None:
    """Count a run as lost after Prefect's least; here a run ends before its second heartbeat."""
    for automation in server.ask("automations/filter"):
        if automation["trigger"]["posture"] == "Proactive":
            automation["trigger"]["within"] = 12
            kept = ("name", "description", "enabled", "trigger", "actions")
            address = f"{server.url}/automations/{automation['id']}"
            httpx.put(address, json={key: automation[key] for key in kept}).raise_for_status()


def test_prefect_yaml(prefect: Prefect) -> None:
    """What stands in prefect.yaml is deployed as it stands there, and fits the flows."""
    prefect.ask("work_pools/", name="formdigits", type="process")
    prefect.call("prefect", "--no-prompt", "deploy", "--all")
    found = prefect.ask("deployments/filter", deployments={"name": {"any_": ["samples"]}})
    entrypoints = {deployment["entrypoint"] for deployment in found}
    flows = "extract", "review", "evaluate"
    assert entrypoints == {f"flows/{flow}.py:{flow}" for flow in flows}
    for flow in flows:
        prefect.begin(flow, "samples")
    for deployment in found:
        assert deployment["global_concurrency_limit"]["limit"] == 1
        described = deployment["parameter_openapi_schema"]["properties"]
        assert all(parameter.get("description") for parameter in described.values())
