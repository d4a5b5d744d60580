"""From an inbox to documents to pages.

What is handed on is a document and a page number, never pixels: they are decoded where they are
read, and a thousand pages waiting cost nothing.
"""

import errno
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.arrivals import MARK, is_temporary, state_of
from pipeline.decoders import DECODERS, Decoder
from pipeline.errors import InputFileError, PageError
from pipeline.records import Page, PageId

MAX_FILE_BYTES: Final = 2 << 30
_HEAD_BYTES: Final = 1024
_KINDS: Final = "PNG, JPEG, TIFF, BMP, WebP or PDF"
# A network drive or a USB disk gives these for a moment; the others stay until a person acts.
_TRANSIENT: Final = {
    errno.EIO,
    errno.EAGAIN,
    errno.EBUSY,
    errno.ETIMEDOUT,
    errno.ESTALE,
    errno.ECONNRESET,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
}


class UnsteadyFileError(InputFileError):
    """A file could not be read this time; trying again may do."""


class ChangingFileError(InputFileError):
    """A file is being written while it is read."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file, and its name in the output: the path below the input with forward slashes."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class PageRef:
    """A page that has not been read yet."""

    document: Document
    number: int
    sha256: str = ""
    """Of the bytes that the page was counted in; none where that does not matter."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """The documents of all inputs by name, and how many files of other kinds were passed over."""

    documents: tuple[Document, ...]
    passed_over: int
    unfinished: int = 0
    """Files whose names say that they are still being written."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a document is known by: the SHA-256 of its bytes. And how many pages it has."""

    sha256: str
    pages: int
    state: str
    """Of the file while it was read, as `arrivals.state_of` gives it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document's bytes, read once for its hash and all its pages."""

    document: Document
    sha256: str
    data: bytes = field(repr=False)


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
            raise InputFileError(f"{source} holds no {_KINDS} file; name the folder of the scans")
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
    relative = file.name if file == source else file.relative_to(source).as_posix()
    # A name that is no UTF-8 still has to stand in a CSV that is.
    return os.fsencode(relative).decode("utf-8", errors="backslashreplace")


def _refuse_twins(documents: Sequence[Document]) -> None:
    for name, count in Counter(document.name for document in documents).most_common(1):
        if count == 1:
            break
        raise InputFileError(
            f"{count} inputs hold a document {name!r}, and their rows could not be told apart; "
            "name the folder that holds them all instead"
        )


def list_pages(document: Document) -> list[PageRef]:
    """Give a reference for each page; one for a file whose pages cannot be counted.

    Only formats of many pages are opened. Why a file cannot be opened is said when its page is
    decoded, where it becomes the page's reason.
    """
    return [PageRef(document, number) for number in range(1, _count_pages(document) + 1)]


def _count_pages(document: Document) -> int:
    try:
        head = _read(document.path, _HEAD_BYTES)
        if _decoder_of(document, head).count is None:
            return 1
        return _count(document, _read(document.path))
    except InputFileError:
        return 1


def _count(document: Document, data: bytes) -> int:
    try:
        count = _decoder_of(document, data[:_HEAD_BYTES]).count
        return 1 if count is None else max(1, count(data))
    except (InputFileError, PageError):
        return 1


def fingerprint(document: Document) -> Fingerprint:
    """Hash a document and count its pages.

    Raises:
        ChangingFileError: If the file changes meanwhile.
        UnsteadyFileError: If the file system failed in a way that may pass.
        InputFileError: If the file cannot be read.
    """
    before = _state(document.path)
    source = load(document)
    if _state(document.path) != before or len(source.data) != int(before.partition(":")[0]):
        raise ChangingFileError("it is still being written; it is read in the next run")
    return Fingerprint(source.sha256, _count(document, source.data), before)


def _state(path: Path) -> str:
    try:
        return state_of(path)
    except OSError as error:
        raise _explain(error) from error


def load(document: Document) -> Source:
    """Read a document's bytes.

    Raises:
        UnsteadyFileError: If the file system failed in a way that may pass.
        InputFileError: If the file cannot be read.
    """
    data = _read(document.path)
    return Source(document, hashlib.sha256(data).hexdigest(), data)


def decode_page(source: Source, number: int, *, side_px: int = 0) -> Page:
    """Decode one page to grey.

    Args:
        source: The document as loaded.
        number: The page, from 1.
        side_px: How many pixels its longer side needs: a finer page is reduced by the largest
            whole factor that leaves so many; 0 to leave it as it is.

    Raises:
        InputFileError: If the bytes are those of no format that can be read.
        PageError: If the page is damaged, too large or too small.
    """
    decoder = _decoder_of(source.document, source.data[:_HEAD_BYTES])
    image = decoder.decode(source.data, number, side_px)
    return Page(PageId(source.document.name, number, source.sha256), image)


def _decoder_of(document: Document, head: bytes) -> Decoder:
    """Choose by content, the suffix first: a JPEG that is called .png can be read all the same."""
    if not head:
        raise InputFileError("the file is empty; copy it again, or scan the page again")
    named = DECODERS.get(document.path.suffix.lower())
    for decoder in (named, *DECODERS.values()):
        if decoder and decoder.recognises(head):
            return decoder
    raise InputFileError(f"this is no {_KINDS} file, whatever its name says; save it as one")


def _read(path: Path, size: int = -1) -> bytes:
    try:
        _refuse_unreadable(path)
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise _explain(error) from error


def _explain(error: OSError) -> InputFileError:
    if error.errno in _TRANSIENT:
        return UnsteadyFileError(f"{error.strerror}; check the drive, then run again")
    return InputFileError(f"{error.strerror}; check the file and its permissions")


def _refuse_unreadable(path: Path) -> None:
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise InputFileError("this is not a regular file; copy the scan into one")
    if facts.st_size > MAX_FILE_BYTES:
        raise InputFileError(f"over {MAX_FILE_BYTES >> 30} GiB; split it into smaller files")
