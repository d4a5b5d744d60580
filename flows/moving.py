"""Moving files out of the inbox, after what was read on them is safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from flows.sifting import Arrival
from pipeline.arrivals import state_of
from pipeline.errors import OutputError
from pipeline.inbox import as_text
from pipeline.moving import Drawer, choose_place, explain, move
from pipeline.records import Status
from pipeline.store.database import Database
from pipeline.store.known import KnownDocument, known_by_source, set_paths

CHUNK: Final = 200


def move_away(
    engine: Database,
    arrivals: Iterable[Arrival],
    inputs: Sequence[Path],
    tell: Callable[[str], None],
) -> int:
    """Move each file to done/, failed/ or duplicate/ below its inbox.

    Where a file goes is written down before it is moved, so that its picture is found at any
    moment, and a move that was cut short is ended by the next run. A file that was changed
    meanwhile stays, and so does a link, whose target would be lost.

    Args:
        engine: The results.
        arrivals: The files of the inbox.
        inputs: What the run was given.
        tell: Is told what could not be moved.

    Returns:
        How many were moved.
    """
    left, moved = iter(arrivals), 0
    while some := list(islice(left, CHUNK)):
        known = known_by_source(engine, [one.source for one in some])
        for one in some:
            document = next(
                (each for each in known.get(one.source, []) if each.sha256 == one.mark.sha256), None
            )
            if document and one.mark.sha256 and not one.document.path.is_symlink():
                try:
                    moved += _move(engine, one, document, inputs)
                except OutputError as error:
                    tell(str(error))
    return moved


def _move(
    engine: Database, arrival: Arrival, document: KnownDocument, inputs: Sequence[Path]
) -> bool:
    file = arrival.document.path
    if not _is_unchanged(file, arrival.mark.state):
        return False
    begun = Path(document.path)
    if document.moved and (not begun.exists() or begun.samefile(file)):
        _explain(document, begun)
        return move(file, begun)
    root = next(source for source in inputs if file.is_relative_to(source))
    root = root if root.is_dir() else root.parent
    if document.moved:  # it was moved, and came once more
        return move(file, choose_place(root, Drawer.DUPLICATE, document.name))
    place = choose_place(root, _drawer_of(document), document.name).resolve()
    set_paths(engine, {document.id: as_text(place)}, moved=True)
    _explain(document, place)
    return move(file, place)


def _is_unchanged(file: Path, state: str) -> bool:
    try:
        return state_of(file) == state
    except OSError:
        return False


def _drawer_of(document: KnownDocument) -> Drawer:
    if document.is_copy:
        return Drawer.DUPLICATE
    failed = any(page.status == Status.FAILED for page in document.pages)
    return Drawer.FAILED if failed else Drawer.DONE


def _explain(document: KnownDocument, place: Path) -> None:
    lines = [
        f"page {page.number}: {page.reason}\n"
        for page in document.pages
        if page.status == Status.FAILED
    ]
    if lines:
        explain(place, f"{document.name}\n" + "".join(lines))
