"""The doctor: what is well is said so, what is not is told with what to do, and nothing changes."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from flows.doctor.finding import State, examine
from flows.doctor.installation import check_network
from models.classifier import WEIGHTS

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_a_machine_that_is_well(formdigits: Command, sample_forms: Path, tmp_path: Path) -> None:
    """Exit code 0; every part that reading needs is named and well, and nothing is left behind."""
    run = formdigits("doctor", "--templates", sample_forms, "--output", tmp_path, "--json")
    assert run.returncode == 0
    found = {one["what"]: one for one in json.loads(run.stdout)}
    for part in ("Python", "packages", "network", "database", str(tmp_path), str(sample_forms)):
        assert found[part]["state"] == "ok"
    assert list(tmp_path.iterdir()) == []


def test_everything_wrong_is_told(formdigits: Command, tmp_path: Path) -> None:
    """Each failure stands in a line of its own with what to do, and the exit code tells."""
    (tmp_path / "file").touch()
    nobody = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}  # the discard port: nobody listens
    places = (tmp_path / "missing", tmp_path / "file", "/proc/self")
    where = ("--templates", tmp_path, "--database", "postgresql://nobody@127.0.0.1:9/none")
    run = formdigits("doctor", *places, *where, variables=nobody)
    assert run.returncode == 1
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    failures = {row[0]: row for row in rows if row[1] == "failed"}
    assert failures.keys() == {*map(str, places), str(tmp_path), "database", "Prefect"}
    assert all(failure[3] for failure in failures.values())
    assert "Traceback" not in run.stderr


def test_weights_of_another_network(tmp_path: Path) -> None:
    """Where one byte of the weights is another, they are not those of the card."""
    for name in ("digitnet.tflite", "digitnet.json"):
        (tmp_path / name).write_bytes((WEIGHTS / name).read_bytes())
    damaged = bytearray((tmp_path / "digitnet.tflite").read_bytes())
    damaged[-1] ^= 1
    (tmp_path / "digitnet.tflite").write_bytes(damaged)
    (finding,) = examine("network", lambda: check_network(tmp_path))
    assert finding.state is State.FAILED
    assert "SHA-256" in finding.found
