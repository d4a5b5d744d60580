"""Who is told how a run ended: a webhook, a command; and what they are told.

The JSON is the same for both. It may grow, but its names keep their meaning: `event` (completed,
failed, crashed, queue), `run` (its name), `run_id`, `deployment_id` (or null), `inbox` (a list),
`output`, `message`, `started` and `ended` (ISO 8601), `seconds`, `queue` (fields in the review
queue, null where they cannot be counted), and of a run that completed what it did: `pages`,
`failed_pages`, `duplicates`, `fields`, `accepted`, `review`.
"""

from __future__ import annotations

import json
import logging
import shlex
import subprocess
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import httpx
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from pipeline.errors import ExtractionError

if TYPE_CHECKING:
    from flows.batch import Summary

TIMEOUT_S: Final = 10.0
TRIES: Final = 3
COMMAND_TIMEOUT_S: Final = 60.0


class Event(StrEnum):
    """What somebody may want to hear of."""

    COMPLETED = "completed"
    FAILED = "failed"
    CRASHED = "crashed"
    QUEUE = "queue"


class Notify(BaseModel):
    """Who is told how a run ended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhook: Annotated[
        HttpUrl | None, Field(description="Address that the message is posted to, as JSON.")
    ] = None
    command: Annotated[
        str,
        Field(description="Program with arguments, run without a shell; the JSON is on its stdin."),
    ] = ""
    queue_above: Annotated[
        int | None,
        Field(ge=0, description="Tell when more fields than this wait for a person; else never."),
    ] = None
    events: Annotated[
        tuple[Event, ...], Field(description="What to tell of; `queue` needs queue_above.")
    ] = tuple(Event)


Message = Mapping[str, Any]
Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


def tell(notify: Notify, message: Message, logger: Logger) -> None:
    """Send a message to whom it is for; what goes wrong is logged and stops nothing.

    Args:
        notify: Who is told, and of what.
        message: As the module says; its `event` decides.
        logger: Where a failure goes.
    """
    if message["event"] not in notify.events:
        return
    ways: list[tuple[str, Callable[[], None]]] = []
    if notify.webhook:
        url = str(notify.webhook)
        ways.append((f"webhook at {notify.webhook.host}", lambda: _post(url, message)))
    if notify.command:
        ways.append((f"command {notify.command!r}", lambda: _run(notify.command, message)))
    for name, send in ways:
        try:
            send()
        except (httpx.HTTPError, OSError, ValueError, subprocess.SubprocessError) as error:
            # Without the address: it may hold a secret.
            logger.warning("the %s was not told of %s: %s", name, message["event"], _briefly(error))
        else:
            logger.info("told the %s of %s", name, message["event"])


def _post(url: str, message: Message) -> None:
    with httpx.Client(timeout=TIMEOUT_S, transport=httpx.HTTPTransport(retries=TRIES)) as client:
        client.post(url, json=dict(message)).raise_for_status()


def _run(command: str, message: Message) -> None:
    subprocess.run(
        shlex.split(command),
        input=json.dumps(message).encode() + b"\n",
        check=True,
        timeout=COMMAND_TIMEOUT_S,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _briefly(error: Exception) -> str:
    """Say what went wrong in one line."""
    match error:
        case httpx.HTTPStatusError():
            return f"it answered {error.response.status_code}"
        case subprocess.CalledProcessError():
            said = error.stderr.decode(errors="replace").strip()[-300:]
            return f"it ended with {error.returncode}{f' ({said})' if said else ''}"
        case subprocess.TimeoutExpired():
            return f"it ran for more than {COMMAND_TIMEOUT_S:.0f} s"
        case _:
            return f"{type(error).__name__}: {error}"


def count_queue(output: Path, database: str, logger: Logger) -> int | None:
    """Count the fields that wait for a person; None where that is not to be had."""
    from pipeline.store.counts import count_waiting  # noqa: PLC0415 - loads SQLAlchemy
    from pipeline.store.database import database_url, opened  # noqa: PLC0415

    try:
        with opened(database_url(output, database)) as engine:
            return count_waiting(engine)
    except ExtractionError as error:
        logger.warning("the review queue could not be counted: %s", error)
        return None


def figures(summary: Summary) -> dict[str, int]:
    """Give a run's numbers under the names of the message."""
    return {
        "pages": summary.pages,
        "failed_pages": summary.failed,
        "duplicates": summary.duplicates,
        "fields": summary.fields,
        "accepted": summary.accepted,
        "review": summary.review,
    }
