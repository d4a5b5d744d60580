"""What an examination finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipeline.errors import ExtractionError


class State(StrEnum):
    """How well something is."""

    OK = "ok"
    NOTE = "note"
    """Works, and somebody may want to know."""
    WARNING = "warning"
    """Works today."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: State
    found: str
    todo: str = ""
    """What to do about it; nothing where all is well."""


Check = Callable[[], Iterator[Finding]]


def examine(what: str, check: Check) -> Iterator[Finding]:
    """Make a check; one that breaks is a finding, and never keeps the others from being made.

    Args:
        what: Names the check where it breaks.
        check: Gives its findings.
    """
    try:
        yield from check()
    except ExtractionError as error:
        yield failed(what, str(error))
    except Exception as error:  # noqa: BLE001 - whatever is broken here is what doctor is for
        yield Finding(
            what, State.FAILED, f"{type(error).__name__}: {error}", "install formdigits again"
        )


def failed(what: str, message: str) -> Finding:
    """Turn a message into a finding: what happened, and after its first semicolon what to do."""
    found, _, todo = message.partition("; ")
    return Finding(what, State.FAILED, found, todo)
