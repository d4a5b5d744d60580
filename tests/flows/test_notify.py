"""Whoever is to be told is told, and a message that does not arrive stops nothing."""

import json
import logging
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from flows.notify import Event, Notify, count_queue, tell
from tests.flows.servers import free_port

LOGGER = logging.getLogger("test")
MESSAGE = {"event": Event.FAILED, "run": "inbox → out", "output": "out", "queue": None}


def test_a_command_gets_the_message(tmp_path: Path) -> None:
    """It is run without a shell, with the JSON on its standard input."""
    heard = tmp_path / "what; was heard"
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
    tell(Notify(command=f"{sys.executable} -c '{script}' '{heard}'"), MESSAGE, LOGGER)
    assert json.loads(heard.read_text()) == MESSAGE


@pytest.mark.parametrize(
    ("notify", "said"),
    [
        ({"webhook": "http://127.0.0.1:{port}/secret"}, "webhook at 127.0.0.1 was not told"),
        ({"command": "no-such-program-at-all"}, "not told of failed"),
        ({"command": f"{sys.executable} -c 'raise SystemExit(3)'"}, "it ended with 3"),
        ({"command": "an 'open quote"}, "not told of failed"),
    ],
)
def test_a_message_that_does_not_arrive_is_logged(
    notify: dict[str, str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A run goes on, and its log says who was not told; never the address, which may be secret."""
    port = free_port()
    given = {key: value.replace("{port}", str(port)) for key, value in notify.items()}
    tell(Notify.model_validate(given), MESSAGE, LOGGER)
    assert said in caplog.text
    assert "secret" not in caplog.text


def test_only_what_was_asked_for(tmp_path: Path) -> None:
    """Who wants to hear of the queue alone is not told of a failure."""
    heard = tmp_path / "heard"
    tell(Notify(command=f"touch {heard}", events=(Event.QUEUE,)), MESSAGE, LOGGER)
    assert not heard.exists()


def test_a_queue_that_cannot_be_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where there is no database yet, the number is not known, and the log says why."""
    assert count_queue(tmp_path, "", LOGGER) is None
    assert "does not exist" in caplog.text


def test_a_mistyped_name_is_refused() -> None:
    """What nobody would ever hear of is an error at once."""
    with pytest.raises(ValidationError):
        Notify.model_validate({"web_hook": "http://localhost"})
