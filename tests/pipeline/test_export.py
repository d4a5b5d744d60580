"""The CSVs: rows in order, names safe, files whole or untouched."""

import csv
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import OutputError
from pipeline.export import export, prepare_output
from pipeline.records import BoxRow, FieldResult, Flag, PageId, PageResult, Status
from pipeline.tables import Table, as_csv, neutralise, read_csv, restore

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def result(document: str, number: int = 1, *, raw: str = "01", residual: float | None = 0.126):
    """Make a page of one field."""
    field = FieldResult("pin", raw, raw, 0.98765, Flag.REVIEW, ("low_confidence", "struck_out"))
    boxes = tuple(BoxRow("pin", i, mark, 0.5, "7", 0.25) for i, mark in enumerate(raw, start=1))
    identity = PageId(document, number, "ab" * 32)
    return PageResult(identity, "card", Status.READ, "", residual, (field,), boxes)


def test_files_say_what_the_contract_says(tmp_path: Path) -> None:
    """Columns, four decimals, joined reasons, two decimals of pixels."""
    export([result("a.png")], tmp_path)
    assert (tmp_path / "fields.csv").read_text() == (
        "document,page,template,field,raw,value,confidence,flag,reasons\n"
        "a.png,1,card,pin,01,01,0.9877,review,low_confidence;struck_out\n"
    )
    assert (tmp_path / "digits.csv").read_text() == (
        "document,page,field,position,reading,confidence,second,second_confidence\n"
        "a.png,1,pin,1,0,0.5000,7,0.2500\n"
        "a.png,1,pin,2,1,0.5000,7,0.2500\n"
    )
    assert (tmp_path / "pages.csv").read_text() == (
        "document,page,sha256,template,status,reason,residual_px\n"
        f"a.png,1,{'ab' * 32},card,read,,0.13\n"
    )


def test_unknown_residual_is_empty(tmp_path: Path) -> None:
    """A page that was not aligned has no residual, not one of zero."""
    export([result("a.png", residual=None)], tmp_path)
    assert read_csv(tmp_path / "pages.csv", ["residual_px"]).iloc[0, 0] == ""


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_any_name_comes_back(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    """Commas, quotes, line ends, any letters, a leading =: our reader and Python's see the name."""
    path = tmp_path_factory.mktemp("csv") / "names.csv"
    path.write_bytes(
        as_csv(Table("names", ("name", "end"), tuple((n, "") for n in names))).encode()
    )
    assert list(read_csv(path, ["name"])["name"]) == names
    with path.open(encoding="utf-8", newline="") as file:
        assert [restore(row["name"]) for row in csv.DictReader(file)] == names


@given(NAMES)
def test_no_text_starts_a_formula(name: str) -> None:
    """What a spreadsheet would run starts with an apostrophe, all else is untouched."""
    written = neutralise(name)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert written in {name, "'" + name}
    assert restore(written) == name


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_formulas_are_neutralised(start: str) -> None:
    """Each start that the contract names."""
    assert neutralise(f"{start}1+1") == f"'{start}1+1"


def test_a_full_disk_leaves_the_old_files(tmp_path: Path) -> None:
    """When the second file does not fit, the first is not replaced, and no draft is left."""
    export([result("old.png")], tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    code = f"""
from pathlib import Path
from pipeline.export import export
from pipeline.records import BoxRow, PageId, PageResult, Status
boxes = tuple(BoxRow("pin", i, "1", 0.5, "7", 0.25) for i in range(200))
page = PageResult(PageId("new.png", 1, ""), "card", Status.READ, "", None, (), boxes)
export([page], Path({str(tmp_path)!r}))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=small_disk, capture_output=True, check=False
    )
    assert b"OutputError" in run.stderr
    assert b"File too large" in run.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_unwritable_output_is_found_beforehand(tmp_path: Path) -> None:
    """A file where the folder should be: the message names it and says what to do."""
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match=r"cannot be written .*name a folder"):
            prepare_output(output)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_output(tmp_path: Path) -> None:
    """A folder without write permission is refused."""
    (tmp_path / "out").mkdir(mode=0o555)
    with pytest.raises(OutputError, match="Permission denied"):
        prepare_output(tmp_path / "out")


def test_others_files_are_spared(tmp_path: Path) -> None:
    """Another program's fields.csv is not replaced unasked, our own is."""
    prepare_output(tmp_path)
    export([result("a.png")], tmp_path)
    prepare_output(tmp_path)
    (tmp_path / "fields.csv").write_text("acre,crop\n3,oats\n")
    with pytest.raises(OutputError, match="--force"):
        prepare_output(tmp_path)
    prepare_output(tmp_path, force=True)
