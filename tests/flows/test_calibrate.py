"""`formdigits calibrate` and `audit` as a user runs them."""

import csv
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import pytest
import yaml

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, formdigits: Command, sample_forms: Path) -> Path:
    """A run over the postal cards."""
    output = tmp_path_factory.mktemp("run")
    card = sample_forms / "postal-card"
    formdigits("extract", card / "scans", "--templates", card, "--output", output, "--direct")
    return output


def test_a_profile_that_extract_takes(
    run: Path, tmp_path: Path, formdigits: Command, sample_forms: Path
) -> None:
    """Its thresholds decide in the next run, and its curve can be looked at."""
    card = sample_forms / "postal-card"
    profile = tmp_path / "profile.yaml"
    asked = ("--truth", card / "truth.csv", "--max-error", "0.4", "--confidence", "0.8")
    done = formdigits("calibrate", run, *asked, "--write", profile)
    assert done.returncode == 0, done.stderr
    assert "will need a person" in done.stderr
    (row,) = csv.DictReader(done.stdout.splitlines(), delimiter="\t")
    assert (row["field"], row["promise"]) == ("pin_code", "yes")
    assert cv2.imread(str(profile.with_suffix(".png"))) is not None
    again = tmp_path / "again"
    done = formdigits(
        "extract", card / "scans", "--templates", card, "--output", again, "--direct",
        "--profile", profile,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    accept = yaml.safe_load(profile.read_text())["fields"][0]["accept"]
    with (again / "fields.csv").open() as file:
        for field in csv.DictReader(file):
            sure = float(field["confidence"]) >= accept
            assert sure == ("low_confidence" not in field["reasons"])


def test_mistakes_are_told(
    run: Path, tmp_path: Path, formdigits: Command, sample_forms: Path
) -> None:
    """A truth of other scans, a file that is no profile: exit code 3, and what to do."""
    card = sample_forms / "postal-card"
    truth = sample_forms / "bank-cheque" / "truth.csv"
    done = formdigits("calibrate", run, "--truth", truth, "--max-error", "0.1")
    assert (done.returncode, done.stdout) == (3, "")
    assert "the output lacks" in done.stderr
    done = formdigits(
        "extract", card / "scans", "--templates", card, "--output", tmp_path / "out", "--direct",
        "--profile", truth,
    )  # fmt: skip
    assert done.returncode == 3
    assert "is no profile" in done.stderr


def test_an_audit_estimates_the_accepted(
    tmp_path: Path, formdigits: Command, sample_forms: Path
) -> None:
    """Fields are drawn, and a person's answers bound the error; without a draw it says so."""
    card = sample_forms / "postal-card"
    asked = ("--templates", card, "--output", tmp_path, "--direct")
    done = formdigits("extract", card / "scans", *asked, "--audit-share", "1")
    assert "none is answered yet" in done.stderr
    done = formdigits("audit", tmp_path, "--truth", card / "truth.csv")
    assert done.returncode == 0, done.stderr
    assert "answered were wrong" in done.stdout
    done = formdigits("audit", tmp_path / "nothing")
    assert (done.returncode, done.stdout) == (3, "")
    assert "--audit-share" in done.stderr
