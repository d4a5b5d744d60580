"""An output folder with a queue of fifty fields, the command that serves it, and a browser."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.records import Flag, PageResult
from pipeline.store.database import database_url, opened
from pipeline.store.origin import Origin
from pipeline.store.save import save
from pipeline.store.schema import corrections, fields
from tests.pipeline.conftest import skip_or_fail

QUEUE = 50
Read = tuple[list[PageResult], Origin]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def doubt(results: list[PageResult], count: int) -> list[PageResult]:
    """Flag that many fields for review, as of low confidence, and accept the others."""
    left = count
    doubted = []
    for page in results:
        changed = []
        for field in page.fields:
            flag = Flag.REVIEW if left > 0 else Flag.ACCEPTED
            reasons = ("low_confidence",) if left > 0 else ()
            changed.append(replace(field, flag=flag, reasons=reasons))
            left -= 1
        doubted.append(replace(page, fields=tuple(changed)))
    return doubted


@pytest.fixture
def queued(read_cards: Read, tmp_path: Path) -> Path:
    """An output folder in which fifty fields wait."""
    results, origin = read_cards
    strict = replace(origin, card=replace(origin.card, accept_confidence=0.9999), profile=None)
    with opened(database_url(tmp_path), create=True) as engine:
        save(engine, doubt(results, QUEUE), strict)
    return tmp_path


def decided(output: Path) -> dict[int, tuple[str, str]]:
    """Give what people decided: raw and reviewer by field."""
    query = sa.select(fields.c.id, corrections.c.raw, corrections.c.reviewer).join(
        corrections, corrections.c.id == fields.c.correction_id
    )
    with opened(database_url(output)) as engine, engine.connect() as connection:
        return {row.id: (row.raw, row.reviewer) for row in connection.execute(query)}


@contextmanager
def serving(output: Path, *options: object, port: int = 0) -> Iterator[tuple[str, int]]:
    """Serve the review pages as the command does; give their address and the process."""
    program = Path(sys.executable).with_name("formdigits")
    command = [program, "review", output, "--port", port, "--no-browser", "--reviewer", "Ada"]
    process = subprocess.Popen(
        [*map(str, command), *map(str, options)], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()


@pytest.fixture
def address(queued: Path) -> Iterator[str]:
    """The address of the pages, served by the command."""
    with serving(queued) as (address, _):
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, headless."""
    program = shutil.which("chromium")
    if program is None:
        skip_or_fail("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages, each in a browser context of its own; none may write an error."""
    contexts, troubles = [], []

    def open_page(address: str, name: str = "", **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        if name:
            context.add_cookies([{"name": "formdigits_name", "value": name, "url": address}])
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def kill(pid: int) -> None:
    """End the server as a crash would."""
    os.kill(pid, signal.SIGKILL)
