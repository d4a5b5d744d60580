"""State hooks: what happens when a flow run ends, whichever way."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.logging.loggers import flow_run_logger
from prefect.runtime import flow_run as flow_run_runtime

from flows.notify import Event, Logger, Message, Notify, count_queue, figures, tell
from pipeline.errors import ExtractionError

MOST_STARTS: Final = 4


def refuse_endless() -> None:
    """Let a run that crashes again and again fail, instead of being taken over for ever.

    Raises:
        ExtractionError: If this run was started too often.
    """
    starts = flow_run_runtime.run_count
    if starts > MOST_STARTS:
        raise ExtractionError(
            f"this run was begun {starts - 1} times and never ended; see its log, give its machine "
            "more memory or --workers less to do, and start it again"
        )


def tell_completed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Tell that a run is done, and, if it made the review queue too long, of that."""
    if notify := _notify(flow_run):
        logger = flow_run_logger(flow_run, flow)
        message = _message(Event.COMPLETED, flow_run, state, logger)
        tell(notify, message, logger)
        waiting, most = message["queue"], notify.queue_above
        # Not of a round that added nothing: there may be one a minute.
        if most is not None and message["review"] and (waiting or 0) > most:
            text = f"{waiting} fields wait for a person, more than {most}"
            logger.warning(text)
            tell(notify, {**message, "event": Event.QUEUE, "message": text}, logger)


def tell_failed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Tell that a run failed."""
    _tell(Event.FAILED, flow, flow_run, state)


def tell_crashed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Tell that a run's process died, or was stopped."""
    _tell(Event.CRASHED, flow, flow_run, state)


def _tell(event: Event, flow: Flow[..., Any], run: FlowRun, state: State[Any]) -> None:
    if notify := _notify(run):
        logger = flow_run_logger(run, flow)
        tell(notify, _message(event, run, state, logger), logger)


def _notify(run: FlowRun) -> Notify | None:
    """Give who is to be told, if a run says so; its parameters were validated as it began."""
    given = run.parameters.get("notify")
    return Notify.model_validate(given) if given else None


def _message(event: Event, run: FlowRun, state: State[Any], logger: Logger) -> Message:
    """Say what became of a run, as `flows.notify` describes it."""
    parameters = run.parameters
    output = str(parameters["output"])
    started = run.start_time
    seconds = (state.timestamp - started).total_seconds() if started else None
    message = {
        "event": event,
        "run": run.name,
        "run_id": str(run.id),
        "deployment_id": str(run.deployment_id) if run.deployment_id else None,
        "inbox": [str(path) for path in parameters["inputs"]],
        "output": output,
        "message": state.message or "",
        "started": started.isoformat() if started else None,
        "ended": state.timestamp.isoformat(),
        "seconds": round(seconds, 1) if seconds is not None else None,
        "queue": count_queue(Path(output), parameters.get("database") or "", logger),
    }
    return message | (figures(state.result()) if event is Event.COMPLETED else {})
