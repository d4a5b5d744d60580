"""What Prometheus is told of an inbox that is served: looked up when it asks, kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pipeline.errors import ExtractionError, OutputError
from pipeline.store.database import database_url, opened
from pipeline.store.summary import Standing, summarise

TIMEOUT_S: Final = 3.0
_HELP: Final = {
    "documents": "Documents, by listed, moved and earlier",
    "pages": "Pages, by status",
    "fields": "Fields, by flag: accepted by the machine, decided by people, waiting for review",
    "queue": "Fields that wait for a person, by task",
}
_LABELS: Final = {"documents": "state", "pages": "status", "fields": "flag", "queue": "task"}


@dataclass(frozen=True, slots=True)
class Watched:
    """An inbox that is served."""

    output: Path
    database: str
    """Address; if none, it is in the output."""
    api: str
    """Address of Prefect's API."""
    deployment: str
    """As FLOW/NAME."""


class Inspector(Collector):
    """Looks an inbox up in its database, and its last run in Prefect."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name no metrics beforehand: nothing is looked up before Prometheus asks."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give what can be found; `formdigits_up` says of each source whether it answered."""
        up = _gauge("up", "Whether database and Prefect answered", "source")
        for source, look in (("database", self._from_database), ("prefect", self._from_prefect)):
            found = _found(look)
            up.add_metric([source], found is not None)
            yield from found or ()
        yield up

    def _from_database(self) -> list[GaugeMetricFamily]:
        url = database_url(self._watched.output, self._watched.database)
        with opened(url) as engine:
            standing = summarise(engine, failures=0)
        return [_counted(name, standing) for name in _HELP]

    def _from_prefect(self) -> list[GaugeMetricFamily]:
        flow, _, name = self._watched.deployment.partition("/")
        query = {
            "flows": {"name": {"any_": [flow]}},
            "deployments": {"name": {"any_": [name]}},
            "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
            "sort": "END_TIME_DESC",
            "limit": 1,
        }
        answer = httpx.post(f"{self._watched.api}/flow_runs/filter", json=query, timeout=TIMEOUT_S)
        runs: list[dict[str, Any]] = answer.raise_for_status().json()
        return [gauge for run in runs for gauge in _of_run(run)]


def _found(look: Callable[[], list[GaugeMetricFamily]]) -> list[GaugeMetricFamily] | None:
    try:
        return look()
    except (ExtractionError, httpx.HTTPError):
        return None


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"formdigits_{name}", text, labels=labels)


def _counted(name: str, standing: Standing) -> GaugeMetricFamily:
    gauge = _gauge(name, _HELP[name], _LABELS[name])
    counts: Mapping[str, int] = getattr(standing, name)
    for label, number in counts.items():
        gauge.add_metric([label], number)
    return gauge


def _of_run(run: Mapping[str, Any]) -> Iterator[GaugeMetricFamily]:
    values = {
        "last_success_timestamp_seconds": (
            "When a run last completed",
            datetime.fromisoformat(run["end_time"]).timestamp(),
        ),
        "last_run_seconds": ("How long that run took", run["total_run_time"]),
    }
    for name, (text, value) in values.items():
        gauge = _gauge(name, text)
        gauge.add_metric([], value)
        yield gauge


@contextmanager
def exposed(watched: Watched, host: str, port: int) -> Iterator[str]:
    """Answer Prometheus on a port for the length of a `with`; give the address.

    Raises:
        OutputError: If the port is taken.
    """
    registry = CollectorRegistry()
    registry.register(Inspector(watched))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise OutputError(
            f"metrics cannot be served at {host}:{port} ({error.strerror}); name another port"
        ) from error
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
