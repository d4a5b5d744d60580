"""Prefect's embedded server, for a machine where nobody has set up Prefect."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Final

from pipeline.errors import ExtractionError

_QUIET: Final = {
    # The embedded server lives for one run: its remarks, and the tracebacks that it prints when
    # it is stopped in the middle of its own bookkeeping, are of no use to who reads forms.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    # Two cores that are busy reading are slow to start a server.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}


def start_if_needed() -> bool:
    """Start the embedded server, quietly, where no API is configured.

    Call this before anything imports Prefect. What the user has set stays as it is, and so does
    all of Prefect where an API is configured.

    Returns:
        Whether the embedded server is used.

    Raises:
        ExtractionError: If the configured API does not answer, or the server does not start.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    # The first import of Prefect's settings fixes them, the first of its flows sets up logging.
    from prefect.context import refresh_global_settings_context  # noqa: PLC0415
    from prefect.settings import get_current_settings  # noqa: PLC0415

    if url := get_current_settings().api.url:
        _refuse_silent(url)
        return False
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    refresh_global_settings_context()
    _wait_for(_start_deaf_to_interrupts)
    return True


def _refuse_silent(url: str) -> None:
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - see above

    with get_client(sync_client=True) as client:
        if failure := client.api_healthcheck():
            raise ExtractionError(
                f"Prefect's API at {url} does not answer ({failure}); start it, "
                "unset PREFECT_API_URL, or use --direct"
            )


def _start_deaf_to_interrupts() -> None:
    """Start the server so that Ctrl-C does not end it before the flow's end was written down."""
    from prefect.server.api.server import SubprocessASGIServer  # noqa: PLC0415

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the server inherits it
    SubprocessASGIServer().start()


def _wait_for(work: Callable[[], None]) -> None:
    """Do work in a thread, so that this one can be interrupted meanwhile."""
    failures: list[Exception] = []

    def attempt() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again below, in the waiting thread
            failures.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise ExtractionError(
            f"Prefect's embedded server did not start ({failures[0]}); use --direct"
        ) from failures[0]
