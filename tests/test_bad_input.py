"""Bad input through the real command: a message that says what to do, and the others unharmed."""

import csv
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from pipeline.tables import restore

Command = Callable[..., subprocess.CompletedProcess[str]]
ODD_NAME = '=1+1, "quoted"\nnext lïne.jpg'
REASONS = {
    "letter.png": "this is no PNG",
    "cut.jpg": "cut off",
    "nothing.jpg": "empty",
    "secret.pdf": "save it without a password",
    "dot.png": "1 x 1 pixels are too few",
    "huge.png": "30000 x 30000 pixels are too many",
    "cheque.jpg": "not recognised",
    "blank.png": "not recognised",
}


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    code: int
    stdout: str
    stderr: str
    output: Path

    def rows(self, table: str) -> list[dict[str, str]]:
        """Read a table as another program would, names restored."""
        with (self.output / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return [{k: restore(v) for k, v in row.items()} for row in csv.DictReader(file)]

    def page(self, document: str, number: int = 1) -> dict[str, str]:
        """Give one row of pages.csv."""
        (row,) = (
            row
            for row in self.rows("pages")
            if (row["document"], row["page"]) == (document, str(number))
        )
        return row


@pytest.fixture(scope="session")
def inbox(tmp_path_factory: pytest.TempPathFactory, sample_forms: Path, huge_png: bytes) -> Path:
    """A folder with each kind of bad file among good scans of a postal card."""
    folder = tmp_path_factory.mktemp("inbox")
    good = sample_forms / "postal-card/scans/postal-card-1.jpg"
    shutil.copy(good, folder / "good.jpg")
    (folder / ODD_NAME).write_bytes(good.read_bytes() + b"another")
    (folder / "notes.txt").write_text("not a scan")
    (folder / "letter.png").write_text("Dear Sir or Madam")
    (folder / "cut.jpg").write_bytes(good.read_bytes()[:20_000])
    (folder / "nothing.jpg").touch()
    Canvas(str(folder / "secret.pdf"), encrypt="word").save()
    Image.new("L", (1, 1)).save(folder / "dot.png")
    (folder / "huge.png").write_bytes(huge_png)
    shutil.copy(sample_forms / "bank-cheque/scans/bank-cheque-1.jpg", folder / "cheque.jpg")
    Image.new("L", (1748, 1240), 255).save(folder / "blank.png")
    page = Image.open(good).convert("L")
    three = folder / "three.tif"
    page.save(three, save_all=True, append_images=[page, page], compression="tiff_lzw")
    data = bytearray(three.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = b"\xff" * 2000
    three.write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def direct(inbox: Path, sample_forms: Path, formdigits: Command, tmp_path_factory) -> Run:
    """The inbox, read without Prefect."""
    output = tmp_path_factory.mktemp("direct") / "out"
    arguments = (inbox, "--templates", sample_forms / "postal-card", "--output", output)
    run = formdigits("extract", *arguments, "--direct")
    return Run(run.returncode, run.stdout, run.stderr, output)


@pytest.fixture(scope="session")
def flow(inbox: Path, sample_forms: Path, formdigits: Command, tmp_path_factory) -> Run:
    """The inbox, read by the flow on the embedded server, by two processes."""
    output = tmp_path_factory.mktemp("flow") / "out"
    arguments = (inbox, "--templates", sample_forms / "postal-card", "--output", output)
    run = formdigits("extract", *arguments, "--workers", 2)
    return Run(run.returncode, run.stdout, run.stderr, output)


def test_bad_files_do_not_fail_the_run(direct: Run) -> None:
    """Pages that wait for review are not a failure."""
    assert direct.code == 0
    assert "4 pages read, 9 failed" in direct.stderr
    assert "1 file of other kinds left alone" in direct.stderr
    assert "Traceback" not in direct.stderr


@pytest.mark.parametrize("name", REASONS)
def test_each_bad_file_says_why(direct: Run, name: str) -> None:
    """pages.csv and the terminal give the reason, and the field waits for a person."""
    page = direct.page(name)
    assert page["status"] == "failed"
    assert REASONS[name] in page["reason"]
    assert f"not read: {name} page 1" in direct.stderr
    (field,) = (row for row in direct.rows("fields") if row["document"] == name)
    assert (field["flag"], field["reasons"]) == ("review", "page_failed")


def test_a_damaged_page_fails_alone(direct: Run) -> None:
    """The pages before and after it in the same TIFF are read."""
    assert [direct.page("three.tif", number)["status"] for number in (1, 2, 3)] == [
        "read",
        "failed",
        "read",
    ]
    assert "damaged" in direct.page("three.tif", 2)["reason"]


def test_good_pages_are_intact(
    direct: Run, formdigits: Command, sample_forms: Path, tmp_path: Path
) -> None:
    """A good scan among bad files is read as it is alone, under whatever name."""
    scan = sample_forms / "postal-card/scans/postal-card-1.jpg"
    templates = sample_forms / "postal-card"
    run = formdigits("extract", scan, "--templates", templates, "--output", tmp_path, "--direct")
    (alone,) = Run(run.returncode, run.stdout, run.stderr, tmp_path).rows("fields")
    for name in ("good.jpg", ODD_NAME):
        (field,) = (row for row in direct.rows("fields") if row["document"] == name)
        assert {**field, "document": scan.name} == alone


def test_no_cell_is_a_formula(direct: Run) -> None:
    """The file name that starts with = stands in the CSV with an apostrophe."""
    assert direct.page(ODD_NAME)["status"] == "read"
    assert '"\'=1+1, ""quoted""\nnext lïne.jpg"' in (direct.output / "pages.csv").read_text()


def test_the_terminal_gets_no_control_characters(direct: Run) -> None:
    """A newline in a file name does not break a line of the listing."""
    assert '=1+1, "quoted"\\nnext lïne.jpg\t1\tpin_code' in direct.stdout


def test_flow_and_direct_write_the_same_bytes(direct: Run, flow: Run) -> None:
    """Prefect, and the number of workers, change nothing in the output."""
    assert flow.code == 0
    for table in ("fields.csv", "digits.csv", "pages.csv"):
        assert (flow.output / table).read_bytes() == (direct.output / table).read_bytes()
    assert flow.stdout == direct.stdout


def test_the_embedded_server_is_not_heard(direct: Run, flow: Run) -> None:
    """No traceback, telemetry error or log line: only what --direct says, and one line more."""
    first, *others = flow.stderr.splitlines()
    assert first.startswith("starting Prefect")
    said = direct.stderr.replace(str(direct.output), str(flow.output))
    assert others == said.splitlines()


def test_missing_input(formdigits: Command, sample_forms: Path, tmp_path: Path) -> None:
    """A folder that is not there: exit code 3."""
    arguments = ("--templates", sample_forms, "--output", tmp_path / "out", "--direct")
    run = formdigits("extract", tmp_path / "nowhere", *arguments)
    assert run.returncode == 3
    assert "does not exist; check the path" in run.stderr


def test_empty_input(formdigits: Command, sample_forms: Path, tmp_path: Path) -> None:
    """A folder without scans: exit code 3."""
    (tmp_path / "in").mkdir()
    arguments = ("--templates", sample_forms, "--output", tmp_path / "out", "--direct")
    run = formdigits("extract", tmp_path / "in", *arguments)
    assert run.returncode == 3
    assert "name the folder of the scans" in run.stderr


def test_unwritable_output(
    formdigits: Command, inbox: Path, sample_forms: Path, tmp_path: Path
) -> None:
    """Exit code 6, before a page is read."""
    (tmp_path / "file").touch()
    arguments = ("--templates", sample_forms, "--output", tmp_path / "file" / "out", "--direct")
    run = formdigits("extract", inbox, *arguments)
    assert run.returncode == 6
    assert "cannot be written" in run.stderr
    assert "not read" not in run.stderr


WRONG_TEMPLATES = {
    "unknown key": (
        "required: true",
        "obligatory: true",
        r"field 'pin_code' (number 1) > obligatory: unknown key",
    ),
    "box outside": ("x: 82", "x: 182", "pin_code"),
    "missing reference": ("blank.png", "empty.png", "empty.png"),
    "two fields of one name": (
        "fields:\n",
        "fields:\n  - {name: pin_code, boxes: [[1, 1, 5, 5]]}\n",
        "pin_code",
    ),
}


@pytest.mark.parametrize("mistake", WRONG_TEMPLATES)
def test_wrong_templates(
    formdigits: Command, inbox: Path, sample_forms: Path, tmp_path: Path, mistake: str
) -> None:
    """Exit code 4, and the message names the file and the field."""
    right, wrong, message = WRONG_TEMPLATES[mistake]
    text = (sample_forms / "postal-card/template.yaml").read_text()
    assert right in text
    (tmp_path / "card.yaml").write_text(text.replace(right, wrong, 1))
    shutil.copy(sample_forms / "postal-card/blank.png", tmp_path)
    arguments = ("--templates", tmp_path, "--output", tmp_path / "out", "--direct")
    run = formdigits("extract", inbox, *arguments)
    assert run.returncode == 4
    assert "card.yaml" in run.stderr
    assert message in run.stderr


def test_bad_arguments(formdigits: Command, inbox: Path) -> None:
    """Exit code 2 where a needed option is missing."""
    assert formdigits("extract", inbox).returncode == 2
