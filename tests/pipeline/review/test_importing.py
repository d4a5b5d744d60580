"""An edited fields.csv: matched field by field, conflicts listed, nothing half applied."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from pipeline.errors import InputFileError
from pipeline.export import export_final
from pipeline.review.decisions import Decision, decide
from pipeline.review.importing import import_file
from pipeline.store.database import database_url, opened
from pipeline.store.load import load_corrections, load_results

Row = dict[str, str]


@pytest.fixture
def engine(queued: Path):
    """Results with fifty fields that wait."""
    with opened(database_url(queued)) as opened_engine:
        yield opened_engine


def edit(engine: Engine, folder: Path, change: Callable[[list[Row]], None]) -> Path:
    """Export the fields, and let somebody edit the file."""
    export_final(load_results(engine), load_corrections(engine), folder)
    with (folder / "fields.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    path = folder / "edited.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_changed_rows_become_decisions(engine: Engine, tmp_path: Path) -> None:
    """Only those; taken again, the file changes nothing."""

    def change(rows: list[Row]) -> None:
        rows[0]["raw"] = "0" * len(rows[0]["raw"])
        rows[3]["raw"] = "#" * len(rows[3]["raw"])

    path = edit(engine, tmp_path, change)
    assert import_file(engine, path, "Ada") == 2
    stands = load_corrections(engine).values()
    assert sorted(each.raw[0] for each in stands) == ["#", "0"]
    assert {each.reviewer for each in stands} == {"Ada"}
    assert import_file(engine, path, "Bela") == 0


def set_to(place: int, column: str, text: str) -> Callable[[list[Row]], None]:
    """Edit one cell."""

    def change(rows: list[Row]) -> None:
        rows[place][column] = text

    return change


def double(rows: list[Row]) -> None:
    """Let a row stand twice."""
    rows.append(dict(rows[0]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_to(0, "raw", "12A45678"), "a box holds a digit"),
        (set_to(0, "raw", "1234"), "has 8 boxes, this fills 4"),
        (set_to(0, "document", "other.png"), "no such field"),
        (set_to(0, "value", "999"), "value was changed and raw was not"),
        (set_to(1, "raw", "31022008"), "no day of the calendar"),
        (double, "stands 2 times"),
    ],
)
def test_one_wrong_row_and_nothing_is_taken(
    engine: Engine, tmp_path: Path, change: Callable[[list[Row]], None], words: str
) -> None:
    """The message names document, page and field; the rows that are right are not taken either."""

    def with_a_right_one(rows: list[Row]) -> None:
        rows[4]["raw"] = "#" * len(rows[4]["raw"])
        change(rows)

    path = edit(engine, tmp_path, with_a_right_one)
    with pytest.raises(InputFileError, match=words) as caught:
        import_file(engine, path, "Ada")
    assert "nothing was taken" in str(caught.value)
    assert "page 1" in str(caught.value)
    assert load_corrections(engine) == {}


def test_decided_since_the_export(engine: Engine, tmp_path: Path) -> None:
    """What somebody decided meanwhile is not overwritten unseen, unless the file says the same."""
    path = edit(engine, tmp_path, set_to(0, "raw", "00000000"))
    with opened(engine.url) as other, other.connect() as connection:
        query = "SELECT f.id FROM fields f JOIN pages p ON p.id = f.page_id"
        key = connection.exec_driver_sql(
            f"{query} JOIN documents d ON d.id = p.document_id ORDER BY d.name, p.number, f.place"
        ).scalar()
    decide(engine, Decision(key, "11111111", None, "Bela", "token-of-bela"))
    with pytest.raises(InputFileError, match="Bela has decided it since"):
        import_file(engine, path, "Ada")
    assert import_file(engine, edit(engine, tmp_path, lambda _rows: None), "Ada") == 0


def test_no_table(engine: Engine, tmp_path: Path) -> None:
    """A file that is no such table."""
    (tmp_path / "letter.csv").write_text("Dear Sir or Madam")
    with pytest.raises(InputFileError, match="has no column"):
        import_file(engine, tmp_path / "letter.csv", "Ada")
