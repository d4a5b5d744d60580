"""Taking back a fields.csv that somebody edited: matched field by field, all of it or nothing."""

from __future__ import annotations

import csv
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import Connection, Engine, Row

from pipeline.errors import InputFileError
from pipeline.records import Source
from pipeline.review.current import select_current
from pipeline.review.decisions import Decision, UnfitError, UnlikelyError, append
from pipeline.store.database import note, writing
from pipeline.store.schema import corrections, documents, fields, pages, readings
from pipeline.tables import read_csv

NEEDED: Final = ("document", "page", "field", "raw")
HELPFUL: Final = ("value", "reviewer", "source")
"""Columns that say what the file was when it was exported."""
SHOWN: Final = 40

Key = tuple[str, str, str]
"""Document, page and field, as in the file."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row that cannot be taken, and why."""

    key: Key
    reason: str

    def __str__(self) -> str:
        document, page, field = self.key
        return f"{document}, page {page}, {field}: {self.reason}"


def import_file(engine: Engine, path: Path, reviewer: str) -> int:
    """Take what was changed in a file as decisions of a reviewer.

    Args:
        engine: The results database.
        path: A CSV with the columns of `NEEDED`; with those of `HELPFUL`, what was decided since
            it was exported is told from what was changed in it.
        reviewer: Whose decisions they are.

    Returns:
        How many fields were changed.

    Raises:
        InputFileError: If it is no such file, or a row of it cannot be taken; then nothing was.
    """
    rows = _read(path)
    with writing(engine) as connection:
        known = _known_fields(connection)
        conflicts = list(_find_conflicts(rows, known))
        edits = [row for row in rows if _is_edit(row, known.get(_key(row)))]
        for row in edits if not conflicts else []:
            if problem := _apply(connection, row, known[_key(row)], reviewer):
                conflicts.append(problem)
        if conflicts:
            raise InputFileError(_explain(path, conflicts))  # which takes everything back
        note(connection, reviewer, "import", f"{path.name}: {len(edits)} fields")
    return len(edits)


def _read(path: Path) -> list[dict[str, str]]:
    read_csv(path, NEEDED)  # says what is wrong with a file that is none
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    columns = [*NEEDED, *(name for name in HELPFUL if name in header)]
    frame = read_csv(path, columns)
    return [
        {str(name): str(cell) for name, cell in row.items()} for row in frame.to_dict("records")
    ]


def _key(row: Mapping[str, str]) -> Key:
    return row["document"], row["page"], row["field"]


def _known_fields(connection: Connection) -> dict[Key, Row[Any]]:
    query = select_current(
        documents.c.name.label("document"),
        pages.c.number,
        fields.c.name,
        fields.c.id,
        fields.c.correction_id,
        readings.c.raw.label("machine"),
        readings.c.value.label("machine_value"),
        corrections.c.raw,
        corrections.c.value,
        corrections.c.reviewer,
        corrections.c.source,
    ).where(documents.c.listed)
    rows: dict[Key, Any] = {
        (row.document, str(row.number), row.name): row for row in connection.execute(query)
    }
    return rows


def _is_edit(row: Mapping[str, str], field: Row[Any] | None) -> bool:
    """Tell a row that somebody changed from one that stands as it was exported."""
    if field is None:
        return False
    stands = field.machine if field.raw is None else field.raw
    return row["raw"] not in {stands, field.machine if _is_older(row, field) else stands}


def _is_older(row: Mapping[str, str], field: Row[Any]) -> bool:
    """Tell whether a field was decided since the file was exported."""
    then = row.get("reviewer", ""), row.get("source", "") or str(Source.MACHINE)
    return then != (field.reviewer or "", field.source or str(Source.MACHINE))


def _find_conflicts(
    rows: list[dict[str, str]], known: Mapping[Key, Row[Any]]
) -> Iterator[Conflict]:
    counts = Counter(map(_key, rows))
    for row in rows:
        key = _key(row)
        field = known.get(key)
        if field is None:
            yield Conflict(key, "no such field was read; check document, page and field")
        elif counts[key] > 1:
            yield Conflict(key, f"it stands {counts[key]} times in the file; keep one row")
        elif _is_edit(row, field) and _is_older(row, field):
            yield Conflict(
                key, f"{field.reviewer or 'somebody'} has decided it since; export again, then edit"
            )
        elif not _is_edit(row, field) and _has_other_value(row, field):
            yield Conflict(key, "value was changed and raw was not; change raw, one sign a box")


def _has_other_value(row: Mapping[str, str], field: Row[Any]) -> bool:
    stands = field.machine_value if field.raw is None else field.value
    return row.get("value", stands) not in {stands, field.machine_value}


def _apply(
    connection: Connection, row: Mapping[str, str], field: Row[Any], reviewer: str
) -> Conflict | None:
    decision = Decision(
        field_id=field.id,
        raw=row["raw"],
        seen=field.correction_id,
        reviewer=reviewer,
        token=secrets.token_hex(16),
        way="import",
    )
    try:
        append(connection, decision)
    except UnfitError as error:
        return Conflict(_key(row), str(error))
    except UnlikelyError as error:
        return Conflict(_key(row), f"{error}; if it is written so, decide it in the review")
    return None


def _explain(path: Path, conflicts: list[Conflict]) -> str:
    lines = [f"  {conflict}" for conflict in conflicts[:SHOWN]]
    if len(conflicts) > SHOWN:
        lines.append(f"  … and {len(conflicts) - SHOWN} more")
    return "\n".join(
        [f"{path}: nothing was taken, because of {len(conflicts)} of its rows:", *lines]
    )
