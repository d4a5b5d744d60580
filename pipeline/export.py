"""What was read, as files that others can rely on: fields, digits and pages."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.errors import OutputError
from pipeline.formats import write_parquet, write_xlsx
from pipeline.records import Correction, FieldResult, Flag, PageResult, Source
from pipeline.tables import Table, as_csv, as_line, drafted, write_whole

FIELDS_COLUMNS: Final = (
    "document",
    "page",
    "template",
    "field",
    "raw",
    "value",
    "confidence",
    "flag",
    "reasons",
)
DIGITS_COLUMNS: Final = (
    "document",
    "page",
    "field",
    "position",
    "reading",
    "confidence",
    "second",
    "second_confidence",
)
FINAL_COLUMNS: Final = (*FIELDS_COLUMNS, "reviewer", "source")
"""What `export` adds once people have looked."""
PAGES_COLUMNS: Final = (
    "document",
    "page",
    "sha256",
    "template",
    "status",
    "reason",
    "residual_px",
)
_COLUMNS: Final = {"fields": FIELDS_COLUMNS, "digits": DIGITS_COLUMNS, "pages": PAGES_COLUMNS}


def write_csv(tables: Sequence[Table], output: Path) -> None:
    """Write each table to OUTPUT/NAME.csv, all of them or none.

    Raises:
        OutputError: If the folder cannot be written.
    """
    write_whole({output / f"{table.name}.csv": as_csv(table).encode() for table in tables})


Writer = Callable[[Sequence[Table], Path], None]
WRITERS: Final[dict[str, Writer]] = {
    ".csv": write_csv,
    ".xlsx": write_xlsx,
    ".parquet": write_parquet,
}
TYPED: Final = {Source.REVIEWED: 0.9971, Source.SECOND_KEY: 0.9986}
"""How often a field that people typed is right: one person, and two with a third who decides.

Source: the keying errors of clinical studies, PMC13078370."""

Corrections = Mapping[tuple[str, int, str], Correction]
"""By document, page and field."""


def export_final(
    results: Iterable[PageResult],
    corrections: Corrections,
    output: Path,
    *,
    suffix: str = ".csv",
) -> None:
    """Write the results of a run as people corrected them.

    A field that a person decided is accepted, whatever the machine thought of it; its confidence
    is how often such fields are right. Boxes and pages are as the machine read them.

    Args:
        results: One result a page, in any order.
        corrections: What people decided.
        output: The folder.
        suffix: Which of `WRITERS` to use.

    Raises:
        OutputError: If it cannot be written; then what was there before still is.
    """
    pages = _in_order(results)
    rows = tuple(row for page in pages for row in _final_rows(page, corrections))
    _, digits, page_table = tables_of(pages)
    WRITERS[suffix]((Table("fields", FINAL_COLUMNS, rows), digits, page_table), output)


def _final_rows(page: PageResult, corrections: Corrections) -> list[tuple[str, ...]]:
    document, number = page.identity.document, page.identity.number
    rows = []
    for field in page.fields:
        said = corrections.get((document, number, field.field))
        stands = field if said is None else _corrected(field, said)
        by = ("", Source.MACHINE) if said is None else (said.reviewer, said.source)
        rows.append((document, str(number), page.template, *_field_cells(stands), *by))
    return rows


def _corrected(field: FieldResult, said: Correction) -> FieldResult:
    return FieldResult(field.field, said.raw, said.value, TYPED[said.source], Flag.ACCEPTED, ())


def export(results: Iterable[PageResult], output: Path) -> None:
    """Write results as they come to the three CSV files, all of them or none.

    Args:
        results: One result a page, by document and page.
        output: A folder, as `prepare_output` leaves it.

    Raises:
        OutputError: If it cannot be written; then what was there before still is.
    """
    with drafted([output / f"{name}.csv" for name in _COLUMNS]) as (fields, digits, pages):
        for file, columns in zip((fields, digits, pages), _COLUMNS.values(), strict=True):
            file.write(as_line(columns).encode())
        for page in results:
            fields.writelines(as_line(row).encode() for row in _field_rows(page))
            digits.writelines(as_line(row).encode() for row in _digit_rows(page))
            pages.write(as_line(_page_row(page)).encode())


def is_exported(output: Path) -> bool:
    """Tell whether all three CSV files are there."""
    return all((output / f"{name}.csv").is_file() for name in _COLUMNS)


def tables_of(results: Iterable[PageResult]) -> tuple[Table, Table, Table]:
    """Put results into the three tables, by document, page, and the template's order of fields."""
    pages = _in_order(results)
    return (
        Table("fields", FIELDS_COLUMNS, tuple(row for page in pages for row in _field_rows(page))),
        Table("digits", DIGITS_COLUMNS, tuple(row for page in pages for row in _digit_rows(page))),
        Table("pages", PAGES_COLUMNS, tuple(map(_page_row, pages))),
    )


def _in_order(results: Iterable[PageResult]) -> list[PageResult]:
    return sorted(results, key=lambda page: (page.identity.document, page.identity.number))


def _field_rows(page: PageResult) -> list[tuple[str, ...]]:
    return [
        (page.identity.document, str(page.identity.number), page.template, *_field_cells(field))
        for field in page.fields
    ]


def _field_cells(field: FieldResult) -> tuple[str, ...]:
    reasons = ";".join(field.reasons)
    return field.field, field.raw, field.value, f"{field.confidence:.4f}", field.flag, reasons


def _digit_rows(page: PageResult) -> list[tuple[str, ...]]:
    return [
        (
            page.identity.document,
            str(page.identity.number),
            box.field,
            str(box.position),
            box.reading,
            f"{box.confidence:.4f}",
            box.second,
            f"{box.second_confidence:.4f}",
        )
        for box in page.boxes
    ]


def _page_row(page: PageResult) -> tuple[str, ...]:
    residual = "" if page.residual_px is None else f"{page.residual_px:.2f}"
    name, number, sha256 = page.identity.document, str(page.identity.number), page.identity.sha256
    return name, number, sha256, page.template, page.status, page.reason, residual


def prepare_output(output: Path, *, force: bool = False) -> None:
    """Make the output folder, and find out before any page is read whether it can be written.

    Args:
        output: The folder.
        force: Also where it holds files of the results' names that are somebody else's.

    Raises:
        OutputError: If it cannot be made or written, or would bury another's file.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe = output / f".write-test.{os.getpid()}"
        probe.touch()
        probe.unlink()
        if not force:
            _spare_others(output)
    except OSError as error:
        raise OutputError(
            f"{output} cannot be written ({error.strerror}); name a folder that you may write"
        ) from error


def _spare_others(output: Path) -> None:
    for name, columns in _COLUMNS.items():
        path = output / f"{name}.csv"
        if path.exists() and not _is_ours(path, columns):
            raise OutputError(
                f"{path} was not written by formdigits; name another folder, "
                "or give --force to replace it"
            )


def _is_ours(path: Path, columns: Sequence[str]) -> bool:
    with path.open("rb") as file:
        return file.readline().strip().startswith(",".join(columns).encode())
