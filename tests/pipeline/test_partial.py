"""Half a page: what is on it is found to a pixel or two, and half of another form is refused."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.choose import choose
from pipeline.errors import AlignmentError
from pipeline.geometry import as_edges, corners, edge_corners, transform, translation
from pipeline.page import cut_page, fields_found
from pipeline.records import GreyImage, Points
from pipeline.template import FormTemplate
from tests.pipeline.forms import (
    MARKERS,
    as_page,
    field,
    form,
    hand_in,
    ink_on,
    lay,
    print_form,
    row,
    scan,
)

PLAN = form(
    "plan",
    field("number", row(90, 240, 7)),
    field("day", row(590, 300, 6)),
    field("code", row(120, 520, 6)),
    field("amount", row(560, 740, 7)),
    field("phone", row(90, 860, 8)),
    field("zip", row(640, 1050, 5)),
    field("total", row(150, 1200, 5)),
)
OTHER = form(
    "other",
    field("number", row(140, 210, 6)),
    field("day", row(560, 330, 7)),
    field("code", row(90, 580, 8)),
    field("amount", row(620, 690, 5)),
    field("phone", row(150, 800, 5)),
    field("zip", row(560, 1010, 8)),
    field("total", row(90, 1150, 7)),
)
MARKED = replace(PLAN, markers=MARKERS)
WAYS = ["markers", "reference", "layout"]
LACKS = ["cut", "torn", "black"]
NEAR_PX = 2
HALVES: dict[str, tuple[slice, slice]] = {
    "upper": (slice(0, 690), slice(None)),
    "lower": (slice(690, None), slice(None)),
    "left": (slice(None), slice(0, 500)),
    "right": (slice(None), slice(500, None)),
}


@pytest.fixture(scope="module")
def referenced(tmp_path_factory: pytest.TempPathFactory) -> FormTemplate:
    """The form with a blank page to align by."""
    path = tmp_path_factory.mktemp("reference") / "blank.png"
    cv2.imwrite(str(path), print_form(PLAN))
    return replace(PLAN, reference=path)


def sheet(template: FormTemplate) -> GreyImage:
    """The filled form."""
    texts = {spec.name: "31604832"[: len(spec.boxes)] for spec in template.fields}
    return ink_on(print_form(template), hand_in(template, texts))


def halve(page: GreyImage, half: str, lack: str) -> tuple[GreyImage, np.ndarray]:
    """One half of a page, cut off or with the rest torn off or covered; and what shifts it so."""
    rows, columns = HALVES[half]
    if lack == "cut":
        shown = np.ascontiguousarray(page[rows, columns])
        return shown, translation(-(columns.start or 0), -(rows.start or 0))
    whole = np.full_like(page, 0 if lack == "black" else 255)
    whole[rows, columns] = page[rows, columns]
    return whole, np.eye(3)


def wholly_shown(template: FormTemplate, is_shown: Callable[[Points], np.ndarray]) -> set[str]:
    """The fields all of whose boxes are."""
    return {
        spec.name
        for spec in template.fields
        if is_shown(np.concatenate([corners(box) for box in spec.boxes])).all()
    }


def check(template: FormTemplate, image: GreyImage, lie: np.ndarray, shown: set[str]) -> None:
    """All that is shown is found where it is, and nothing else."""
    cut = cut_page(as_page(image), [template])
    assert cut.aligned.residual_px is not None
    found = dict(zip((spec.name for spec in template.fields), fields_found(cut), strict=True))
    assert {name for name, each in found.items() if each} == shown
    own = edge_corners(as_edges([box for spec in template.fields for box in spec.boxes]))
    settled = transform(cut.aligned.homography, edge_corners(cut.cut.view.printed()))
    off = np.hypot(*(settled - transform(lie, own)).T).reshape(-1, 4)
    names = [spec.name for spec in template.fields for _ in spec.boxes]
    assert off[[name in shown for name in names]].max() < NEAR_PX


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("lack", LACKS)
@pytest.mark.parametrize("way", WAYS)
def test_of_half_a_page_the_rest_is_found(
    referenced: FormTemplate, way: str, lack: str, half: str
) -> None:
    """Whichever half it is, and whether it is cut off, torn off or under something black."""
    template = {"reference": referenced, "layout": PLAN}.get(way, MARKED)
    image, lie = halve(sheet(template), half, lack)
    rows, columns = HALVES[half]

    def is_shown(points: Points) -> np.ndarray:
        x, y = points.T
        right, bottom = columns.stop or 1000, rows.stop or 1400
        return (x >= (columns.start or 0)) & (x < right) & (y >= (rows.start or 0)) & (y < bottom)

    check(template, image, lie, wholly_shown(template, is_shown))


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize(("degrees", "scale"), [(3, 1.0), (-2, 0.97)])
def test_a_half_may_lie_askew_and_be_printed_smaller(
    half: str, degrees: float, scale: float
) -> None:
    """As whole pages may."""
    lie, size = lay(PLAN.size, degrees=degrees, scale=scale)
    rows, columns = HALVES[half]
    shown = np.zeros(size, bool)
    shown[rows, columns] = True
    image = np.where(shown, scan(sheet(PLAN), lie, size), 255).astype(np.uint8)

    def is_shown(points: Points) -> np.ndarray:
        x, y = np.rint(transform(lie, points)).astype(int).T
        return shown[y, x]

    check(PLAN, image, lie, wholly_shown(PLAN, is_shown))


@pytest.mark.parametrize("corner", range(4))
def test_a_third_torn_off_aslant_takes_its_fields_only(corner: int) -> None:
    """At whichever corner of the page."""
    height, width = PLAN.size
    middle = np.array([width / 2, height / 2])
    away = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])[corner] / np.array([width, height])

    def is_shown(points: Points) -> np.ndarray:
        return (points - middle) @ away < 0.17

    x, y = np.meshgrid(np.arange(width), np.arange(height))
    shown = is_shown(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    image = np.where(shown, sheet(PLAN), 255).astype(np.uint8)
    check(PLAN, image, np.eye(3), wholly_shown(PLAN, is_shown))


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("lack", LACKS)
@pytest.mark.parametrize("way", WAYS)
def test_half_of_another_form_is_refused(
    referenced: FormTemplate, way: str, lack: str, half: str
) -> None:
    """Rows of such boxes are on it too, but not where they should be."""
    template = {"reference": referenced, "layout": PLAN}.get(way, MARKED)
    other = replace(OTHER, markers=template.markers)
    image, _ = halve(sheet(other), half, lack)
    with pytest.raises(AlignmentError, match="'plan'"):
        choose(as_page(image), [template])


def test_a_single_short_row_is_too_little() -> None:
    """Without markers or a reference many forms have one like it."""
    image = np.full((1400, 1000), 255, np.uint8)
    image[1130:] = sheet(PLAN)[1130:]
    with pytest.raises(AlignmentError, match="scan the whole page"):
        choose(as_page(image), [PLAN])


def test_half_a_page_finds_its_form_among_others() -> None:
    """Whichever template comes first."""
    image, _ = halve(sheet(PLAN), "right", "cut")
    for templates in ([PLAN, OTHER], [OTHER, PLAN]):
        assert choose(as_page(image), templates)[0] is PLAN
