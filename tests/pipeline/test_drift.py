"""Drift: a batch like those before is left in peace, and one that differs is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.drift import HISTORY_FILE, keep_history, latest_drifts, read_history
from pipeline.records import BoxRow, FieldResult, Flag, PageId, PageResult, Status


def batch(
    seed: int, pages: int = 40, *, blank: float = 0.1, shift: float = 0.0
) -> list[PageResult]:
    """A batch of pages of 40 boxes, with a share of blank ones, and frames so far off."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(pages):
        of_page = float(np.clip(blank + rng.normal(0, 0.03), 0, 1))
        readings = ["_" if rng.random() < of_page else str(rng.integers(10)) for _ in range(40)]
        boxes = tuple(BoxRow("f", place, one, 0.99, "1", 0.0) for place, one in enumerate(readings))
        field = FieldResult("f", "".join(readings), "", 0.9, Flag.ACCEPTED, ())
        identity = PageId(f"{seed}-{number}.png", 1, f"{seed} {number}")
        residual = float(rng.gamma(4, 0.1)) + shift
        made.append(PageResult(identity, "card", Status.READ, "", residual, (field,), boxes))
    return made


def test_batches_of_a_kind_do_not_drift(tmp_path: Path) -> None:
    """Twenty batches of the same hands: none is named."""
    for seed in range(20):
        keep_history(batch(seed), tmp_path)
        assert latest_drifts(tmp_path) == []


def test_a_batch_that_drifted_is_named(tmp_path: Path) -> None:
    """The figure, what it was, and what it is; the next one like the first is not."""
    for seed in range(3):
        keep_history(batch(seed), tmp_path)
    keep_history(batch(9, blank=0.25, shift=0.4), tmp_path)
    blank, residual = latest_drifts(tmp_path)
    assert blank.startswith("template card: boxes that are blank went from ")
    assert "distance of the frames" in residual
    keep_history(batch(10), tmp_path)
    assert latest_drifts(tmp_path) == []


def test_a_batch_read_again_is_not_compared_with_itself(tmp_path: Path) -> None:
    """The same pages, the same bytes."""
    keep_history(batch(1), tmp_path)
    keep_history(batch(2, blank=0.4), tmp_path)
    before = (tmp_path / HISTORY_FILE).read_bytes()
    keep_history(batch(2, blank=0.4), tmp_path)
    assert (tmp_path / HISTORY_FILE).read_bytes() == before
    assert len({one.batch for one in read_history(tmp_path)}) == 2


def test_too_few_pages_say_nothing(tmp_path: Path) -> None:
    """A handful of odd pages is no drift."""
    keep_history(batch(1), tmp_path)
    keep_history(batch(2, pages=5, blank=0.9), tmp_path)
    assert latest_drifts(tmp_path) == []


def test_pages_that_failed_or_are_empty_are_no_figures(tmp_path: Path) -> None:
    """Nothing to measure, and nothing breaks."""
    failed = [replace(page, status=Status.FAILED, fields=(), boxes=()) for page in batch(1)]
    keep_history(failed, tmp_path)
    keep_history([], tmp_path)
    assert latest_drifts(tmp_path) == []
