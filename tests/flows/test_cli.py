"""The command line: help with an example for each verb, results on stdout, the rest on stderr."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    "verb",
    [
        ["extract"],
        ["score"],
        ["review"],
        ["serve"],
        ["deploy"],
        ["export"],
        ["status"],
        ["doctor"],
        ["purge"],
        ["train"],
        ["evaluate"],
        ["template", "check"],
    ],
)
def test_help_shows_an_example(formdigits: Command, verb: list[str]) -> None:
    """Each verb says how it is called."""
    run = formdigits(*verb, "--help")
    assert run.returncode == 0
    assert f"Example: formdigits {' '.join(verb)}" in " ".join(run.stdout.split())


def test_extract_and_score(formdigits: Command, sample_forms: Path, tmp_path: Path) -> None:
    """From scans to figures: plain lines on stdout, the same figures as JSON."""
    card, output = sample_forms / "postal-card", tmp_path / "out"
    arguments = ("--templates", sample_forms, "--output", output, "--direct")
    run = formdigits("extract", card / "scans", *arguments)
    assert run.returncode == 0
    header, *rows = run.stdout.splitlines()
    assert header.split("\t")[:3] == ["document", "page", "field"]
    assert len(rows) == 6
    assert "6 pages read, 0 failed" in run.stderr
    figures = tmp_path / "figures.json"
    run = formdigits("score", output, "--truth", card / "truth.csv", "--json", figures)
    assert run.returncode == 0
    assert run.stderr == ""
    written = json.loads(figures.read_text())
    assert written["boxes"] == 36
    assert f"box accuracy\t{100 * written['box_accuracy']:.2f} %" in run.stdout


def test_score_with_the_wrong_truth(
    formdigits: Command, sample_forms: Path, tmp_path: Path
) -> None:
    """Exit code 3 and a message, no traceback."""
    run = formdigits("score", tmp_path, "--truth", sample_forms / "postal-card/template.yaml")
    assert run.returncode == 3
    assert run.stderr.startswith("error: ")
    assert "Traceback" not in run.stderr


def test_template_check(formdigits: Command, sample_forms: Path, tmp_path: Path) -> None:
    """Right templates are listed with their fields; a wrong folder is exit code 4."""
    run = formdigits("template", "check", sample_forms)
    assert run.returncode == 0
    assert "postal-card v1\tpin_code\tdigits\t6" in run.stdout
    assert formdigits("template", "check", tmp_path).returncode == 4


def test_template_check_against_the_reference(
    formdigits: Command, sample_forms: Path, tmp_path: Path
) -> None:
    """Boxes that are not where the reference shows them: which field, how far, whither."""
    form = tmp_path / "postal-card"
    shutil.copytree(sample_forms / "postal-card", form)
    text = (form / "template.yaml").read_text()
    (form / "template.yaml").write_text(text.replace("x: 82, y: 86", "x: 80.5, y: 86"))
    run = formdigits("template", "check", form)
    assert run.returncode == 4
    assert "'pin_code'" in run.stderr
    assert "to the right" in run.stderr


def test_a_mistyped_path_is_told_at_once(
    formdigits: Command, sample_forms: Path, tmp_path: Path
) -> None:
    """Before Prefect is started, which takes seconds."""
    arguments = ("--templates", sample_forms, "--output", tmp_path / "out")
    run = formdigits("extract", tmp_path / "nowhere", *arguments)
    assert run.returncode == 3
    assert "starting Prefect" not in run.stderr


def test_a_silent_api(formdigits: Command, sample_forms: Path, tmp_path: Path) -> None:
    """A configured API that does not answer: a message with what to do, no traceback."""
    scans = sample_forms / "postal-card/scans"
    arguments = ("--templates", sample_forms, "--output", tmp_path / "out")
    nobody = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}  # the discard port: nobody listens
    run = formdigits("extract", scans, *arguments, variables=nobody)
    assert run.returncode == 1
    assert "does not answer" in run.stderr
    assert "use --direct" in run.stderr
    assert "Traceback" not in run.stderr
