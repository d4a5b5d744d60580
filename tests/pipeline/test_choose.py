"""Choosing: each page finds its own form among many, and is refused where nobody can tell."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.choose import choose
from pipeline.errors import AlignmentError
from pipeline.geometry import translation
from pipeline.records import GreyImage, Page
from pipeline.template import FormTemplate
from tests.pipeline.forms import (
    CLAIM,
    MARKERS,
    ORDER,
    all_corners,
    as_page,
    field,
    form,
    hand_in,
    ink_on,
    lay,
    misses,
    print_form,
    print_letter,
    row,
    scan,
    write_line,
)

TEXTS = {"number": "160483527", "day": "04072019", "phone": "9876501234"}


def any_form(number: int, rng: np.random.Generator) -> FormTemplate:
    """A form of rows of boxes that no other has."""
    fields, top = [], 150
    while top < 1250:
        count = int(rng.integers(3, 11))
        left = float(rng.integers(110, 900 - 46 * count))
        fields.append(field(f"field_{len(fields)}", row(left, top, count)))
        top += int(rng.integers(90, 260))
    return form(f"form-{number}", *fields, markers=MARKERS if number % 2 else None)


def fill(template: FormTemplate, rng: np.random.Generator) -> GreyImage:
    """A form with a digit in each box."""
    digits = list("0123456789")
    texts = {spec.name: "".join(rng.choice(digits, len(spec.boxes))) for spec in template.fields}
    return ink_on(print_form(template), hand_in(template, texts))


@pytest.fixture(scope="module")
def fifty() -> list[FormTemplate]:
    """As many forms, half of them with the same markers."""
    rng = np.random.default_rng(5)
    return [any_form(number, rng) for number in range(50)]


@pytest.mark.parametrize("number", range(0, 50, 7))
def test_a_page_finds_its_form_among_fifty(fifty: list[FormTemplate], number: int) -> None:
    """Whichever way it lies, and where it lies."""
    rng = np.random.default_rng(number)
    lie, size = lay((1400, 1000), degrees=float(rng.uniform(-3, 3)), quarters=number % 4)
    page = as_page(scan(fill(fifty[number], rng), lie, size))
    found, aligned = choose(page, fifty)
    assert found is fifty[number]
    assert misses(aligned.homography, lie, all_corners(found)).max() < 3


def test_a_page_of_none_of_fifty_is_refused(fifty: list[FormTemplate]) -> None:
    """A letter, and forms that are not among them."""
    rng = np.random.default_rng(99)
    for image in (
        print_letter(),
        ink_on(print_form(CLAIM), hand_in(CLAIM, TEXTS)),
        fill(any_form(99, rng), rng),
    ):
        with pytest.raises(AlignmentError, match="none of the 50 templates"):
            choose(as_page(image), fifty)


def edition(folder: Path, name: str, words: str) -> FormTemplate:
    """The same boxes with other words around them, and a blank page that shows it."""
    blank = print_form(CLAIM)
    for top in (360, 560, 800, 1010):
        write_line(blank, words, (180, top), 1.0)
    path = folder / f"{name}.png"
    cv2.imwrite(str(path), blank)
    return replace(CLAIM, template_id=name, reference=path)


@pytest.mark.parametrize("own", [0, 1])
def test_editions_are_told_apart_by_their_print(tmp_path: Path, own: int) -> None:
    """Where both have a reference."""
    forms = [
        edition(tmp_path, "first", "Please write clearly, a digit in each box"),
        edition(tmp_path, "second", "BITTE DEUTLICH SCHREIBEN; NUR ZIFFERN"),
    ]
    reference = forms[own].reference
    assert reference is not None
    blank = cv2.imread(str(reference), cv2.IMREAD_GRAYSCALE)
    assert blank is not None
    page = as_page(ink_on(blank.astype(np.uint8), hand_in(CLAIM, TEXTS)))
    assert choose(page, forms)[0] is forms[own]
    assert choose(page, forms[::-1])[0] is forms[own]


def test_forms_of_the_same_boxes_cannot_be_told_apart() -> None:
    """Nothing is read as one of them by chance; the message names both and says what helps."""
    page = as_page(ink_on(print_form(CLAIM), hand_in(CLAIM, TEXTS)))
    twin = replace(CLAIM, template_id="twin")
    with pytest.raises(AlignmentError, match=r"fits '(claim|twin)' and .* reference image"):
        choose(page, [CLAIM, twin])


def test_a_form_with_fewer_of_the_same_boxes_is_another() -> None:
    """Each page is taken for the form that has all its boxes and no others."""
    part = form("part", *CLAIM.fields[:3])
    for template in (CLAIM, part):
        page = as_page(ink_on(print_form(template), hand_in(template, {"number": "160483527"})))
        assert choose(page, [CLAIM, part])[0] is template


LONE = form("lone", field("pin", row(300, 240, 9)))


@pytest.mark.parametrize("other", [CLAIM, ORDER], ids=["claim", "order"])
def test_a_single_row_is_not_found_on_another_form(other: FormTemplate) -> None:
    """Which has rows like it, elsewhere or longer ones."""
    page: Page = as_page(ink_on(print_form(other), hand_in(other, {})))
    with pytest.raises(AlignmentError, match="not recognised as 'lone'"):
        choose(page, [LONE])


def test_nothing_is_sure_on_a_form_that_looks_alike_upside_down() -> None:
    """Without markers or reference its fields count as not settled, whichever way it was laid."""
    rows = [field(f"row_{number}", row(250, 200 + 80 * number, 10)) for number in range(12)]
    alike = form("alike", *rows)
    digits = {spec.name: "1234567890" for spec in alike.fields}
    page = ink_on(print_form(alike), hand_in(alike, digits))
    for quarters in (0, 2):
        lie, size = lay((1400, 1000), quarters=quarters)
        _, aligned = choose(as_page(scan(page, lie, size)), [alike])
        assert aligned.residual_px is None
    marked = form("alike", *rows, markers=MARKERS)
    _, aligned = choose(as_page(ink_on(print_form(marked), hand_in(marked, digits))), [marked])
    assert aligned.residual_px is not None


@pytest.mark.parametrize("lost", ["top", "bottom"])
@pytest.mark.parametrize("degrees", [0, 2.5])
def test_equal_rows_are_never_read_upside_down_or_one_row_off(lost: str, degrees: float) -> None:
    """Rows at equal distances and one more that tells top from bottom, which may be cut off."""
    rows = [field(f"row{i}", row(200, 170 + 90 * i, 8)) for i in range(10)]
    sheet_of_rows = form("rows", *rows, field("last", row(200, 1130, 5)))
    texts = {spec.name: "12345678" for spec in rows}
    page = ink_on(print_form(sheet_of_rows), hand_in(sheet_of_rows, texts))
    lie, size = lay(sheet_of_rows.size, degrees=degrees)
    image = scan(page, lie, size)
    cut = slice(260, None) if lost == "top" else slice(None, -350)
    lie = translation(0, -(cut.start or 0)) @ lie
    with suppress(AlignmentError):
        _, aligned = choose(as_page(np.ascontiguousarray(image[cut])), [sheet_of_rows])
        if aligned.residual_px is not None:
            assert misses(aligned.homography, lie, all_corners(sheet_of_rows)).max() < 5
