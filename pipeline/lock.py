"""One run at a time: a lock on a file that ends with its process, however that ends."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from pipeline.errors import OutputError

_BUSY: Final = {errno.EAGAIN, errno.EACCES}


@contextmanager
def locked(path: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock for the length of a `with`; wait where another process has it.

    The file stays: removing it would let two processes lock two files of one name. The system
    lets go of the lock when its process is gone, so that none is ever left behind.

    Args:
        path: The file of the lock; it is made.
        tell: Is told if there is something to wait for.

    Raises:
        OutputError: If the file cannot be made or locked.
    """
    with _open_locked(path, tell):
        yield


def _open_locked(path: Path, tell: Callable[[str], None]) -> IO[str]:
    try:
        file = path.open("a+")
        _take(file, tell)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
    except OSError as error:
        raise OutputError(
            f"{path} cannot be locked ({error.strerror}); check the folder, its permissions, and "
            "that the disk is not full"
        ) from error
    return file


def _take(file: IO[str], tell: Callable[[str], None]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _BUSY:
            raise
        file.seek(0)
        other = file.read().strip()
        tell(
            f"another run works in {Path(file.name).parent}"
            f"{f' (process {other})' if other else ''}; waiting for its end"
        )
        fcntl.flock(file, fcntl.LOCK_EX)
