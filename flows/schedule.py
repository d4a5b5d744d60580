"""When runs are due: a cron line or an interval, checked before anything is served or deployed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from prefect.schedules import Cron, Interval, Schedule
from tzlocal import get_localzone_name

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
LEAST_S: Final = 10
"""Prefect looks for runs that are due about that often."""


class ScheduleError(ValueError):
    """An option is wrong; `option` names it."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


def make_schedule(cron: str, interval: str, timezone: str) -> Schedule:
    """Check and make a schedule.

    Args:
        cron: A cron line, or nothing.
        interval: A number with its unit as in `15m`, or nothing; one of both must be given.
        timezone: A name as Europe/Berlin; if none, the machine's.

    Raises:
        ScheduleError: If they make no schedule.
    """
    if bool(cron) == bool(interval):
        raise ScheduleError("--cron", 'say --cron "0 2 * * *" or --interval 15m, one of the two')
    zone = _zone(timezone)
    if interval:
        return Interval(_seconds(interval), timezone=zone)
    try:
        return Cron(cron, timezone=zone)
    except ValueError as error:
        raise ScheduleError(
            "--cron", f"{cron!r} is no cron line; needs five parts as in '0 2 * * 1-5'"
        ) from error


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name or get_localzone_name()).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(
            "--timezone", f"{name!r} is not known; needs a name as Europe/Berlin or UTC"
        ) from error


def _seconds(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)\s*([smhd]?)", text.strip())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if seconds < LEAST_S:
        raise ScheduleError(
            "--interval", f"{text!r} must be at least {LEAST_S}s, written as 90s, 15m, 2h or 1d"
        )
    return timedelta(seconds=seconds)
