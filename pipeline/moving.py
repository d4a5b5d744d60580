"""Moving files that are done with out of the inbox: each in one step, and over no other file."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Final

from pipeline.arrivals import MARK
from pipeline.errors import OutputError
from pipeline.tables import write_whole

_NO_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
"""What file systems say that know no hard links, or allow none here."""


class Drawer(StrEnum):
    """Where a file goes, below the inbox."""

    DONE = "done"
    FAILED = "failed"
    DUPLICATE = "duplicate"


def adopt(root: Path, tell: Callable[[str], None]) -> None:
    """Take folders that have our names for ours: what lies there is not read.

    Raises:
        OutputError: If one cannot be written.
    """
    for folder in (root / drawer for drawer in Drawer):
        if folder.is_dir() and not (folder / MARK).exists():
            _mark(folder)
            tell(f"{folder} is where read files go, and is not read; is it yours, rename it")


def _mark(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
        (folder / MARK).touch()
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be made ({error.strerror}); remove what has its name, or let "
            "formdigits write there"
        ) from error


def choose_place(root: Path, drawer: Drawer, name: str) -> Path:
    """Give the place for a file, free at this moment.

    Args:
        root: The inbox.
        drawer: Where in it.
        name: Path of the file below the inbox; its folders are kept.

    Raises:
        OutputError: If the folder cannot be made.
    """
    folder = root / drawer
    _mark(folder)
    return next(place for place in _names(folder / name) if not os.path.lexists(place))


def _names(place: Path) -> Iterator[Path]:
    yield place
    for number in count(2):
        yield place.with_name(f"{place.stem}~{number}{place.suffix}")


def move(file: Path, place: Path) -> bool:
    """Move a file to a place, in one step, if nothing is there.

    A move that was cut short is ended.

    Args:
        file: What to move, if it is still there.
        place: Where to, on the same file system.

    Returns:
        Whether the file is at its place now; not where something else is there already.

    Raises:
        OutputError: If it cannot be moved.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return _link(file, place) and _unlink(file)
    except OSError as error:
        raise OutputError(
            f"{file} cannot be moved to {place.parent} ({error.strerror}); its results are kept. "
            "Allow moving it, or run without --move"
        ) from error


def _link(file: Path, place: Path) -> bool:
    """Give a file its second name; that never replaces another file, as renaming does."""
    try:
        os.link(file, place, follow_symlinks=False)
    except FileExistsError:
        return place.samefile(file)
    except FileNotFoundError:
        return place.exists() and not file.exists()
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if place.exists():
            return False
        file.rename(place)
    return True


def _unlink(file: Path) -> bool:
    file.unlink(missing_ok=True)
    return True


def explain(place: Path, reasons: str) -> None:
    """Lay a text beside a file that failed, under its name with .txt."""
    write_whole({place.with_name(place.name + ".txt"): reasons.encode()})
