"""What of an inbox is to be read: each document once, by the hash of its bytes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count, islice
from pathlib import Path
from typing import Final, TypeVar

from pipeline.arrivals import RACY_S, find_rested, is_rested, state_of
from pipeline.errors import InputFileError
from pipeline.ingest import (
    ChangingFileError,
    Document,
    Fingerprint,
    PageRef,
    fingerprint,
)
from pipeline.records import PageId, PageResult, Status
from pipeline.store.database import Database
from pipeline.store.known import (
    KnownDocument,
    known_by_content,
    known_by_source,
    load_looks,
    save_looks,
    taken_names,
)
from pipeline.store.origin import Editions
from pipeline.store.purge import known_purged
from pipeline.store.spool import Kept

CHUNK: Final = 500
_T = TypeVar("_T")
_COPY: Final = Status.DUPLICATE
UNREADABLE: Final = Fingerprint("", 1, "")


class Reread(StrEnum):
    """Which documents are read that were read before."""

    NEW = "new"
    """None."""
    CHANGED = "changed"
    """Those whose template, profile or network is another now."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file of the inbox that holds still, and what is in it."""

    document: Document
    """As it is called in the results."""
    source: str
    """As it is called in the inbox."""
    mark: Fingerprint


@dataclass(slots=True)
class Sifted:
    """An inbox, taken apart."""

    pages: list[PageRef] = field(default_factory=list)
    """To be read."""
    copies: list[PageResult] = field(default_factory=list)
    """Of documents that are copies of others: nothing is read on them."""
    arrivals: list[Arrival] = field(default_factory=list)
    known: int = 0
    stale: int = 0
    waiting: int = 0


def look_at(
    engine: Database, found: Sequence[Document], settle_s: float
) -> tuple[list[tuple[Document, Fingerprint]], int]:
    """Find out by what each file is known; leave out those that are still being written.

    A file that nobody has touched since it was hashed is not hashed again.

    Args:
        engine: Where hashes are remembered.
        found: The files.
        settle_s: How long a file must have been left alone.

    Returns:
        Files with their fingerprints, `UNREADABLE` where there is none; and how many wait.
    """
    rested = find_rested([one.path for one in found], settle_s)
    looked: list[tuple[Document, Fingerprint]] = []
    for some in _chunks(one for one in found if one.path in rested):
        now = time.time()
        remembered = load_looks(engine, [str(one.path.resolve()) for one in some], now)
        fresh: dict[str, Fingerprint] = {}
        for one in some:
            place = str(one.path.resolve())
            mark = _look(one, remembered.get(place))
            if mark is None:
                continue
            looked.append((one, mark))
            if mark.state and remembered.get(place) != mark and is_rested(mark.state, now, RACY_S):
                fresh[place] = mark
        save_looks(engine, fresh, now)
    return looked, len(found) - len(looked)


def _look(document: Document, remembered: Fingerprint | None) -> Fingerprint | None:
    try:
        if remembered and state_of(document.path) == remembered.state:
            return remembered
        return fingerprint(document)
    except ChangingFileError:
        return None
    except (InputFileError, OSError):
        return UNREADABLE  # whoever reads it says why, and tries again if that may help


def sift(
    engine: Database,
    found: Sequence[tuple[Document, Fingerprint]],
    editions: Editions,
    kept: Sequence[Kept],
    reread: Reread,
) -> Sifted:
    """Tell new documents from known ones and from copies.

    Which of several copies is read does not depend on chance: one whose bytes are read already,
    else the first by name.

    Args:
        engine: The results.
        found: What is in the inbox, by name.
        editions: What documents would be read with.
        kept: What a run that was killed has read.
        reread: Which known documents to read again.
    """
    return _Sieve(engine, found, editions, kept, reread).sift()


class _Sieve:
    def __init__(
        self,
        engine: Database,
        found: Sequence[tuple[Document, Fingerprint]],
        editions: Editions,
        kept: Sequence[Kept],
        reread: Reread,
    ) -> None:
        self._engine = engine
        self._found = found
        self._editions = editions
        self._reread = reread
        self._here = {document.name: mark.sha256 for document, mark in found}
        self._kept = {(one.sha256, one.name): one.pages for one in kept}
        self._first = {
            one.sha256: one.name
            for one in kept
            if one.is_whole or self._here.get(one.source) == one.sha256
        }
        self._labels: set[str] = set()
        self._sifted = Sifted()

    def sift(self) -> Sifted:
        for some in _chunks(self._found):
            by_content = known_by_content(self._engine, [mark.sha256 for _, mark in some])
            by_source = known_by_source(self._engine, [document.name for document, _ in some])
            gone = self._purged([mark.sha256 for _, mark in some])
            for document, mark in some:
                like = by_content.get(mark.sha256, []) if mark.sha256 else []
                if mark.sha256 in gone and all(one.is_copy for one in like):
                    self._sifted.known += 1
                    continue
                self._sift(document, mark, like, by_source.get(document.name, []))
        return self._sifted

    def _purged(self, hashes: Sequence[str]) -> set[str]:
        """Tell which documents were removed on purpose: they are read again only if all are."""
        return set() if self._reread is Reread.ALL else known_purged(self._engine, hashes)

    def _sift(
        self,
        document: Document,
        mark: Fingerprint,
        like: Sequence[KnownDocument],
        before: Sequence[KnownDocument],
    ) -> None:
        """Take one file.

        Args:
            document: The file.
            mark: What it is known by.
            like: Known documents of the same bytes.
            before: Known documents that came under its name.
        """
        if not mark.sha256 and any(one.sha256 for one in before):
            self._sifted.waiting += 1  # what was read of it stands until it can be read again
            return
        mine = next((one for one in like if one.source == document.name), None)
        named = replace(document, name=mine.name if mine else self._label(document, mark, before))
        self._sifted.arrivals.append(Arrival(named, document.name, mark))
        first = self._first_of(named, mark, like, mine)
        if first != named.name:
            self._add_copy(named, mark, first, mine)
        elif mine and not mine.is_copy:
            self._add_known(named, mark, mine)
        else:
            self._add_pages(named, mark, range(1, mark.pages + 1))

    def _label(self, document: Document, mark: Fingerprint, before: Sequence[KnownDocument]) -> str:
        """Name a document as its file, unless that name belongs to one that was moved away."""
        if not any(one.moved and one.sha256 != mark.sha256 for one in before):
            return document.name
        path = Path(document.name)
        names = (path.with_name(f"{path.stem}~{number}{path.suffix}") for number in count(2))
        return next(name for name in map(Path.as_posix, names) if self._is_free(name))

    def _is_free(self, name: str) -> bool:
        taken = name in self._here or name in self._labels or taken_names(self._engine, [name])
        self._labels.add(name)
        return not taken

    def _first_of(
        self,
        document: Document,
        mark: Fingerprint,
        like: Sequence[KnownDocument],
        mine: KnownDocument | None,
    ) -> str:
        """Give the name of the document that is read for all that hold the same bytes."""
        if not mark.sha256 or mark.state.startswith("0:"):
            return document.name  # nothing that could be the same
        standing = [one.name for one in like if not one.is_copy and self._stands(one)]
        if mine and mine.name in standing:
            return mine.name
        return standing[0] if standing else self._first.setdefault(mark.sha256, document.name)

    def _stands(self, known: KnownDocument) -> bool:
        """Tell whether no other bytes take a document's place now."""
        return known.moved or self._here.get(known.source, known.sha256) == known.sha256

    def _add_copy(
        self, document: Document, mark: Fingerprint, first: str, mine: KnownDocument | None
    ) -> None:
        reason = f"the same bytes as {first}"
        if mine and all((one.status, one.reason) == (_COPY, reason) for one in mine.pages):
            self._sifted.known += 1
            return
        self._sifted.copies += [
            PageResult(
                identity=PageId(document.name, number, mark.sha256),
                template="",
                status=_COPY,
                reason=reason,
                residual_px=None,
                fields=(),
                boxes=(),
            )
            for number in range(1, mark.pages + 1)
        ]

    def _add_known(self, document: Document, mark: Fingerprint, mine: KnownDocument) -> None:
        stale = [page.number for page in mine.pages if page.is_stale(self._editions)]
        self._sifted.stale += bool(stale)
        again = {
            Reread.NEW: [],
            Reread.CHANGED: stale,
            Reread.ALL: list(range(1, mark.pages + 1)),
        }[self._reread]
        if again:
            self._add_pages(document, mark, again)
        else:
            self._sifted.known += 1

    def _add_pages(self, document: Document, mark: Fingerprint, numbers: Iterable[int]) -> None:
        kept = self._kept.get((mark.sha256, document.name), frozenset())
        self._sifted.pages += [
            PageRef(document, number, mark.sha256) for number in numbers if number not in kept
        ]


def _chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(values)
    while some := list(islice(left, CHUNK)):
        yield some
