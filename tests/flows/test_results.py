"""What follows reviewing: the flow and the verbs write the same, on either database."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from flows.results import apply_reviews

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_extract_review_and_export(
    formdigits: Command, sample_forms: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """From scans to corrected results; the flow writes what the verb wrote, byte for byte."""
    card, output = sample_forms / "postal-card", tmp_path / "out"
    run = formdigits("extract", card / "scans", "--templates", card, "--output", output, "--direct")
    assert run.returncode == 0
    read = (output / "fields.csv").read_text()
    name = "postal-card-2"
    line = next(line for line in read.splitlines() if name in line)
    raw = line.split(",")[4]
    edited = tmp_path / "edited.csv"
    edited.write_text(read.replace(line, line.replace(f",{raw},", ",######,", 1)))
    run = formdigits("review", output, "--import", edited, "--reviewer", "Ada")
    assert run.returncode == 0
    assert "1 fields changed" in run.stderr
    by_verb = (output / "fields.csv").read_bytes()
    assert b",######," in by_verb
    assert b",Ada,reviewed" in by_verb
    assert apply_reviews(output).decided == 1
    assert (output / "fields.csv").read_bytes() == by_verb
    code = (
        "from flows.embedded import start_if_needed; start_if_needed()\n"
        "from pathlib import Path; from flows.review import review\n"
        f"print(review(Path({str(output)!r})).decided)"
    )
    flow = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert flow.stdout.strip().endswith("1")
    assert (output / "fields.csv").read_bytes() == by_verb
