"""What cannot be scheduled is refused before anything is served, with what is needed instead."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flows.inbox import Inbox, check_folders
from flows.schedule import ScheduleError, make_schedule
from pipeline.errors import InputFileError

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("cron", "interval", "timezone", "option"),
    [
        ("", "", "", "--cron"),
        ("0 2 * * *", "15m", "", "--cron"),
        ("0 25 * * *", "", "", "--cron"),
        ("every night", "", "", "--cron"),
        ("", "0", "", "--interval"),
        ("", "-5m", "", "--interval"),
        ("", "1 fortnight", "", "--interval"),
        ("", "15m", "Mars/Olympus", "--timezone"),
        ("", "15m", "../../etc/passwd", "--timezone"),
    ],
)
def test_wrong_schedules(cron: str, interval: str, timezone: str, option: str) -> None:
    """The message names the option."""
    with pytest.raises(ScheduleError) as caught:
        make_schedule(cron, interval, timezone)
    assert caught.value.option == option


@pytest.mark.parametrize(
    ("interval", "seconds"), [("90s", 90), ("90", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400)]
)
def test_intervals(interval: str, seconds: int) -> None:
    """Times are written with their unit; without one they are seconds."""
    assert make_schedule("", interval, "UTC").interval == timedelta(seconds=seconds)


def test_a_schedule_keeps_its_time_zone() -> None:
    """Two in the morning is two in the morning there, in summer and in winter."""
    schedule = make_schedule("0 2 * * *", "", "Europe/Berlin")
    assert (schedule.cron, schedule.timezone) == ("0 2 * * *", "Europe/Berlin")


@pytest.mark.parametrize(
    ("inbox", "output"), [("in", "in"), ("in", "in/out"), ("out/in", "out"), ("none", "out")]
)
def test_folders_that_feed_each_other(inbox: str, output: str, tmp_path: Path) -> None:
    """Neither may lie in the other, and the inbox must be there."""
    for folder in ("in", "out/in"):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(InputFileError):
        check_folders([tmp_path / inbox], tmp_path / output)


def test_folders_beside_each_other(tmp_path: Path) -> None:
    """Names that begin alike are no folders in each other."""
    (tmp_path / "in").mkdir()
    check_folders([tmp_path / "in"], tmp_path / "in-out")


def test_a_deployment_is_named_after_its_inbox() -> None:
    """Two inboxes of one name are told apart by the folder above; addresses on S3 stay whole."""
    inbox = Inbox([Path("/data/Claims 2026/scans")], Path("forms"), Path("out"))
    assert inbox.title == "claims-2026-scans"
    remote = Inbox([Path("s3://bucket/inbox")], Path("forms"), Path("s3://bucket/out"))
    assert remote.title == "bucket-inbox"
    assert Path(remote.parameters()["inputs"][0]) == Path("s3://bucket/inbox")


def test_the_command_says_which_option(
    formdigits: Command, sample_forms: Path, tmp_path: Path
) -> None:
    """A wrong option ends the command with 2, before a server is started."""
    arguments = (sample_forms, "--templates", sample_forms, "--output", tmp_path)
    run = formdigits("serve", *arguments, "--interval", "0")
    assert run.returncode == 2
    assert "--interval" in run.stderr


def test_deploy_says_how_to_get_a_server(
    formdigits: Command, sample_forms: Path, tmp_path: Path
) -> None:
    """Without Prefect's API there is nothing to deploy to; the message says what to type."""
    arguments = (sample_forms, "--templates", sample_forms, "--output", tmp_path)
    run = formdigits("deploy", *arguments, "--interval", "1d")
    assert run.returncode == 1
    assert "prefect server start" in run.stderr
