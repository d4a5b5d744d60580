"""Prefect's settings for a machine where nobody has set up Prefect."""

import os
from typing import Final

_QUIET: Final = {
    # The embedded server lives for one run: its remarks, and the tracebacks that it prints when
    # it is stopped in the middle of its own bookkeeping, are of no use to who reads forms.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # Two cores that are busy reading are slow to start a server.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}


def quieten() -> bool:
    """Keep the embedded server out of the terminal; call this before anything imports Prefect.

    What the user has set stays as it is, and so does all of Prefect where an API is configured.

    Returns:
        Whether the embedded server is going to be used.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    # The first import of Prefect's settings fixes them, the first of its flows sets up logging.
    from prefect.context import refresh_global_settings_context  # noqa: PLC0415
    from prefect.settings import get_current_settings  # noqa: PLC0415

    if get_current_settings().api.url is not None:
        return False
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    refresh_global_settings_context()
    return True
