"""Inbox and output on S3: read as folders are, put whole, and nothing lost when storage fails."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem, filesystem
from s3fs import S3FileSystem

from flows.remote.address import at_hand
from flows.remote.mirror import fetch
from pipeline.errors import InputFileError, OutputError
from tests.flows import servers
from tests.pipeline.conftest import skip_or_fail

Command = Callable[..., subprocess.CompletedProcess[str]]
FILES = ("fields.csv", "digits.csv", "pages.csv")


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """A server that speaks S3."""
    if not servers.program("moto_server").exists():
        skip_or_fail("moto is not installed: pip install 'formdigits[test]'")
    with servers.s3_server() as address:
        yield address


@pytest.fixture
def reach(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that lead there, set in this process too."""
    S3FileSystem.clear_instance_cache()
    variables = dict(servers.credentials(s3, tmp_path / "cache"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def files(reach: dict[str, str]) -> AbstractFileSystem:
    """The storage as another program sees it."""
    return filesystem("s3", use_listings_cache=False, skip_instance_cache=True)


@pytest.fixture
def bucket(files: AbstractFileSystem, sample_forms: Path, tmp_path: Path) -> str:
    """A bucket whose inbox holds two cards, one of them in a folder, and what is no scan."""
    name = f"bucket-{abs(hash(tmp_path)):x}"
    files.mkdir(name)
    scans = sample_forms / "postal-card/scans"
    files.put_file(scans / "postal-card-1.jpg", f"{name}/inbox/postal-card-1.jpg")
    files.put_file(scans / "postal-card-5.png", f"{name}/inbox/box 2/postal-card-5.png")
    files.pipe_file(f"{name}/inbox/readme.txt", b"no scan")
    return name


def test_the_same_bytes_as_from_a_folder(  # noqa: PLR0917 - each is a part that is run
    formdigits: Command,
    files: AbstractFileSystem,
    bucket: str,
    reach: dict[str, str],
    sample_forms: Path,
    tmp_path: Path,
) -> None:
    """A run from S3 to S3 puts what a run from folder to folder writes; the next adds what is new.

    Documents are named below the inbox, and the next run has the first one's database.
    """
    inbox = tmp_path / "inbox"
    templates = ("--templates", sample_forms / "postal-card", "--direct")

    def both() -> None:
        files.get(f"{bucket}/inbox/", str(inbox) + "/", recursive=True)
        run = formdigits("extract", inbox, *templates, "--output", tmp_path / "out")
        assert run.returncode == 0, run.stderr
        where = (f"s3://{bucket}/inbox", *templates, "--output", f"s3://{bucket}/out")
        run = formdigits("extract", *where, variables=reach)
        assert run.returncode == 0, run.stderr
        for name in FILES:
            written = (tmp_path / "out" / name).read_bytes()
            assert files.cat_file(f"{bucket}/out/{name}") == written

    both()
    assert b"box 2/postal-card-5.png" in files.cat_file(f"{bucket}/out/pages.csv")
    assert files.size(f"{bucket}/out/results.db") > 0
    scan = sample_forms / "postal-card/scans/postal-card-2.jpg"
    files.put_file(scan, f"{bucket}/inbox/postal-card-2.jpg")
    both()
    assert files.cat_file(f"{bucket}/out/pages.csv").count(b"\n") == 4


def test_what_is_here_is_not_copied_again(files: AbstractFileSystem, bucket: str) -> None:
    """A copy stays as long as the object does: changed ones are copied, removed ones forgotten."""
    inbox = Path(f"s3://{bucket}/inbox")
    here = fetch(inbox)
    first, second = here / "postal-card-1.jpg", here / "box 2/postal-card-5.png"
    assert not (here / "readme.txt").exists()
    before = first.stat(), second.stat()
    files.pipe_file(f"{bucket}/inbox/postal-card-1.jpg", b"another scan")
    fetch(inbox)
    assert first.read_bytes() == b"another scan"
    assert second.stat().st_ino == before[1].st_ino
    files.rm_file(f"{bucket}/inbox/postal-card-1.jpg")
    fetch(inbox)
    assert not first.exists()
    assert second.exists()


def test_a_single_object(bucket: str) -> None:
    """The address of one scan is a file, under the object's name."""
    copied = fetch(Path(f"s3://{bucket}/inbox/postal-card-1.jpg"))
    assert copied.is_file()
    assert copied.name == "postal-card-1.jpg"


def test_a_run_that_fails_puts_nothing(files: AbstractFileSystem, bucket: str) -> None:
    """The output stays as it was; what the run had written is there for the next."""
    output = Path(f"s3://{bucket}/out")
    files.pipe_file(f"{bucket}/out/fields.csv", b"of before")
    with pytest.raises(KeyboardInterrupt), at_hand([], output) as here:
        assert (here.output / "fields.csv").read_bytes() == b"of before"
        (here.output / "results.db").write_bytes(b"half")
        raise KeyboardInterrupt
    assert files.find(f"{bucket}/out") == [f"{bucket}/out/fields.csv"]
    with at_hand([], output) as here:
        assert (here.output / "results.db").read_bytes() == b"half"
        (here.output / "results.db").unlink()


def test_a_run_of_another_machine_meanwhile(files: AbstractFileSystem, bucket: str) -> None:
    """Its database is not overwritten by one that knows nothing of it."""
    output = Path(f"s3://{bucket}/out")
    files.pipe_file(f"{bucket}/out/results.db", b"")
    with pytest.raises(OutputError, match="another run"), at_hand([], output) as here:
        (here.output / "fields.csv").write_text("mine")
        files.pipe_file(f"{bucket}/out/results.db", b"of the other machine")
    assert files.cat_file(f"{bucket}/out/results.db") == b"of the other machine"
    assert not files.exists(f"{bucket}/out/fields.csv")
    with at_hand([], output) as here:
        assert (here.output / "results.db").read_bytes() == b"of the other machine"
        (here.output / "results.db").unlink()


def test_storage_that_goes_in_mid_run(
    reach: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says so, and what was written is there for the next run to put."""
    gone = at_hand([], Path("s3://bucket/out"))
    with servers.s3_server() as address:
        for name, value in servers.credentials(address, tmp_path / "cache").items():
            monkeypatch.setenv(name, value)
        filesystem("s3", skip_instance_cache=True).mkdir("bucket")
        S3FileSystem.clear_instance_cache()  # it remembers who was asked before
        here = gone.__enter__()
        (here.output / "fields.csv").write_text("read")
    with pytest.raises(OutputError, match="does not answer"):
        gone.__exit__(None, None, None)
    assert (here.output / "fields.csv").read_text() == "read"


@pytest.mark.parametrize(
    ("address", "variables", "words"),
    [
        ("s3://no-such-bucket/inbox", {}, "no such bucket"),
        ("s3://", {}, "names no bucket"),
        ("s3://bucket/inbox", {"AWS_ACCESS_KEY_ID": None}, "credentials"),
        ("s3://bucket/inbox", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "does not answer"),
        ("s3://bucket/inbox", {"AWS_ENDPOINT_URL": "nonsense"}, "AWS_ENDPOINT_URL"),
    ],
)
def test_storage_that_cannot_be_used(
    address: str,
    variables: dict[str, str | None],
    words: str,
    reach: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message says what happened, where, and what to do."""
    for name, value in variables.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()  # it remembers who was asked before
    with pytest.raises(InputFileError, match=words) as caught:
        fetch(Path(address))
    assert "; " in str(caught.value)
    assert os.environ["FORMDIGITS_CACHE"] not in str(caught.value)


def test_a_name_that_no_file_can_have(files: AbstractFileSystem, bucket: str) -> None:
    """An object that would be written outside the copy is refused by name."""
    files.pipe_file(f"{bucket}/inbox/../../evil.png", b"x")
    with pytest.raises(InputFileError, match="rename the object"):
        fetch(Path(f"s3://{bucket}/inbox"))


@pytest.mark.parametrize("verb", [["status"], ["purge", "--older-than", "1y"]])
def test_verbs_that_need_a_folder(formdigits: Command, verb: list[str]) -> None:
    """What works on a folder alone says so, and what to do."""
    run = formdigits(*verb, "s3://bucket/out")
    assert run.returncode == 6
    assert "s3://bucket/out" in run.stderr
    assert "aws s3 sync" in run.stderr


def test_objects_are_not_moved(
    formdigits: Command, reach: dict[str, str], sample_forms: Path, tmp_path: Path
) -> None:
    """--move is refused by name before anything is copied."""
    where = ("--templates", sample_forms, "--output", tmp_path / "out", "--direct", "--move")
    run = formdigits("extract", "s3://bucket/inbox", *where, variables=reach)
    assert run.returncode == 3
    assert "leave --move out" in run.stderr
    assert not (tmp_path / "cache").exists()
