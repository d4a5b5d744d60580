"""How well simulated pages are read, a few of each level, in the hands of simulated pens.

`simulated_levels.py` beside this measures the same with hundreds of pages and real digits.
"""

from pathlib import Path

import pytest

from pipeline.score import score
from tests.accuracy.simulated_levels import make, make_form, parse, read_scans

PAGES = 4
FLOORS = {
    "300": 0.987,
    "200": 0.987,
    "150": 0.987,
    "100": 0.987,
    "fax": 0.983,
    "turned": 0.987,
    "photo": 0.979,
    "marker+corner": 0.987,
    "mix": 0.983,
}
"""Box accuracy: two or three boxes of 240 under what was measured."""


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The form of 60 boxes, with markers."""
    return make_form(tmp_path_factory.mktemp("form"), "markers")


@pytest.mark.parametrize("level", FLOORS)
def test_level(level: str, form: Path, tmp_path: Path) -> None:
    """No page fails, and of the boxes no fewer are right than before."""
    wanted = parse(["--pages", str(PAGES), "--seed", "5"])
    make(form / "template.yaml", tmp_path, level, wanted, page=str(form / "blank.png"))
    assert read_scans(tmp_path, form) == 0
    figures = score(tmp_path / "read", tmp_path / "truth.csv")
    assert figures.boxes.count == PAGES * 60
    assert (figures.boxes.accuracy or 0) >= FLOORS[level]
    assert figures.wrong_accepted <= 1
