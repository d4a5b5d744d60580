"""The figures of the README on the project's own sample forms."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.score import score

SAMPLES = Path(__file__).parents[2] / "sample_forms"


def test_samples(tmp_path: Path, formdigits: Callable[..., Any]) -> None:
    """Each sample page finds its own template, and 99.5 % of all boxes are right."""
    forms = sorted(folder for folder in SAMPLES.iterdir() if folder.is_dir())
    scans = [form / "scans" for form in forms]
    formdigits("extract", *scans, "--templates", SAMPLES, "--output", tmp_path, "--direct")
    truths = [score(tmp_path, form / "truth.csv").boxes for form in forms]
    assert len(truths) == 3
    boxes = sum(tally.count for tally in truths)
    assert sum(tally.right for tally in truths) / boxes >= 0.995


@pytest.mark.parametrize("form", ["admission-form", "bank-cheque", "postal-card"])
def test_marks(form: str, tmp_path: Path, formdigits: Callable[..., Any]) -> None:
    """Blank and struck-out boxes of the samples are told from digits."""
    folder = SAMPLES / form
    formdigits("extract", folder / "scans", "--templates", folder, "--output", tmp_path, "--direct")
    states = score(tmp_path, folder / "truth.csv").states
    assert states["blank"].accuracy == 1
    assert states["struck"].accuracy == 1
