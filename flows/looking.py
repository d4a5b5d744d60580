"""By what files are known: each is hashed once, for as long as it stays as it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipeline.arrivals import RACY_S, find_rested, is_rested, state_of
from pipeline.errors import InputFileError
from pipeline.inbox import Document, as_text
from pipeline.ingest import ChangingFileError, Fingerprint, PageRef, fingerprint
from pipeline.store.database import Database
from pipeline.store.known import in_chunks, load_looks, save_looks

UNREADABLE: Final = Fingerprint("", 1, "")


def look_at(
    engine: Database, found: Sequence[Document], settle_s: float
) -> tuple[list[tuple[Document, Fingerprint]], int]:
    """Find out by what each file is known; leave out those that are still being written, or gone.

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
    for some in in_chunks(one for one in found if one.path in rested):
        now = time.time()
        remembered = load_looks(engine, [as_text(one.path.resolve()) for one in some], now)
        fresh: dict[str, Fingerprint] = {}
        for one in some:
            place = as_text(one.path.resolve())
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
    except (ChangingFileError, FileNotFoundError):
        return None
    except (InputFileError, OSError):
        if not document.path.exists():
            return None
        return UNREADABLE  # whoever reads it says why, and tries again if that may help


def distrust_young(pages: Sequence[PageRef], looked_at: float) -> list[PageRef]:
    """Have files hashed again whose times would not show that they changed after they were hashed.

    Args:
        pages: Of files, in the state in which they were hashed.
        looked_at: When hashing began, in seconds since 1970.
    """
    return [
        page if page.state and is_rested(page.state, looked_at, RACY_S) else replace(page, state="")
        for page in pages
    ]
