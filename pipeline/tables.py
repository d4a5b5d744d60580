"""The dialect of the CSV files: UTF-8, RFC 4180, no formulas, written whole or not at all.

Written by hand and not by pandas: loading pandas takes half the time of a small job.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from pipeline.errors import InputFileError, OutputError

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_QUOTED: Final = frozenset(',"\r\n')


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under named columns; `name` is that of its file without suffix."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def neutralise(text: str) -> str:
    """Keep a spreadsheet from running a text as a formula: an apostrophe goes before it.

    A text that looks neutralised gets one too, so that `restore` always gives back the original.
    """
    return "'" + text if text.lstrip("'").startswith(_FORMULA_STARTS) else text


def restore(text: str) -> str:
    """Undo `neutralise`."""
    looks_neutralised = text.startswith("'") and text.lstrip("'").startswith(_FORMULA_STARTS)
    return text[1:] if looks_neutralised else text


def as_csv(table: Table) -> str:
    """Write a table as RFC 4180 has it, but for the line ends, which are single newlines."""
    return "".join(map(as_line, (table.columns, *table.rows)))


def as_line(cells: Iterable[str]) -> str:
    """Write one row, with its newline."""
    return ",".join(map(_cell, cells)) + "\n"


@lru_cache(maxsize=1024)
def _cell(text: str) -> str:
    """Write a cell; of a page's some hundred most are as one of those before."""
    safe = neutralise(text)
    if _QUOTED.isdisjoint(safe):
        return safe
    return '"' + safe.replace('"', '""') + '"'


def read_csv(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    """Read a table as text, neutralised cells restored.

    Args:
        path: The CSV file.
        columns: What it must hold; further columns are left out.

    Returns:
        A frame of str with these columns.

    Raises:
        InputFileError: If the file is missing or no CSV, or a column is missing.
    """
    import pandas as pd  # noqa: PLC0415 - see the module's docstring

    try:
        frame = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
        )
    except FileNotFoundError as error:
        raise InputFileError(f"{path} does not exist; check the path") from error
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; check its permissions") from error
    except ValueError as error:  # what pandas raises for bad CSV and bad UTF-8 derives from it
        raise InputFileError(f"{path} is no CSV in UTF-8 ({error}); save it as one") from error
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InputFileError(
            f"{path} has no column {', '.join(missing)}; it needs {','.join(columns)}"
        )
    return frame[list(columns)].map(restore)


def write_whole(contents: Mapping[Path, bytes]) -> None:
    """Write files so that each is there whole, or as it was before.

    All are on the disk under other names before the first takes its place.

    Args:
        contents: What each file is to hold; their folders must exist.

    Raises:
        OutputError: If one cannot be written; then none has changed.
    """
    with drafted(list(contents)) as files:
        for file, content in zip(files, contents.values(), strict=True):
            file.write(content)


@contextmanager
def drafted(paths: Sequence[Path]) -> Iterator[list[BinaryIO]]:
    """Give files to write to; after the `with` they take the places of others, all or none.

    Args:
        paths: The places, in one folder, which must exist.

    Raises:
        OutputError: If one cannot be written; then none has changed.
    """
    folder = paths[0].parent
    drafts = [path.with_name(f".{path.name}.{os.getpid()}.part") for path in paths]
    try:
        with ExitStack() as stack:
            files: list[BinaryIO] = [stack.enter_context(draft.open("wb")) for draft in drafts]
            yield files
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        for draft, path in zip(drafts, paths, strict=True):
            draft.replace(path)
        _keep_names(folder)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror}); free space there, or name another"
        ) from error
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def _keep_names(folder: Path) -> None:
    """See that new names in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
