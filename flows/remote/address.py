"""Addresses on S3 where paths are taken, and what they are on this machine."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import InputFileError, OutputError

SCHEME: Final = "s3:"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run reads and writes on this machine."""

    inputs: tuple[Path, ...]
    output: Path


def is_remote(path: Path) -> bool:
    """Tell whether a path is an address on S3; as a path it has lost one of its two slashes."""
    return path.parts[:1] == (SCHEME,)


def address_of(path: Path) -> str:
    """Write a path as the address that it was made of."""
    return f"{SCHEME}//{path.as_posix().removeprefix(SCHEME).lstrip('/')}"


def at_hand(
    inputs: Sequence[Path], output: Path, *, moves: bool = False
) -> AbstractContextManager[Places]:
    """Have what lies on S3 as folders inside a `with`, and put the output there at its end.

    Args:
        inputs: Files, folders, or addresses on S3.
        output: A folder, or an address on S3; it stays as it was where the run fails.
        moves: Whether the run moves files; objects are left where they are.

    Raises:
        InputFileError: If an inbox cannot be copied, or its objects were to be moved.
        OutputError: If the output cannot be had or put, or another run has written it meanwhile.
    """
    if moves and (addresses := [address_of(path) for path in inputs if is_remote(path)]):
        raise InputFileError(
            f"{addresses[0]}: objects on S3 are not moved; leave --move out: what was read is "
            "remembered, and a rule of the bucket can remove what is old"
        )
    if not any(map(is_remote, (*inputs, output))):
        return nullcontext(Places(tuple(inputs), output))
    from flows.remote.mirror import mirrored  # noqa: PLC0415 - loads a database and threads

    return mirrored(inputs, output)


def refuse(path: Path, verb: str) -> None:
    """Refuse an address where only a folder will do.

    Raises:
        OutputError: If the path is an address on S3.
    """
    if is_remote(path):
        raise OutputError(
            f"{verb} works on a folder, not on {address_of(path)}; copy it here first, for example "
            "with aws s3 sync"
        )
