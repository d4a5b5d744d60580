"""A real PostgreSQL server for tests, run as an ordinary user: it refuses to run as root."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

USER = "formdigits"


def find_programs() -> Path | None:
    """Find the folder of `initdb` and `pg_ctl`; Debian keeps them out of the path."""
    found = shutil.which("pg_ctl")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if found:
        folders.append(Path(found).resolve().parent)
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@dataclass(frozen=True)
class Server:
    """A server that can be taken away for a while."""

    address: str
    """Of its first database."""
    start: Callable[[], None]
    stop: Callable[[], None]
    """At once, as by a power cut."""


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """Run a server on a socket in a temporary folder; give the address of its first database."""
    with serving(programs) as server:
        yield server.address


@contextmanager
def serving(programs: Path) -> Iterator[Server]:
    """Run a server on a socket in a temporary folder."""
    owner = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        folder = Path(name)
        if owner:
            shutil.chown(folder, **owner)
        port = _free_port()
        cluster, log = folder / "cluster", folder / "log"
        options = f"-k {folder} -p {port} -c listen_addresses= -c fsync=off"

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [programs / program, "-D", cluster, *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
                **owner,
            )

        run("initdb", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync")
        address = f"postgresql+psycopg://{USER}@/postgres?host={folder}&port={port}"
        start = partial(run, "pg_ctl", "-w", "-l", str(log), "-o", options, "start")
        stop = partial(run, "pg_ctl", "-w", "-m", "immediate", "stop")
        start()
        try:
            yield Server(address, start, stop)
        finally:
            stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
