"""Hints: what a form prints inside its boxes goes, what is written there stays."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.hints import Hints, find_hints
from pipeline.records import AlignedPage, Floats, GreyImage
from pipeline.segment import BOX_PX, Cut, segment
from tests.pipeline.forms import as_page, draw_frames, field, hand_in, ink_on, row
from tests.pipeline.forms import form as template

SHAPE = (300, 640)
BOXES = row(70, 64, 8, width=60, height=72)
FIELD = field("code", BOXES)
FORM = template("hints", FIELD, size=SHAPE)
LETTERS = "DDMMYYYY"


def blank(hints: str, level: int = 150) -> GreyImage:
    """A form whose boxes hold letters, or with `8` the guide of a seven-segment digit."""
    page = np.full(SHAPE, 250, np.uint8)
    draw_frames(page, BOXES, thickness=2.5, level=70)
    for box, hint in zip(BOXES, hints, strict=True):
        x, y = round(box.left), round(box.top)
        if hint == "8":
            for top in (14, 36):
                cv2.rectangle(page, (x + 18, y + top), (x + 42, y + top + 22), level, 2)
        else:
            cv2.putText(page, hint, (x + 20, y + 48), cv2.FONT_HERSHEY_DUPLEX, 1, level, 1, 16)
    return page


def found_on(page: GreyImage, folder: Path) -> Hints | None:
    """Look for hints on a reference."""
    cv2.imwrite(str(folder / "reference.png"), page)
    return find_hints(folder / "reference.png", FORM.size, (BOXES,), BOX_PX)


def cut(page: GreyImage, hints: Hints | None) -> Cut:
    """Cut a page that lies straight."""
    return segment(AlignedPage(as_page(page), np.eye(3), 0.0), [FIELD], hints)


def written(text: str, seed: int = 3) -> Floats:
    """Write a text into the boxes."""
    return hand_in(FORM, {"code": text}, seed=seed)


@pytest.mark.parametrize("hints", [LETTERS, "8" * 8])
@pytest.mark.parametrize("paler", [0, 40, -40])
def test_a_box_that_holds_only_print_is_blank(tmp_path: Path, hints: str, paler: int) -> None:
    """Printed darker or paler than on the reference, and scanned a little blurred."""
    known = found_on(blank(hints), tmp_path)
    page = cv2.GaussianBlur(blank(hints, 150 + paler), (0, 0), 0.8)
    for crop in cut(np.asarray(page, np.uint8), known).crops:
        assert crop.ink.sum() == 0
        assert not crop.doubtful


@pytest.mark.parametrize("hints", [LETTERS, "8" * 8])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_written_over_print_stays(tmp_path: Path, hints: str, seed: int) -> None:
    """Nearly all of it, and nearly nothing of the print, as if there had been none."""
    known = found_on(blank(hints), tmp_path)
    ink = written("31415926", seed)
    over = cut(ink_on(blank(hints), ink), known)
    alone = cut(ink_on(blank("        "), ink), None)
    kept = over.ink[alone.ink > 200] > 100
    assert kept.mean() > 0.97
    assert (over.ink[cv2.dilate(alone.ink, np.ones((5, 5), np.uint8)) == 0] > 0).mean() < 0.001


@pytest.mark.parametrize("text", ["27182818", "11111111", "00700700", "16180339"])
def test_a_filled_reference_takes_nothing_away(tmp_path: Path, text: str) -> None:
    """Its digits are not another page's print, however alike they are."""
    known = found_on(ink_on(blank("        "), written(text)), tmp_path)
    page = ink_on(blank("        "), written("31415971", 5))
    with_it, without = cut(page, known), cut(page, None)
    assert np.array_equal(with_it.ink, without.ink)
    assert not any(crop.doubtful for crop in with_it.crops)


def test_a_reference_without_print_has_no_hints(tmp_path: Path) -> None:
    """Empty boxes."""
    assert found_on(blank("        "), tmp_path) is None


def test_print_beside_its_place_is_doubted(tmp_path: Path) -> None:
    """Where one box does not show what the others show, it may be taken for writing."""
    known = found_on(blank("8" * 8), tmp_path)
    page = blank("8888888 ")
    x, y = round(BOXES[7].left), round(BOXES[7].top)
    cv2.line(page, (x + 10, y + 12), (x + 10, y + 60), 60, 4)
    doubtful = [crop.doubtful for crop in cut(page, known).crops]
    assert doubtful == [False] * 7 + [True]


def test_dots_of_a_reference_may_run_together_on_paper(tmp_path: Path) -> None:
    """A guide drawn in dots takes the same guide away where it came out as lines."""
    dots = np.zeros(SHAPE, bool)
    dots[np.add.outer(*(np.arange(side) for side in SHAPE)) % 8 < 2] = True
    solid, plain = blank("8" * 8, 140), blank("        ")
    known = found_on(np.where(dots, solid, plain).astype(np.uint8), tmp_path)
    assert known is not None
    for crop in cut(np.asarray(cv2.GaussianBlur(solid, (0, 0), 0.8), np.uint8), known).crops:
        assert crop.ink.sum() == 0
