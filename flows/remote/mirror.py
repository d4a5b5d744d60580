"""Local copies of an inbox and an output on S3.

What is in the inbox is copied once, by ETag and size, and read as a folder is. What a run writes
is put to the output when it is complete, the database first: the tables are exports of it. A run
that was killed leaves its copy here, and the next goes on with it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final

from flows.remote.address import Places, address_of, is_remote
from flows.remote.objects import Object, Storage
from pipeline.decoders import DECODERS
from pipeline.errors import OutputError
from pipeline.lock import locked
from pipeline.store.database import FILE
from pipeline.tables import write_whole

CACHE_VARIABLE: Final = "FORMDIGITS_CACHE"
AT_ONCE: Final = 16
_INDEX: Final = "index.json"
_FILES: Final = "files"
_log: Final = logging.getLogger(__name__)

Index = dict[str, list[str]]
"""By name: the ETag of what was copied, and size and time of the copy."""


@contextmanager
def mirrored(inputs: Sequence[Path], output: Path) -> Iterator[Places]:
    """Have what lies on S3 as folders; as `address.at_hand`."""
    with ExitStack() as open_outputs:
        here = output
        if is_remote(output):
            here = open_outputs.enter_context(_outbox(address_of(output)))
        yield Places(tuple(fetch(path) if is_remote(path) else path for path in inputs), here)


def fetch(path: Path) -> Path:
    """Copy what an inbox on S3 holds now, as far as it is not here yet.

    Args:
        path: The address of a folder or of one object.

    Returns:
        A folder with the same names, or one file.

    Raises:
        InputFileError: If it cannot be copied.
    """
    storage = Storage(address_of(path))
    everything = storage.list()
    found = {name: one for name, one in everything.items() if _suffix(name) in DECODERS}
    if others := len(everything) - len(found):
        _log.warning("%s: %d objects of other kinds left alone", storage.address, others)
    copy = _Copy(storage.address)
    with copy.alone():
        copy.fetch(storage, found)
        copy.forget_others(found)
    only = next(iter(found.values())) if len(found) == 1 else None
    return copy.files / next(iter(found)) if only and only.key == storage.root else copy.files


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


@contextmanager
def _outbox(address: str) -> Iterator[Path]:
    storage = Storage(address, OutputError)
    copy = _Copy(address)
    with copy.alone():
        before = storage.list()
        copy.forget_others(before)
        copy.fetch(storage, before)
        yield copy.files
        copy.put(storage)


class _Copy:
    """A copy of what lies below an address, and what is known about it."""

    def __init__(self, address: str) -> None:
        name = re.sub(r"[^a-z0-9]+", "-", address.lower()).strip("-")[:60]
        digest = hashlib.sha256(address.encode()).hexdigest()[:12]
        self._folder = _cache() / f"{name}-{digest}"
        self.files = self._folder / _FILES
        self.files.mkdir(parents=True, exist_ok=True)

    def fetch(self, storage: Storage, found: Mapping[str, Object]) -> None:
        """Copy the objects of which there is no copy."""
        index = self._read_index()
        new = {
            name: one
            for name, one in found.items()
            if index.get(name, [""])[0] != one.etag or not (self.files / name).exists()
        }
        if FILE in new:
            self._drop_journal()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(lambda name: storage.fetch(new[name], self.files / name), new))
        self._write_index(index | {name: self._entry(name, one.etag) for name, one in new.items()})

    def forget_others(self, found: Mapping[str, Object]) -> None:
        """Remove the copies of objects that are gone; what was never an object stays."""
        index = self._read_index()
        for name in index.keys() - found.keys():
            (self.files / name).unlink(missing_ok=True)
            if name == FILE:
                self._drop_journal()
        self._write_index({name: entry for name, entry in index.items() if name in found})

    def put(self, storage: Storage) -> None:
        """Put what has changed, the database first."""
        self._settle_database()
        index, there = self._read_index(), storage.list()
        if FILE in there and there[FILE].etag != index.get(FILE, [""])[0]:
            raise OutputError(
                f"{storage.address} was written by another run meanwhile, and is left as that run "
                "left it; run again, one at a time, or give all runs one --database on a server"
            )
        files = [path for path in self.files.iterdir() if path.is_file()]
        names = [path.name for path in files if not path.name.startswith(".")]
        for name in sorted(names, key=lambda name: (name != FILE, name)):
            if index.get(name, [])[1:] != self._entry(name, "")[1:]:
                put = storage.put(self.files / name, name)
                index[name] = self._entry(name, put.etag)
                self._write_index(index)

    def _settle_database(self) -> None:
        """See to it that the database is one file, with nothing left in its journal."""
        path = self.files / FILE
        if path.exists():
            connection = sqlite3.connect(path)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        self._drop_journal()

    def _drop_journal(self) -> None:
        for end in ("-wal", "-shm"):
            (self.files / f"{FILE}{end}").unlink(missing_ok=True)

    def _entry(self, name: str, etag: str) -> list[str]:
        facts = (self.files / name).stat()
        return [etag, str(facts.st_size), str(facts.st_mtime_ns)]

    def _read_index(self) -> Index:
        try:
            index: Index = json.loads((self._folder / _INDEX).read_text())
        except (OSError, ValueError):  # none yet, or damaged: everything is copied again
            return {}
        return index

    def _write_index(self, index: Index) -> None:
        write_whole({self._folder / _INDEX: json.dumps(index, sort_keys=True).encode()})

    def alone(self) -> AbstractContextManager[None]:
        """Keep other runs on this machine from the copy; they wait."""
        return locked(self._folder / "lock", _log.warning)


def _cache() -> Path:
    """Give the folder for copies: $FORMDIGITS_CACHE, or where programs of this user keep theirs."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "formdigits"
