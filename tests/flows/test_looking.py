"""Files are hashed once, unless they may have changed without their times showing it."""

import os
from pathlib import Path

from flows.looking import distrust_young
from pipeline.arrivals import RACY_S, changed_at, state_of
from pipeline.inbox import Document
from pipeline.ingest import PageRef


def test_files_changed_just_before_are_hashed_again(tmp_path: Path) -> None:
    """A file may change once more within what its file system counts as one moment."""
    path = tmp_path / "a.png"
    path.touch()
    os.utime(path, (0, 0))
    pages = [PageRef(Document(path, "a.png"), 1, "0" * 64, state_of(path))]
    changed = changed_at(pages[0].state)
    assert distrust_young(pages, changed + RACY_S + 1) == pages
    assert distrust_young(pages, changed + RACY_S - 1)[0].state == ""
