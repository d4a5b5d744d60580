"""What of an inbox is to be read: each document once, by the hash of its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Final

from flows.order import Reread
from pipeline.inbox import Document, as_text
from pipeline.ingest import Fingerprint, PageRef
from pipeline.records import PageId, PageResult, Status
from pipeline.store.database import Database
from pipeline.store.known import (
    KnownDocument,
    in_chunks,
    known_by_content,
    known_by_source,
    taken_names,
)
from pipeline.store.origin import Editions
from pipeline.store.purge import known_purged
from pipeline.store.spool import Kept

_COPY: Final = Status.DUPLICATE


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
        self._here = {document.name: (mark.sha256, document.path) for document, mark in found}
        self._kept = {(one.sha256, one.name): one.pages for one in kept}
        self._first = {
            one.sha256: one.name
            for one in kept
            if one.is_whole or self._here.get(one.source, ("",))[0] == one.sha256
        }
        self._labels: set[str] = set()
        self._sifted = Sifted()

    def sift(self) -> Sifted:
        for some in in_chunks(self._found):
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
        """Name a document as its file, unless that name belongs to a file that is still there."""
        others = [one for one in before if one.sha256 not in {"", mark.sha256}]
        if not any(_lies_elsewhere(one, document.path) for one in others):
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
        here = self._here.get(known.source)
        return here is None or here[0] == known.sha256 or _lies_elsewhere(known, here[1])

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
            PageRef(document, number, mark.sha256, mark.state)
            for number in numbers
            if number not in kept
        ]


def _lies_elsewhere(known: KnownDocument, path: Path) -> bool:
    """Tell a file of the same name in another folder from one that was replaced."""
    return known.moved or (known.path != as_text(path.resolve()) and Path(known.path).exists())
