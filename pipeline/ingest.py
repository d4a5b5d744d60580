"""From documents to pages.

What is handed on is a document and a page number, never pixels: they are decoded where they are
read, and a thousand pages waiting cost nothing.
"""

import errno
import hashlib
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.arrivals import state_of, state_or_none
from pipeline.decoders import DECODERS, Decoder
from pipeline.errors import InputFileError, PageError
from pipeline.inbox import KINDS, Document
from pipeline.records import Page, PageId

MAX_FILE_BYTES: Final = 2 << 30
_HEAD_BYTES: Final = 1024
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
class PageRef:
    """A page that has not been read yet."""

    document: Document
    number: int
    sha256: str = ""
    """Of the bytes that the page was counted in; none where that does not matter."""
    state: str = ""
    """Of the file then, where it tells that they are the same; none where they must be hashed."""


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


def load(document: Document, *, sha256: str = "", state: str = "") -> Source:
    """Read a document's bytes.

    Args:
        document: Where they are.
        sha256: What their hash was.
        state: Of the file then: while it has not changed, it is not hashed again.

    Raises:
        UnsteadyFileError: If the file system failed in a way that may pass.
        InputFileError: If the file cannot be read.
    """
    data = _read(document.path)
    if state and state_or_none(document.path) == state:
        return Source(document, sha256, data)
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
    raise InputFileError(f"this is no {KINDS} file, whatever its name says; save it as one")


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
