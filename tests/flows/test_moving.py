"""Files that were read leave the inbox: each to its folder, over no other, also after a kill."""

import csv
import os
from pathlib import Path

import pytest

from flows.batch import Summary
from flows.direct import extract_directly
from flows.order import Handling
from pipeline.export import prepare_output
from pipeline.moving import Drawer, choose_place, move
from pipeline.store.database import database_url, opened
from pipeline.store.known import known_by_source, set_paths
from tests.flows.batches import draw_slip, encode, make_form


@pytest.fixture(scope="session")
def form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slip's template."""
    return make_form(tmp_path_factory.mktemp("form"))


@pytest.fixture(scope="session")
def slips(form: Path) -> list[bytes]:
    """Three slips."""
    return [encode([draw_slip(form, number)]) for number in range(3)]


@pytest.fixture
def inbox(tmp_path: Path, slips: list[bytes]) -> Path:
    """An inbox with a slip, another in a folder, its copy, and a broken file."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(slips[0])
    (folder / "sub/b.jpg").write_bytes(slips[1])
    (folder / "sub/copy.jpg").write_bytes(slips[1])
    (folder / "bad.jpg").write_bytes(slips[2][:500])
    return folder


def extract(inbox: Path, form: Path, output: Path) -> Summary:
    """Read what is new, and move it."""
    prepare_output(output)
    handling = Handling(move=True, settle_s=0)
    return extract_directly([inbox], form, output, handling=handling)


def files(inbox: Path) -> set[str]:
    """List the files of an inbox that are no bookkeeping."""
    return {
        path.relative_to(inbox).as_posix()
        for path in inbox.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def paths(output: Path, *names: str) -> list[Path]:
    """Say where the database has documents, by their names in the inbox."""
    with opened(database_url(output)) as engine:
        known = known_by_source(engine, names)
    return [Path(one.path) for name in names for one in known[name]]


def test_each_to_its_folder(inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]) -> None:
    """With the folders they lay in; the reason stands beside a file that failed."""
    assert extract(inbox, form, tmp_path / "out").moved == 4
    assert files(inbox) == {
        "done/a.jpg",
        "done/sub/b.jpg",
        "duplicate/sub/copy.jpg",
        "failed/bad.jpg",
        "failed/bad.jpg.txt",
    }
    assert "page 1: the file is cut off" in (inbox / "failed/bad.jpg.txt").read_text()
    assert (inbox / "done/a.jpg").read_bytes() == slips[0]
    moved = paths(tmp_path / "out", "a.jpg", "sub/b.jpg", "bad.jpg", "sub/copy.jpg")
    assert all(path.is_file() for path in moved)
    again = extract(inbox, form, tmp_path / "out")
    assert (again.pages, again.known, again.moved) == (0, 0, 0)


def test_a_name_that_comes_every_day(
    inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]
) -> None:
    """A scanner that begins anew each day: every day's page keeps its rows and its file."""
    out = tmp_path / "out"
    for day in range(3):
        (inbox / "a.jpg").write_bytes(slips[0] + b"day %d" % day)
        extract(inbox, form, out)
    with (out / "pages.csv").open(newline="") as file:
        names = {row["document"]: row["status"] for row in csv.DictReader(file)}
    for name in ("a.jpg", "a~2.jpg", "a~3.jpg"):
        assert names[name] == "read"
        assert (inbox / "done" / name).is_file()


def test_a_document_that_comes_again(
    inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]
) -> None:
    """Under the name that it had: it is not read, and is no reason to touch the first."""
    out = tmp_path / "out"
    extract(inbox, form, out)
    (inbox / "a.jpg").write_bytes(slips[0])
    assert extract(inbox, form, out).pages == 0
    assert {"done/a.jpg", "duplicate/a.jpg"} <= files(inbox)
    assert "a.jpg" not in files(inbox)


@pytest.mark.parametrize("linked", [False, True])
def test_a_move_that_was_cut_short(
    inbox: Path, form: Path, tmp_path: Path, slips: list[bytes], linked: bool
) -> None:
    """After its place was written down, or when the file has both names: the next run ends it."""
    out = tmp_path / "out"
    prepare_output(out)
    extract_directly([inbox], form, out, handling=Handling(settle_s=0))
    place = choose_place(inbox, Drawer.DONE, "a.jpg")
    with opened(database_url(out)) as engine:
        (document,) = known_by_source(engine, ["a.jpg"])["a.jpg"]
        set_paths(engine, {document.id: str(place.resolve())}, moved=True)
    if linked:
        os.link(inbox / "a.jpg", place)
    extract(inbox, form, out)
    assert place.read_bytes() == slips[0]
    assert files(inbox) == {
        "done/a.jpg",
        "done/sub/b.jpg",
        "duplicate/sub/copy.jpg",
        "failed/bad.jpg",
        "failed/bad.jpg.txt",
    }


def test_no_file_is_written_over(tmp_path: Path) -> None:
    """Not even one that came between choosing the place and moving."""
    (tmp_path / "a.jpg").write_text("new")
    place = choose_place(tmp_path, Drawer.DONE, "a.jpg")
    place.write_text("old")
    assert not move(tmp_path / "a.jpg", place)
    assert (tmp_path / "a.jpg").read_text() == "new"
    assert choose_place(tmp_path, Drawer.DONE, "a.jpg").name == "a~2.jpg"
    assert place.read_text() == "old"


def test_a_folder_that_has_our_name(
    inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]
) -> None:
    """Read like any other as long as nothing is moved; then it is ours, and is left alone."""
    out, settled = tmp_path / "out", Handling(settle_s=0)
    (inbox / "done").mkdir()
    (inbox / "done/mine.jpg").write_bytes(slips[2])
    prepare_output(out)
    assert extract_directly([inbox], form, out, handling=settled).pages == 4
    (inbox / "done/other.jpg").write_bytes(slips[2] + b"other")
    assert extract(inbox, form, out).pages == 0
    assert {"done/mine.jpg", "done/other.jpg", "done/a.jpg"} <= files(inbox)


def test_links_stay(inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]) -> None:
    """A link that were moved would point nowhere."""
    (tmp_path / "elsewhere.jpg").write_bytes(slips[2])
    (inbox / "link.jpg").symlink_to("../elsewhere.jpg")
    extract(inbox, form, tmp_path / "out")
    assert (inbox / "link.jpg").read_bytes() == slips[2]
    again = extract(inbox, form, tmp_path / "out")
    assert (again.pages, again.known) == (0, 1)
