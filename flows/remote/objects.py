"""Objects on S3-compatible storage, through fsspec: listed, fetched and put, each whole or not.

The usual variables say where and who: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_PROFILE, AWS_REGION, AWS_MAX_ATTEMPTS.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from flows.remote.address import SCHEME
from pipeline.errors import ExtractionError, InputFileError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_PATIENCE: Final = {"connect_timeout": 5, "read_timeout": 60}
_ADVICE: Final = {
    "NoCredentialsError": "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
    "AWS_PROFILE",
    "PartialCredentialsError": "half the credentials; set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY",
    "PermissionError": "access denied; check the credentials and what they allow",
    "FileNotFoundError": "no such bucket or object; check the name",
}
_UNREACHABLE: Final = (
    "the storage does not answer; check AWS_ENDPOINT_URL and the network, then run again"
)


@dataclass(frozen=True, slots=True)
class Object:
    """An object as it is listed."""

    key: str
    """Bucket and key."""
    etag: str
    size: int
    modified: float
    """Seconds since 1970."""


class Storage:
    """The objects below an address."""

    def __init__(self, address: str, error: type[ExtractionError] = InputFileError) -> None:
        self.address = address
        self.root = address.removeprefix(f"{SCHEME}//").strip("/")
        self._error = error
        if not self.root:
            raise error(f"{address!r} names no bucket; give s3://BUCKET/FOLDER")
        with self._explained():
            self._files: AbstractFileSystem = _connect()

    def list(self) -> dict[str, Object]:
        """Give the objects by their name below the address.

        Raises:
            ExtractionError: If they cannot be listed, or one's name cannot be that of a file.
        """
        with self._explained():
            found = self._files.find(self.root, detail=True)
        objects = [_to_object(key, facts) for key, facts in found.items() if _is_file(key, facts)]
        return {self._name(one.key): one for one in objects}

    def fetch(self, one: Object, path: Path) -> None:
        """Copy an object to a file, whole or not at all."""
        draft = path.with_name(f".{path.name}.part")
        with self._explained(one.key):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._files.get_file(one.key, str(draft))
            os.utime(draft, (one.modified, one.modified))
            draft.replace(path)

    def put(self, path: Path, name: str) -> Object:
        """Copy a file to an object, whole or not at all; others see the old one until then."""
        key = f"{self.root}/{name}"
        with self._explained(key):
            self._files.put_file(str(path), key)
            return _to_object(key, self._files.info(key, refresh=True))

    def _name(self, key: str) -> str:
        name = key.rpartition("/")[2] if key == self.root else key[len(self.root) + 1 :]
        parts = PurePosixPath(name).parts
        if not name or ".." in parts or name.startswith("/") or "\0" in name:
            raise self._error(f"{SCHEME}//{key}: no file can have that name; rename the object")
        return name

    @contextmanager
    def _explained(self, key: str = "") -> Iterator[None]:
        """Turn what the storage complains about into a message that says what to do."""
        where = f"{SCHEME}//{key}" if key else self.address
        try:
            yield
        except ImportError as error:
            raise self._error("S3 needs s3fs: pip install 'formdigits[s3]'") from error
        except Exception as error:
            if not _is_storage_error(error):
                raise
            advice = _ADVICE.get(type(error).__name__, _UNREACHABLE)
            raise self._error(f"{where}: {advice} ({error})") from error


def _connect() -> AbstractFileSystem:
    from fsspec import filesystem  # noqa: PLC0415 - only who reads from S3 needs to load it

    # Listings are asked for anew each time: a run must see what has arrived since the last.
    return filesystem("s3", use_listings_cache=False, config_kwargs=_PATIENCE)


def _is_storage_error(error: Exception) -> bool:
    """Tell whether the storage failed: s3fs gives system errors, botocore those of its own.

    An address that cannot be one is a ValueError of botocore's.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"OSError", "ValueError", "BotoCoreError", "ClientError"})


def _is_file(key: str, facts: dict[str, Any]) -> bool:
    """Tell an object from the empty one that stands for a folder."""
    return facts["type"] == "file" and not key.endswith("/")


def _to_object(key: str, facts: dict[str, Any]) -> Object:
    modified = facts["LastModified"].timestamp()
    return Object(key, facts["ETag"].strip('"'), int(facts["size"]), modified)
