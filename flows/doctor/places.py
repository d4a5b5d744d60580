"""Whether folders, templates, the database and Prefect's API can be used."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flows.doctor.finding import Finding, State
from flows.remote.address import address_of, is_remote
from pipeline.errors import OutputError

FULL_BYTES: Final = 100 << 20
SHORT_BYTES: Final = 2 << 30


def check_folder(folder: Path) -> Iterator[Finding]:
    """Look whether a folder can be listed and written, and whether there is room."""
    if is_remote(folder):
        yield from _check_storage(address_of(folder))
        return
    name = str(folder)
    if not folder.exists():
        todo = "make it, mount it, or check its name; extract makes its output folder itself"
        yield Finding(name, State.FAILED, "does not exist", todo)
        return
    if not folder.is_dir():
        yield Finding(name, State.FAILED, "is no folder", "name the folder")
        return
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        todo = "allow this user to read it"
        yield Finding(name, State.FAILED, f"cannot be listed ({error.strerror})", todo)
        return
    yield _writable(folder)
    yield from _room(folder)


def _check_storage(address: str) -> Iterator[Finding]:
    """List what is on S3; whether it may be written is not tried."""
    from flows.remote.objects import Storage  # noqa: PLC0415 - loads what few need

    found = f"{len(Storage(address).list())} objects can be listed"
    yield Finding(address, State.OK, found)


def _writable(folder: Path) -> Finding:
    probe = folder / f".write-test.{os.getpid()}"
    try:
        probe.write_bytes(b"formdigits")
        probe.unlink()
    except OSError as error:
        todo = "allow this user to write it, if results or moved scans are to go there"
        return Finding(str(folder), State.FAILED, f"cannot be written ({error.strerror})", todo)
    return Finding(str(folder), State.OK, "can be read and written")


def _room(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    if free < SHORT_BYTES:
        state = State.FAILED if free < FULL_BYTES else State.WARNING
        found = f"{free >> 20} MiB free"
        yield Finding(str(folder), state, found, "free space, or name a folder on another disk")


def check_templates(folder: Path) -> Iterator[Finding]:
    """Load the templates as extract does."""
    from pipeline.template import load_templates  # noqa: PLC0415 - a broken package is a finding

    names = [template.template_id for template in load_templates(folder)]
    yield Finding(str(folder), State.OK, f"{len(names)} templates: {', '.join(names)}")


def check_database(output: Path, database: str) -> Iterator[Finding]:
    """Look whether the results database answers, and whether its tables are this program's."""
    from pipeline.store.database import database_url  # noqa: PLC0415
    from pipeline.store.health import look_at  # noqa: PLC0415

    found = look_at(database_url(output, database))
    state = State.WARNING if found.todo else State.OK
    yield Finding("database", state, found.words, found.todo)


def check_prefect() -> Iterator[Finding]:
    """Ask Prefect's API whether it is there, and whether its version goes with this one."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from prefect import __version__  # noqa: PLC0415 - takes seconds to load
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.settings import get_current_settings  # noqa: PLC0415

    url = get_current_settings().api.url
    if not url:
        found = f"{__version__}, no API configured: each run starts a server of its own"
        todo = (
            "for schedules and a history of runs: prefect server start, then "
            "prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api"
        )
        yield Finding("Prefect", State.NOTE, found, todo)
        return
    with get_client(sync_client=True) as client:
        if failure := client.api_healthcheck():
            raise OutputError(
                f"the API at {url} does not answer ({failure}); start it with prefect server "
                "start, correct PREFECT_API_URL, or use extract --direct"
            )
        server = client.api_version()
    if server.split(".")[:2] != __version__.split(".")[:2]:
        found = f"the API at {url} has version {server}, this program {__version__}"
        yield Finding("Prefect", State.WARNING, found, "install the same version on both")
    else:
        yield Finding("Prefect", State.OK, f"{server} answers at {url}")
