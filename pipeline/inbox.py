"""What lies in an inbox: documents, in an order that does not depend on the file system."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.arrivals import MARK, is_temporary
from pipeline.decoders import DECODERS
from pipeline.errors import InputFileError

KINDS: Final = "PNG, JPEG, TIFF, BMP, WebP or PDF"


@dataclass(frozen=True, slots=True)
class Document:
    """A file, and its name in the output: the path below the input with forward slashes."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """The documents of all inputs by name, and how many files of other kinds were passed over."""

    documents: tuple[Document, ...]
    passed_over: int
    unfinished: int = 0
    """Files whose names say that they are still being written."""


def find_documents(
    inputs: Sequence[Path], *, leave_out: Path | None = None, may_be_empty: bool = False
) -> Inbox:
    """List what there is to read, in an order that does not depend on the file system.

    Args:
        inputs: Files and folders; folders are searched to the bottom, hidden files left alone.
        leave_out: A folder that is not searched: the output may lie below the input.
        may_be_empty: Take an input that holds nothing to read; it must still be there.

    Raises:
        InputFileError: If an input is missing, holds nothing to read, or two give the same name.
    """
    documents: list[Document] = []
    passed_over = unfinished = 0
    for source in inputs:
        files = dict(_files_of(source, leave_out))
        unfinished += sum(files.values())
        whole = [file for file, temporary in files.items() if not temporary]
        found = [file for file in whole if file == source or file.suffix.lower() in DECODERS]
        if not (found or may_be_empty or any(files.values())):
            raise InputFileError(f"{source} holds no {KINDS} file; name the folder of the scans")
        documents += [Document(file, _name(file, source)) for file in found]
        passed_over += len(whole) - len(found)
    _refuse_twins(documents)
    documents.sort(key=lambda document: document.name)
    return Inbox(tuple(documents), passed_over, unfinished)


def _files_of(source: Path, leave_out: Path | None) -> Iterator[tuple[Path, bool]]:
    """Give files, each with whether its name says that it is still being written."""
    if not source.exists():
        raise InputFileError(f"{source} does not exist; check the path to the scans")
    if source.is_dir():
        yield from _search(source, leave_out.resolve() if leave_out else None)
    else:
        yield source, False


def _search(folder: Path, leave_out: Path | None) -> Iterator[tuple[Path, bool]]:
    seen = {folder.resolve(), leave_out}
    for place, folders, names in os.walk(folder, onerror=_cannot_list, followlinks=True):
        here = Path(place)
        folders[:] = [name for name in sorted(folders) if _is_new(here / name, seen)]
        together = frozenset(names)
        for name in names:
            temporary = is_temporary(name, together, DECODERS)
            if (temporary or not name.startswith(".")) and (here / name).is_file():
                yield here / name, temporary


def _is_new(folder: Path, seen: set[Path | None]) -> bool:
    """Tell a folder to search from a hidden one, one for moved files, and one met before."""
    place = folder.resolve()
    new = not folder.name.startswith(".") and place not in seen and not (folder / MARK).exists()
    seen.add(place)
    return new


def _cannot_list(error: OSError) -> None:
    raise InputFileError(f"{error.filename}: {error.strerror}; allow reading it, or leave it out")


def _name(file: Path, source: Path) -> str:
    return as_text(Path(file.name) if file == source else file.relative_to(source))


def as_text(path: Path) -> str:
    """Write a path: one that is no UTF-8 still has to stand in a CSV or a database that is."""
    return os.fsencode(path.as_posix()).decode("utf-8", errors="backslashreplace")


def _refuse_twins(documents: Sequence[Document]) -> None:
    for name, count in Counter(document.name for document in documents).most_common(1):
        if count == 1:
            break
        raise InputFileError(
            f"{count} inputs hold a document {name!r}, and their rows could not be told apart; "
            "name the folder that holds them all instead"
        )
