"""Final results as CSV, XLSX and Parquet: the same texts, twice the same bytes."""

from pathlib import Path

import openpyxl
import pytest
from pyarrow import parquet

from pipeline.errors import OutputError
from pipeline.export import FINAL_COLUMNS, WRITERS, export_final
from pipeline.formats import SHEET_ROWS, write_xlsx
from pipeline.records import Correction, FieldResult, Flag, PageId, PageResult, Source, Status
from pipeline.tables import Table, read_csv

NAME = "=1+1.png"


def page(number: int, raw: str) -> PageResult:
    """Make a page of two fields."""
    fields = (
        FieldResult("code", raw, raw, 0.5, Flag.REVIEW, ("low_confidence",)),
        FieldResult("long", "00012345678901234567", "00012345678901234567", 0.9, Flag.ACCEPTED, ()),
    )
    return PageResult(PageId(NAME, number, "0" * 64), "f", Status.READ, "", None, fields, ())


PAGES = [page(2, "007"), page(1, "000")]
DECIDED = {(NAME, 2, "code"): Correction("00X", "", Source.SECOND_KEY, "Ada\x07 & <Bela>")}


def test_a_decided_field_is_accepted(tmp_path: Path) -> None:
    """As the person says, with who and how; the others are as the machine read them."""
    export_final(PAGES, DECIDED, tmp_path)
    rows = read_csv(tmp_path / "fields.csv", FINAL_COLUMNS).to_dict("records")
    assert [(row["raw"], row["flag"], row["reasons"], row["source"]) for row in rows] == [
        ("000", "review", "low_confidence", "machine"),
        ("00012345678901234567", "accepted", "", "machine"),
        ("00X", "accepted", "", "second key"),
        ("00012345678901234567", "accepted", "", "machine"),
    ]
    assert rows[2]["reviewer"] == "Ada\x07 & <Bela>"


@pytest.mark.parametrize("suffix", sorted(WRITERS))
def test_twice_is_identical(tmp_path: Path, suffix: str) -> None:
    """No byte depends on the clock, or on the order of the results."""
    contents = []
    for results in (PAGES, PAGES[::-1]):
        export_final(results, DECIDED, tmp_path, suffix=suffix)
        contents.append({path.name: path.read_bytes() for path in tmp_path.glob(f"*{suffix}")})
    assert contents[0] == contents[1]
    assert set(contents[0]) == {f"{name}{suffix}" for name in ("fields", "digits", "pages")}


def test_codes_are_text_in_a_sheet(tmp_path: Path) -> None:
    """Leading zeros and long numbers survive, nothing is a formula, measures are numbers."""
    export_final(PAGES, DECIDED, tmp_path, suffix=".xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "fields.xlsx").active
    head, *rows = sheet.iter_rows()
    assert [cell.value for cell in head] == list(FINAL_COLUMNS)
    cells = dict(zip(FINAL_COLUMNS, rows[1], strict=True))
    assert cells["raw"].value == "00012345678901234567"
    assert cells["raw"].number_format == "@"
    assert cells["document"].value == NAME
    assert cells["document"].data_type == "s"
    assert cells["confidence"].value == 0.9
    assert cells["page"].value == 1


def test_parquet_has_types(tmp_path: Path) -> None:
    """Text for codes, numbers for measures, nothing for what is not known."""
    export_final(PAGES, DECIDED, tmp_path, suffix=".parquet")
    fields = parquet.read_table(tmp_path / "fields.parquet").to_pylist()
    assert fields[0]["raw"] == "000"
    assert fields[0]["confidence"] == 0.5
    assert parquet.read_table(tmp_path / "pages.parquet").to_pylist()[0]["residual_px"] is None
    assert parquet.read_table(tmp_path / "digits.parquet").num_rows == 0


def test_too_many_rows_for_a_sheet(tmp_path: Path) -> None:
    """Told, with what to do, and nothing is written."""
    table = Table("fields", ("raw",), (("1",),) * SHEET_ROWS)
    with pytest.raises(OutputError, match="export csv or parquet"):
        write_xlsx([table], tmp_path)
    assert list(tmp_path.iterdir()) == []
