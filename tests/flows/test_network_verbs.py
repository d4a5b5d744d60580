"""The verbs `train` and `evaluate`, as a user types them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_train_runs_the_flow(formdigits: Command, mnist_folder: Path, tmp_path: Path) -> None:
    """From digits to a network with card, curve and page; figures on stdout, no tracebacks."""
    output = tmp_path / "run"
    run = formdigits(
        "train", "--network", "mlp", "--epochs", 1, "--data", mnist_folder, "--output", output
    )
    assert run.returncode == 0, run.stderr
    assert sorted(path.name for path in output.iterdir()) == [
        "mlp-evaluation",
        *(f"mlp.{suffix}" for suffix in ("json", "keras", "png", "tflite")),
    ]
    card = json.loads((output / "mlp.json").read_text())
    assert json.loads(run.stdout) == card["figures"]
    assert "epoch 1: loss" in run.stderr
    assert "Traceback" not in run.stderr


def test_weights_that_are_none_are_refused(
    formdigits: Command, mnist_folder: Path, tmp_path: Path
) -> None:
    """Exit code 5 and a message; the output folder is not even made."""
    weights = tmp_path / "weights.keras"
    weights.write_text("none")
    arguments = ("--weights", weights, "--data", mnist_folder, "--output", tmp_path / "run")
    run = formdigits("train", *arguments, "--direct")
    assert run.returncode == 5
    assert "weights.keras is no trained network" in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "run").exists()


def test_evaluate_shows_forms_of_ones_own(
    formdigits: Command, sample_forms: Path, tmp_path: Path
) -> None:
    """A row on stdout, and the page."""
    card = sample_forms / "postal-card"
    own = ("--forms", card / "scans", "--templates", card, "--truth", card / "truth.csv")
    run = formdigits("evaluate", *own, "--output", tmp_path / "page")
    assert run.returncode == 0, run.stderr
    header, row = (line.split("\t") for line in run.stdout.splitlines())
    assert header[:3] == ["set", "samples", "right %"]
    assert row[:2] == ["forms", "36"]
    assert (tmp_path / "page/index.html").is_file()
    assert "TensorFlow" not in run.stderr


@pytest.mark.parametrize("given", [["--forms", "x"], ["--truth", "x.csv", "--templates", "x"]])
def test_forms_need_templates_and_truth(formdigits: Command, given: list[str]) -> None:
    """Exit code 2, before anything is loaded."""
    run = formdigits("evaluate", *given)
    assert run.returncode == 2
    assert "go together" in run.stderr


def test_a_download_that_fails_says_what_to_do(formdigits: Command, tmp_path: Path) -> None:
    """Nobody listens where the proxy should be, and nothing was downloaded before."""
    nobody = {"https_proxy": "http://127.0.0.1:9", "KERAS_HOME": str(tmp_path)}
    run = formdigits("evaluate", "--output", tmp_path / "page", variables=nobody)
    assert run.returncode == 5
    assert "--data" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "page").exists()
