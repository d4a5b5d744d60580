"""`template simulate`: scans and truth as `extract` and `score` take them; mistakes are told."""

import csv
import gzip
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flows.cli.template import DEGRADATIONS as NAMES_IN_HELP
from flows.cli.template import LEVELS as LEVELS_IN_HELP
from flows.simulate import Order, make_pages, prepare
from pipeline.authoring.levels import LEVELS, NAMES
from pipeline.errors import ExtractionError, InputFileError, OutputError, TemplateError
from tests.pipeline.authoring.pages import collection

Command = Callable[..., subprocess.CompletedProcess[str]]
CROWDED = """\
template: crowded
version: 1
page: {width: 2480, height: 3508}
fields:
  - {name: all, boxes: {x: 0, y: 0, width: 270, height: 3508, count: 9}}
"""


@pytest.fixture
def order(sample_forms: Path, tmp_path: Path) -> Order:
    """A small order: two clean pages of the postcard."""
    return Order(
        template=sample_forms / "postal-card",
        output=tmp_path / "out",
        count=2,
        degrade="clean",
        digits=None,
        writers=None,
        values=None,
        page="auto",
        dpi=300,
        seed=1,
        force=False,
    )


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an idx file as MNIST's are, packed where its name says so."""
    head = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
    pack = gzip.compress if path.suffix == ".gz" else bytes
    path.write_bytes(pack(head + array.tobytes()))


def write_collection(folder: Path, ending: str) -> Path:
    """Write made-up digits by MNIST's naming: the path of the images."""
    images, labels = collection()
    write_idx(folder / f"my-images-idx3-ubyte{ending}", images)
    write_idx(folder / f"my-labels-idx1-ubyte{ending}", labels)
    return folder / f"my-images-idx3-ubyte{ending}"


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """The path of a collection's images."""
    return write_collection(tmp_path, ".gz")


def run(order: Order) -> list[str]:
    """Make what was ordered; the documents' names."""
    return list(make_pages(prepare(order)))


def truth(order: Order) -> list[dict[str, str]]:
    """Read the truth that was written."""
    with (order.output / "truth.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def bytes_of(order: Order) -> dict[str, bytes]:
    """Read all files that were written."""
    files = (path for path in sorted(order.output.rglob("*")) if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def test_scans_and_truth(formdigits: Command, sample_forms: Path, tmp_path: Path) -> None:
    """From a template to figures by three commands, nothing else needed."""
    card, made, read = sample_forms / "postal-card", tmp_path / "made", tmp_path / "read"
    options = ("--count", 3, "--output", made, "--degrade", "skew=1,resolution=0.5")
    done = formdigits("template", "simulate", card, *options)
    assert done.returncode == 0
    assert done.stdout == ""
    assert "3 pages in" in done.stderr
    done = formdigits("extract", made / "scans", "--templates", card, "--output", read, "--direct")
    assert "3 pages read, 0 failed" in done.stderr
    done = formdigits("score", read, "--truth", made / "truth.csv")
    assert "boxes\t18" in done.stdout


def test_the_same_seed_gives_the_same_bytes(order: Order, tmp_path: Path) -> None:
    """Files and truth; more pages leave the first as they are, another seed does not."""
    mixed = replace(order, degrade="mix")
    run(mixed)
    more = replace(mixed, count=3, output=tmp_path / "more")
    run(more)
    first, longer = bytes_of(mixed), bytes_of(more)
    assert longer["truth.csv"].startswith(first.pop("truth.csv"))
    assert first.items() <= longer.items()
    other = replace(mixed, seed=2, output=tmp_path / "other")
    run(other)
    assert not set(bytes_of(other).values()) & set(first.values())


def test_truth_is_of_the_contract(order: Order) -> None:
    """A row a field, documents named as they lie below scans/."""
    names = run(order)
    assert names == ["postal-card-0001.jpg", "postal-card-0002.jpg"]
    assert sorted(path.name for path in (order.output / "scans").iterdir()) == names
    rows = truth(order)
    assert [row["document"] for row in rows] == names
    assert all(list(row) == ["document", "page", "field", "raw"] for row in rows)
    assert all(row["page"] == "1" and len(row["raw"]) == 6 for row in rows)


def test_faxes_are_bilevel_and_say_their_resolution(order: Order) -> None:
    """As a fax server writes them: TIFF, one bit, half as many lines down as across."""
    (name, *_) = run(replace(order, degrade="fax=1"))
    with Image.open(order.output / "scans" / name) as scan:
        assert scan.format == "TIFF"
        assert scan.mode == "1"
        assert scan.info["dpi"] == (204, 98)


def test_given_values_are_written(order: Order, tmp_path: Path) -> None:
    """A page for each document of the values; the truth says the same."""
    values = tmp_path / "values.csv"
    values.write_text("document,page,field,raw\na,1,pin_code,012345\nb,1,pin_code,6_X789\n")
    run(replace(order, values=values, count=None))
    assert [row["raw"] for row in truth(order)] == ["012345", "6_X789"]


def test_digits_of_a_collection(order: Order, digits: Path, tmp_path: Path) -> None:
    """Images with their labels beside them, and who wrote each."""
    run(replace(order, digits=digits))
    writers = tmp_path / "writers.txt"
    writers.write_text("\n".join(str(number % 2) for number in range(60)))
    run(replace(order, digits=digits, writers=writers, output=tmp_path / "by_writer"))
    np.savez(tmp_path / "writers.npz", test_writer=np.arange(60) % 2, other=np.arange(9))
    run(replace(order, digits=digits, writers=tmp_path / "writers.npz", output=tmp_path / "by_npz"))
    assert bytes_of(replace(order, output=tmp_path / "by_writer")) == bytes_of(
        replace(order, output=tmp_path / "by_npz")
    )
    plain = write_collection(tmp_path, "")
    run(replace(order, digits=plain, output=tmp_path / "plain"))
    assert bytes_of(replace(order, output=tmp_path / "plain")) == bytes_of(order)


def complaint(order: Order, kind: type[ExtractionError]) -> str:
    """Give what is said of an order that cannot be met."""
    with pytest.raises(kind) as told:
        run(order)
    return str(told.value)


def test_mistakes_about_digits(order: Order, digits: Path, tmp_path: Path) -> None:
    """Each is told with its file, and what is needed."""
    labels = tmp_path / "my-labels-idx1-ubyte.gz"
    whole = labels.read_bytes()
    labels.write_bytes(whole[:-9])
    assert str(labels) in complaint(replace(order, digits=digits), InputFileError)
    write_idx(labels, np.zeros(7, np.uint8))
    told = complaint(replace(order, digits=digits), InputFileError)
    assert "60 images beside 7 labels" in told
    labels.unlink()
    assert "does not exist" in complaint(replace(order, digits=digits), InputFileError)
    labels.write_bytes(whole)
    digits.write_bytes(b"no idx")
    assert str(digits) in complaint(replace(order, digits=digits), InputFileError)
    other = digits.rename(tmp_path / "digits.gz")
    assert "MNIST's naming" in complaint(replace(order, digits=other), InputFileError)


def test_mistakes_about_writers(order: Order, digits: Path, tmp_path: Path) -> None:
    """Writers of nothing, of other digits, in no form that is known."""
    writers = tmp_path / "writers.txt"
    writers.write_text("1\n2\n3\n")
    told = complaint(replace(order, writers=writers), InputFileError)
    assert "give those too" in told
    order = replace(order, digits=digits, writers=writers)
    assert "no list of 60 writers" in complaint(order, InputFileError)
    writers.write_text("one two")
    assert "one number a digit" in complaint(order, InputFileError)
    writers.write_text("\n".join(map(str, range(60))))
    assert "no writer wrote all ten" in complaint(order, InputFileError)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a,1,pin,123456", "line 2: the template has no field 'pin'; it has pin_code"),
        ("a,1,pin_code,12345", "line 2: field 'pin_code' is '12345', needs 6 characters"),
        ("a,1,pin_code,12345?", "needs 6 characters"),
        ("", "holds no values"),
    ],
)
def test_mistakes_in_values(order: Order, row: str, told: str, tmp_path: Path) -> None:
    """Told with file and line."""
    values = tmp_path / "values.csv"
    values.write_text(f"document,page,field,raw\n{row}\n")
    assert told in complaint(replace(order, values=values), InputFileError)


def test_mistakes_about_the_template(order: Order, sample_forms: Path, tmp_path: Path) -> None:
    """Several of them, or one on which damage finds no room."""
    told = complaint(replace(order, template=sample_forms), TemplateError)
    assert "several templates" in told
    crowded = tmp_path / "crowded.yaml"
    crowded.write_text(CROWDED)
    told = complaint(replace(order, template=crowded, degrade="holes=1"), TemplateError)
    assert "leave no room for 'holes'" in told


def test_what_is_there_is_spared(order: Order, tmp_path: Path) -> None:
    """Scans that lie there stay unless told otherwise; a file in the way is told."""
    run(order)
    before = bytes_of(order)
    assert "say --force" in complaint(replace(order, seed=2), OutputError)
    assert bytes_of(order) == before
    run(replace(order, seed=2, force=True))
    assert bytes_of(order) != before
    (tmp_path / "file").write_text("")
    told = complaint(replace(order, output=tmp_path / "file" / "out"), OutputError)
    assert "cannot be written" in told


@pytest.mark.parametrize(
    "options", [("--degrade", "rain=1"), ("--degrade", "skew"), ("--count", "0")]
)
def test_bad_arguments(
    formdigits: Command, sample_forms: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Exit code 2, and what may be said."""
    card = sample_forms / "postal-card"
    done = formdigits("template", "simulate", card, "--output", tmp_path / "out", *options)
    assert done.returncode == 2
    assert options[0] in done.stderr
    assert not (tmp_path / "out").exists()


def test_help_names_everything(formdigits: Command) -> None:
    """Each level and each kind of damage, as they are, with an example."""
    assert tuple(LEVELS_IN_HELP.split(", ")) == tuple(LEVELS)
    assert tuple(NAMES_IN_HELP.split(", ")) == NAMES
    done = formdigits("template", "simulate", "--help")
    assert "Example: formdigits template simulate" in " ".join(done.stdout.split())
