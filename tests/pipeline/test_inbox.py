"""What is in an inbox: every scan at any depth, once, under a name of its own."""

import os
from pathlib import Path

import pytest

from pipeline.errors import InputFileError
from pipeline.inbox import find_documents


def touch(*paths: Path) -> None:
    """Make files and their folders."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_documents_are_found_to_the_bottom(tmp_path: Path) -> None:
    """Suffixes in any case count, hidden files do not, other kinds are counted; sorted by name."""
    here = tmp_path
    touch(here / "b.PNG", here / "a/z.pdf", here / "a/.hidden.png", here / ".git/x.png")
    touch(here / "notes.txt")
    inbox = find_documents([tmp_path])
    assert [document.name for document in inbox.documents] == ["a/z.pdf", "b.PNG"]
    assert inbox.passed_over == 1


def test_the_output_below_the_input_is_left_out(tmp_path: Path) -> None:
    """What the program wrote itself is not read as a scan."""
    touch(tmp_path / "a.png", tmp_path / "out/crop.png")
    inbox = find_documents([tmp_path], leave_out=tmp_path / "x/../out")
    assert [document.name for document in inbox.documents] == ["a.png"]


def test_linked_folders_are_searched_once(tmp_path: Path) -> None:
    """A link to a folder is followed, a circle of links is not."""
    touch(tmp_path / "far/a.png", tmp_path / "in/b.png")
    (tmp_path / "in/link").symlink_to(tmp_path / "far")
    (tmp_path / "far/back").symlink_to(tmp_path / "in")
    inbox = find_documents([tmp_path / "in"])
    assert [document.name for document in inbox.documents] == ["b.png", "link/a.png"]


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    """Each says what is wrong and what to do."""
    with pytest.raises(InputFileError, match=r"does not exist; check"):
        find_documents([tmp_path / "nowhere"])
    with pytest.raises(InputFileError, match=r"holds no PNG.*; name"):
        find_documents([tmp_path])


def test_twins_are_refused(tmp_path: Path) -> None:
    """Two documents of one name would mix their rows."""
    touch(tmp_path / "a/1.png", tmp_path / "b/1.png")
    with pytest.raises(InputFileError, match="folder that holds them all"):
        find_documents([tmp_path / "a", tmp_path / "b"])


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    """Such a file is read, under a name that UTF-8 can write."""
    (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    (document,) = find_documents([tmp_path]).documents
    assert document.name == "caf\\xe9.png"
