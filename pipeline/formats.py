"""Tables as XLSX and Parquet: the same cells as in the CSVs, codes as text, measures as numbers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import OutputError
from pipeline.tables import Table, write_whole

if TYPE_CHECKING:
    from openpyxl import Workbook

NUMBERS: Final[dict[str, Callable[[str], float]]] = {
    "page": int,
    "position": int,
    "confidence": float,
    "second_confidence": float,
    "residual_px": float,
}
"""All other columns are text: leading zeros and long codes survive."""
SHEET_ROWS: Final = 1_048_576
"""What a sheet of Excel holds, header included."""
TEXT: Final = "@"
LONG_AGO: Final = datetime(1980, 1, 1)
"""No file may depend on the clock; ZIP knows no earlier day."""


def write_xlsx(tables: Sequence[Table], output: Path) -> None:
    """Write each table to OUTPUT/NAME.xlsx, all of them or none; twice gives the same bytes.

    Raises:
        OutputError: If a table has more rows than a sheet, or the folder cannot be written.
    """
    write_whole({output / f"{table.name}.xlsx": _as_xlsx(table) for table in tables})


def _as_xlsx(table: Table) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415 - who wants CSVs need not load it

    if len(table.rows) >= SHEET_ROWS:
        raise OutputError(
            f"{table.name} has {len(table.rows)} rows, a sheet holds {SHEET_ROWS - 1}; "
            "export csv or parquet"
        )
    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = LONG_AGO
    sheet = book.create_sheet(table.name)
    sheet.freeze_panes = "A2"
    for row in (table.columns, *table.rows):
        cells = zip(table.columns, row, strict=True)
        sheet.append([_cell(sheet, name, text, head=row is table.columns) for name, text in cells])
    return _without_times(book)


def _cell(sheet: Any, column: str, text: str, *, head: bool) -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    if column in NUMBERS and text and not head:
        return NUMBERS[column](text)
    cell = WriteOnlyCell(sheet, "".join(map(_printable, text)))
    cell.data_type = "s"  # openpyxl takes =1+1 for a formula
    cell.number_format = TEXT
    return cell


def _printable(char: str) -> str:
    """Write out what XML cannot hold."""
    return char if char.isprintable() or char in "\t\n" else repr(char)[1:-1]


def _without_times(book: Workbook) -> bytes:
    """Save a workbook with every time in it set to one long ago."""
    saved, steady = io.BytesIO(), io.BytesIO()
    book.save(saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(steady, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _untimed(content)
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return steady.getvalue()


def _untimed(properties: bytes) -> bytes:
    """Take out when the workbook was saved, which openpyxl puts in on its own."""
    head, _, rest = properties.partition(b"<dcterms:modified")
    return head + rest.partition(b"</dcterms:modified>")[2] if rest else properties


def write_parquet(tables: Sequence[Table], output: Path) -> None:
    """Write each table to OUTPUT/NAME.parquet, all of them or none; twice gives the same bytes.

    Raises:
        OutputError: If the folder cannot be written, or pyarrow is not installed.
    """
    write_whole({output / f"{table.name}.parquet": _as_parquet(table) for table in tables})


def _as_parquet(table: Table) -> bytes:
    try:
        import pyarrow as pa  # noqa: PLC0415 - 100 MB that few ask for
        from pyarrow import parquet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise OutputError("Parquet needs pyarrow: pip install 'formdigits[parquet]'") from error
    columns: Iterable[tuple[str, ...]] = zip(*table.rows, strict=True)
    if not table.rows:
        columns = [()] * len(table.columns)
    arrays = [
        pa.array(_values(name, cells), _kind(name, pa))
        for name, cells in zip(table.columns, columns, strict=True)
    ]
    memory = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, names=list(table.columns)), memory)
    return memory.getvalue()


def _values(column: str, cells: Iterable[str]) -> list[str] | list[float | None]:
    if column not in NUMBERS:
        return list(cells)
    return [NUMBERS[column](cell) if cell else None for cell in cells]


def _kind(column: str, pa: Any) -> Any:
    if column not in NUMBERS:
        return pa.string()
    return pa.int64() if NUMBERS[column] is int else pa.float64()
