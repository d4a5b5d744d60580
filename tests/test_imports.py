"""The rooms of the house know each other in one direction only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
DOORS = {
    "pipeline": {"keras", "tensorflow", "prefect", "models", "flows"},
    "models": {"prefect", "flows"},
    "flows": {"keras", "tensorflow"},
}
STAGES = {"ingest", "align", "segment", "normalize", "recognize", "decode", "export", "score"}
ALLOWED = {
    "recognize": {"normalize"},
    "surroundings": {"normalize"},
    "choose": {"align"},
    "page": STAGES,
    "look": STAGES,
    "roster": {"decode"},
    "calibration": {"score"},
}
"""Crops are normalised where they are read, with what is around them; page.py sees all stages,
look.py draws each; a roster decodes a batch anew, and who calibrates compares with the truth as who
scores does."""


def modules(package: str) -> list[Path]:
    """List a package's modules."""
    return sorted((REPOSITORY / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Give the dotted names that a module imports, at any depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize(
    ("package", "path"),
    [(package, path) for package in DOORS for path in modules(package)],
    ids=lambda value: value if isinstance(value, str) else value.stem,
)
def test_one_direction(package: str, path: Path) -> None:
    """Flows know models know pipeline; Keras has one door, and Prefect has one."""
    assert not {name.split(".")[0] for name in imported(path)} & DOORS[package]


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "pipeline").glob("*.py")), ids=lambda p: p.stem
)
def test_stages_do_not_know_each_other(path: Path) -> None:
    """A stage knows records, errors and template, and the parts it was cut into: no other stage."""
    known = {name.split(".")[1] for name in imported(path) if name.startswith("pipeline.")}
    assert known & STAGES <= ALLOWED.get(path.stem, set())


WEB = {"fastapi", "starlette", "uvicorn"}
DATABASE = {"sqlalchemy", "alembic"}


@pytest.mark.parametrize(
    "path", [path for package in DOORS for path in modules(package)], ids=lambda path: path.stem
)
def test_web_and_database_have_one_room_each(path: Path) -> None:
    """Only review serves pages, and only it and the store speak to the database."""
    rooms = {parent.name for parent in path.parents}
    known = {name.split(".")[0] for name in imported(path)}
    assert not known & WEB or "review" in rooms
    assert not known & DATABASE or rooms & {"review", "store"}


def loaded_by(code: str) -> set[str]:
    """Run code in a fresh process, and give the top-level modules that it loaded."""
    script = f"{code}\nimport sys; print(*(name.split('.')[0] for name in sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    return set(run.stdout.split())


def test_reading_needs_no_tensorflow() -> None:
    """Classifier and pages load neither TensorFlow nor Keras."""
    assert not loaded_by("import models.classifier, pipeline.page") & {"tensorflow", "keras"}


def test_direct_needs_neither_prefect_nor_pandas() -> None:
    """What --direct loads is what a first result within two seconds allows."""
    loaded = loaded_by("import flows.cli, flows.direct, flows.show, flows.progress")
    assert not loaded & {"prefect", "pandas", "tensorflow", "keras"}


def test_help_loads_nothing_heavy() -> None:
    """`formdigits --help` answers before OpenCV is loaded."""
    heavy = {"cv2", "numpy", "prefect", "pandas", "sqlalchemy", "fastapi"}
    assert not loaded_by("import flows.cli") & heavy
