"""Alignment: whichever way a page lies its boxes are found to a pixel or two, or it is refused."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.choose import choose
from pipeline.errors import AlignmentError
from pipeline.geometry import Matrix, corners, translation
from pipeline.layout import spread_fields
from pipeline.records import GreyImage
from pipeline.template import FormTemplate
from tests.pipeline.forms import (
    CLAIM,
    MARKERS,
    ORDER,
    all_corners,
    as_page,
    draw_frames,
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
)

TEXTS = {"number": "160483527", "day": "04072019", "phone": "9876501234", "amount": "_004711"}
MARKED = replace(CLAIM, markers=MARKERS)
LIES = st.builds(
    lay,
    st.just(CLAIM.size),
    quarters=st.integers(0, 3),
    degrees=st.floats(-5, 5),
    scale=st.floats(0.94, 1.04),
    shift=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
)
NEAR_PX = 2
"""A thirtieth of a box; each field is settled on its own frames where it is cut."""
WAYS = ["markers", "three markers", "reference", "layout"]


@pytest.fixture(scope="module")
def referenced(tmp_path_factory: pytest.TempPathFactory) -> FormTemplate:
    """The form with a blank page to align by."""
    path = tmp_path_factory.mktemp("reference") / "blank.png"
    cv2.imwrite(str(path), print_form(CLAIM))
    return replace(CLAIM, reference=path)


@pytest.fixture(scope="module")
def sheets() -> dict[str, GreyImage]:
    """The filled form as each way to align has it."""
    ink = hand_in(CLAIM, TEXTS)
    marked = ink_on(print_form(MARKED), ink)
    torn = marked.copy()
    torn[:90, -90:] = 255
    plain = ink_on(print_form(CLAIM), ink)
    return {"markers": marked, "three markers": torn, "reference": plain, "layout": plain}


def off(sheet: GreyImage, template: FormTemplate, lie: Matrix, size: tuple[int, int]) -> float:
    """Align a scan of a page that lies so; how far off, in page pixels, is the worst corner."""
    _, aligned = choose(as_page(scan(sheet, lie, size)), [template])
    assert not aligned.absent
    assert aligned.residual_px < 1
    return float(misses(aligned.homography, lie, all_corners(template)).max())


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(LIES)
def test_boxes_are_found_whichever_way_they_lie(
    sheets: dict[str, GreyImage],
    referenced: FormTemplate,
    way: str,
    laid: tuple[Matrix, tuple[int, int]],
) -> None:
    """By markers, even with one torn off, by a reference or by the boxes alone."""
    template = {"reference": referenced, "layout": CLAIM}.get(way, MARKED)
    assert off(sheets[way], template, *laid) < NEAR_PX


@pytest.mark.parametrize("resolution", [0.5, 0.75, 2.0])
def test_the_resolution_of_the_scan_does_not_matter(sheets, resolution: float) -> None:
    """Coarser or finer than the template."""
    lie, size = lay(CLAIM.size, degrees=1.5, resolution=resolution)
    assert off(sheets["layout"], CLAIM, lie, size) < NEAR_PX


def test_a_page_on_a_larger_bed_is_found(sheets: dict[str, GreyImage]) -> None:
    """Its edges are not the scan's."""
    lie, (height, width) = lay(CLAIM.size, degrees=-2, shift=(35, 20))
    assert off(sheets["layout"], CLAIM, lie, (height + 70, width + 60)) < 1


def test_a_page_without_its_margins_is_found(sheets: dict[str, GreyImage]) -> None:
    """Markers that the scan does not show say nothing against the form."""
    inside = translation(-80, -80)
    assert off(sheets["markers"], MARKED, inside, (1240, 840)) < NEAR_PX


@pytest.mark.parametrize("level", [90, 150, 190])
def test_pale_frames_are_enough(level: int) -> None:
    """Forms are printed in light colours, so that they drop out."""
    sheet = ink_on(print_form(CLAIM, thickness=2, level=level), hand_in(CLAIM, TEXTS))
    lie, size = lay(CLAIM.size, degrees=2, scale=0.98)
    assert off(sheet, CLAIM, lie, size) < 1


ROWS = form("rows", field("top", row(200, 200, 10)), field("foot", row(200, 900, 5)))
CARD = form("card", field("pin", row(700, 800, 6, gap=12)), size=(1000.0, 1400.0))


@pytest.mark.parametrize("template", [ROWS, CARD], ids=["rows", "card"])
@pytest.mark.parametrize("boxes_off", [-1.0, -0.5, 0.5, 1.0])
def test_a_row_is_never_off_by_a_box(template: FormTemplate, boxes_off: float) -> None:
    """Even where the page itself lies a box or half of one to the side."""
    texts = {"top": "1111111111", "foot": "04711", "pin": "111471"}
    texts = {spec.name: texts[spec.name] for spec in template.fields}
    sheet = ink_on(print_form(template), hand_in(template, texts))
    pitch = template.fields[0].boxes[1].left - template.fields[0].boxes[0].left
    lie, size = lay(template.size, shift=(boxes_off * pitch, 0))
    assert off(sheet, template, lie, size) < 1


def noise(seed: int = 1) -> GreyImage:
    """A picture of nothing."""
    return np.random.default_rng(seed).integers(0, 256, (1400, 1000)).astype(np.uint8)


def squared_paper() -> GreyImage:
    """A sheet of maths paper: lines everywhere, of no form."""
    page = np.full((1400, 1000), 255, np.uint8)
    page[::40] = page[:, ::40] = 170
    return page


STRANGERS = {
    "another form": lambda: ink_on(print_form(ORDER), hand_in(ORDER, {"customer": "12345678"})),
    "a blank sheet": lambda: np.full((1400, 1000), 250, np.uint8),
    "a black sheet": lambda: np.zeros((1400, 1000), np.uint8),
    "noise": noise,
    "a letter": print_letter,
    "squared paper": squared_paper,
    "a tiny picture": lambda: np.full((40, 30), 255, np.uint8),
    "a sliver": lambda: np.full((3000, 40), 255, np.uint8),
}


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("way", ["markers", "reference", "layout"])
def test_what_is_not_the_form_is_refused(referenced: FormTemplate, way: str, stranger: str) -> None:
    """The message names the form and says what to do."""
    template = {"markers": MARKED, "reference": referenced, "layout": CLAIM}[way]
    with pytest.raises(AlignmentError, match=r"'claim'.*(Check that|Scan the page again)"):
        choose(as_page(STRANGERS[stranger]()), [template])


def half(sheet: GreyImage, lack: str) -> GreyImage:
    """The sheet without its lower half: cut off, torn off, or under something black."""
    torn = sheet.copy()
    torn[760:] = 0 if lack == "black" else 255
    return sheet[:760].copy() if lack == "cut" else torn


@pytest.mark.parametrize("lack", ["cut", "torn", "black"])
@pytest.mark.parametrize("way", ["markers", "reference", "layout"])
def test_of_half_a_page_the_rest_is_found(sheets, referenced, way: str, lack: str) -> None:
    """The fields that the scan does not show are named."""
    template = {"reference": referenced, "layout": CLAIM}.get(way, MARKED)
    _, aligned = choose(as_page(half(sheets[way], lack)), [template])
    assert aligned.absent == {"amount", "phone"}
    upper = np.concatenate([corners(box) for spec in CLAIM.fields[:3] for box in spec.boxes])
    assert misses(aligned.homography, np.eye(3), upper).max() < NEAR_PX


def test_the_residual_is_measured_not_assumed() -> None:
    """A form whose print differs from the template has the larger residual for it."""

    def residual(shake: float) -> float:
        rng = np.random.default_rng(7)
        page = np.full((1400, 1000), 255, np.uint8)
        for spec in CLAIM.fields:
            x, y = rng.normal(0, shake, 2)
            first = spec.boxes[0]
            gap = spec.boxes[1].left - first.right
            draw_frames(page, row(first.left + x, first.top + y, len(spec.boxes), gap=gap))
        return choose(as_page(page), [CLAIM])[1].residual_px

    assert residual(0) < 0.3
    assert residual(2.0) > 2 * residual(0)


def test_fields_that_decide_lie_apart() -> None:
    """The field of most boxes first, then those farthest away; all of them where they are few."""
    names = [spec.name for spec in spread_fields(CLAIM.fields, 3)]
    assert names[0] == "phone"
    assert "number" in names
    assert {spec.name for spec in spread_fields(CLAIM.fields, 9)} == {
        spec.name for spec in CLAIM.fields
    }


def test_the_page_is_left_alone(sheets: dict[str, GreyImage]) -> None:
    """Arguments are never modified."""
    image = sheets["layout"].copy()
    choose(as_page(image), [CLAIM])
    assert np.array_equal(image, sheets["layout"])


def test_a_covered_marker_does_not_matter_where_the_scan_lacks_the_others() -> None:
    """A page that lies askew on a scan of its own size may show the place of one alone."""
    sheet = ink_on(print_form(MARKED), hand_in(CLAIM, TEXTS))
    x, y = np.rint(MARKERS.centres[0]).astype(int)
    sheet[y - 25 : y + 25, x - 25 : x + 25] = 255
    edges = x + 30, y + 30
    shown = sheet[: -edges[1], : -edges[0]]
    _, aligned = choose(as_page(np.ascontiguousarray(shown)), [MARKED])
    assert misses(aligned.homography, np.eye(3), all_corners(MARKED)).max() < NEAR_PX


@pytest.mark.parametrize("way", ["markers", "reference", "layout"])
def test_of_a_page_without_its_upper_half_the_rest_is_found(sheets, referenced, way: str) -> None:
    """Most of the page then lies beyond the scan, and still two rows of five say which they are."""
    template = {"reference": referenced, "layout": CLAIM}.get(way, MARKED)
    _, aligned = choose(as_page(sheets[way][740:].copy()), [template])
    assert aligned.absent == {"number", "day", "code"}
    lower = np.concatenate([corners(box) for spec in CLAIM.fields[3:] for box in spec.boxes])
    assert misses(aligned.homography, translation(0, -740), lower).max() < NEAR_PX


@pytest.mark.parametrize("quarters", [0, 2])
@pytest.mark.parametrize("degrees", [-4, 1, 5])
def test_a_form_that_looks_alike_upside_down_is_told_by_its_print(
    tmp_path, quarters: int, degrees: float
) -> None:
    """Its frames agree with the reference both ways; what is written over them does so once."""
    fields = [field(f"row_{n}", row(270, 200 + 100 * n, 10)) for n in range(10)]
    template = form("table", *fields, reference=tmp_path / "blank.png")
    cv2.imwrite(str(template.reference), print_form(template))
    sheet = ink_on(print_form(template), hand_in(template, {"row_3": "1234567890"}))
    # Moved so that the scan would show more of a page that lies the other way up.
    shift = (0.0, 50.0 - 50 * quarters)
    lie, size = lay(template.size, quarters=quarters, degrees=degrees, shift=shift)
    _, aligned = choose(as_page(scan(sheet, lie, size)), [template])
    assert misses(aligned.homography, lie, all_corners(template)).max() < NEAR_PX
