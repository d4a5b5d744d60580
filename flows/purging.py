"""Removing documents by age, and every file that tells of them; a kill delays that, no more.

What is to go is written down first. Whoever purges next finds that, and does what is left of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from flows.progress import tell
from pipeline.audit import AUDIT_FILE, keep_only
from pipeline.errors import OutputError
from pipeline.export import FINAL_COLUMNS, WRITERS, export, export_final
from pipeline.store.alone import alone
from pipeline.store.database import Database, database_url, explained, opened
from pipeline.store.labels import BOXES, export_labels
from pipeline.store.load import load_corrections, load_results
from pipeline.store.purge import Aged, document_names, remove, shrink, weigh
from pipeline.tables import write_whole

NOTES: Final = ".purge.json"
"""What is to go: the age, and the files."""


def age_to_time(days: int) -> str:
    """Give the time that was so many days ago, as the database keeps it."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")


def is_unfinished(output: Path) -> bool:
    """Tell whether a purge was ended before it was done."""
    return (output / NOTES).exists()


def preview(output: Path, before: str, database: str = "") -> Aged:
    """Say what would go, changing nothing.

    Args:
        output: A folder that extract wrote.
        before: A time; documents that were read before it are aged.
        database: Address of the database; if none, it is in the folder.

    Raises:
        OutputError: If the database cannot be used.
    """
    with opened(database_url(output, database)) as engine:
        return weigh(engine, before)


def purge(output: Path, before: str, database: str = "") -> None:
    """Remove the documents that are aged: rows, files that were moved, and what exports say.

    Args:
        output: A folder that extract wrote.
        before: As for `preview`.
        database: Address of the database; if none, it is in the folder.

    Raises:
        OutputError: If something cannot be removed or written; the same again goes on from there.
    """
    with _held(output, database) as engine:
        images = weigh(engine, before).images
        _refuse_missing({Path(image).parent for image in images})
        notes = {"before": before, "images": images}
        write_whole({output / NOTES: json.dumps(notes).encode()})
        _carry_out(engine, output)


def finish(output: Path, database: str = "") -> None:
    """Do what is left of a purge that was ended before it was done.

    Raises:
        OutputError: As `purge`.
    """
    with _held(output, database) as engine:
        if is_unfinished(output):
            _carry_out(engine, output)


@contextmanager
def _held(output: Path, database: str) -> Iterator[Database]:
    """Open the database, with nobody reading into it meanwhile."""
    url = database_url(output, database)
    with opened(url) as engine, alone(engine, tell), explained(url):
        yield engine


def _carry_out(engine: Database, output: Path) -> None:
    """Do each step of a purge, whichever were done already: doing one twice changes nothing."""
    try:
        notes = json.loads((output / NOTES).read_text())
        before, images = str(notes["before"]), [Path(path) for path in notes["images"]]
    except (OSError, ValueError, KeyError) as error:
        raise OutputError(
            f"{output / NOTES} cannot be read ({error}); remove it, and purge again"
        ) from error
    remove(engine, before)
    _write_anew(engine, output)
    for image in images:
        _unlink(image)
        _unlink(image.with_name(image.name + ".txt"))  # why it could not be read
    for draft in output.glob(".*.part"):  # of a run or an export that was killed
        _unlink(draft)
    shrink(engine)
    (output / NOTES).unlink()


def _refuse_missing(folders: set[Path]) -> None:
    """Refuse to forget images that are not to be seen from here: nobody would ever remove them."""
    for folder in sorted(folders):
        if not folder.is_dir():
            raise OutputError(
                f"{folder} is not there, and images that must go lie in it; mount it, or make it "
                "where they are gone already"
            )


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be removed ({error.strerror}); allow that, and run the same again"
        ) from error


def _write_anew(engine: Database, output: Path) -> None:
    """Write what there is of exports again, each in its own form."""
    final = [suffix for suffix in WRITERS if _is_final(output, suffix)]
    for suffix in final:
        export_final(load_results(engine), load_corrections(engine), output, suffix=suffix)
    if ".csv" not in final:
        export(load_results(engine), output)
    if (output / BOXES).exists():
        export_labels(engine, output)
    if (output / AUDIT_FILE).exists():
        keep_only(document_names(engine), output)


def _is_final(output: Path, suffix: str) -> bool:
    """Tell whether an export is there that has what people decided; only CSVs may be without."""
    path = output / f"fields{suffix}"
    if suffix != ".csv" or not path.exists():
        return path.exists()
    with path.open(encoding="utf-8") as file:
        return file.readline().strip() == ",".join(FINAL_COLUMNS)
