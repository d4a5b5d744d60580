"""Forms that the tests draw themselves, and lay under a scanner in a way they know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.authoring.fill import Habit, write_fields
from pipeline.authoring.pen import Writer
from pipeline.geometry import Matrix, as_edges, corners, scaling, transform, translation
from pipeline.records import Box, Floats, GreyImage, Mark, Page, PageId
from pipeline.strips import Groups, Strips
from pipeline.template import FieldSpec, FieldType, FormTemplate, Markers

FINE = 4
"""Drawn this much finer and averaged, so that lines lie between pixels too."""
MARKERS = Markers("square", 30.0, ((50, 50), (950, 50), (950, 1350), (50, 1350)))
FIELD_YAML = "{name: code, boxes: [[10, 20, 30, 40]]}"
STILL = Habit(size=0.66, across=0.0, down=0.0, spread=0.0, pen_px=5.0)


def row(
    x: float, y: float, count: int, *, width: float = 46, height: float = 56, gap: float = 0
) -> tuple[Box, ...]:
    """Give a row of equal boxes."""
    lefts = [x + i * (width + gap) for i in range(count)]
    return tuple(Box(left, y, left + width, y + height) for left in lefts)


def field(name: str, boxes: Iterable[Box], **changes: Any) -> FieldSpec:
    """Give a field of digits, with what differs from that."""
    spec = FieldSpec(
        name=name,
        boxes=tuple(boxes),
        type=FieldType.DIGITS,
        date_format="",
        required=False,
        minimum=None,
        maximum=None,
        empty_marks=frozenset({Mark.BLANK}),
        checks=(),
    )
    return replace(spec, **changes)


def form(name: str, *fields: FieldSpec, size: tuple[float, float] = (1400.0, 1000.0), **changes):
    """Give a template, with what differs from one that is aligned by its boxes alone."""
    plain = FormTemplate(
        template_id=name,
        version=1,
        size=size,
        markers=None,
        reference=None,
        fields=fields,
        checks=(),
    )
    return replace(plain, **changes)


CLAIM = form(
    "claim",
    field("number", row(180, 240, 9)),
    field("day", row(300, 420, 8)),
    field("code", row(180, 640, 6, gap=14)),
    field("amount", row(560, 900, 7)),
    field("phone", row(240, 1120, 10)),
)
ORDER = form(
    "order",
    field("customer", row(480, 200, 8, width=52, gap=10)),
    field("article", row(160, 330, 5)),
    field("pieces", row(620, 520, 4)),
    field("price", row(130, 760, 7, width=60, height=70)),
    field("date", row(390, 1210, 8, gap=8)),
)


def one_strip(shape: tuple[int, ...], boxes: Sequence[Box]) -> Strips:
    """Take an image for the strip of one field with these boxes."""
    height, width = shape
    return Strips(
        size=(height, width),
        spans=((0, width, height),),
        edges=as_edges(boxes),
        groups=Groups.of_sizes([len(boxes)]),
        mask=np.full((height, width), 255, np.uint8),
        ways=np.eye(3)[None],
    )


def draw_frames(
    image: GreyImage, boxes: Iterable[Box], *, thickness: float = 2.5, level: int = 60
) -> None:
    """Draw frames onto a page, changed in place; the boxes' edges are the middles of lines."""
    height, width = image.shape
    fine = np.full((FINE * height, FINE * width), 255, np.uint8)
    half = thickness / 2
    for box in boxes:
        for left, top, right, bottom in (
            (box.left - half, box.top - half, box.left + half, box.bottom + half),
            (box.right - half, box.top - half, box.right + half, box.bottom + half),
            (box.left - half, box.top - half, box.right + half, box.top + half),
            (box.left - half, box.bottom - half, box.right + half, box.bottom + half),
        ):
            edges = (max(round(FINE * edge), 0) for edge in (left, top, right, bottom))
            x, y, x_end, y_end = edges
            fine[y:y_end, x:x_end] = level
    np.minimum(image, cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), out=image)


def print_form(template: FormTemplate, *, thickness: float = 2.5, level: int = 60) -> GreyImage:
    """Print a form: a heading, a label above each field, frames, and markers if it has any."""
    image = np.full([round(length) for length in template.size], 255, np.uint8)
    write_line(image, template.template_id.upper(), (320, 130), 2.0)
    for spec in template.fields:
        place = round(spec.boxes[0].left), round(spec.boxes[0].top) - 22
        write_line(image, f"Please give the {spec.name} in full", place, 0.8)
    draw_frames(image, _all_boxes(template), thickness=thickness, level=level)
    for x, y in template.markers.centres if template.markers else ():
        half = template.markers.size / 2
        image[round(y - half) : round(y + half), round(x - half) : round(x + half)] = 0
    return image


def print_letter(size: tuple[int, int] = (1400, 1000)) -> GreyImage:
    """Print a page of nothing but lines of text."""
    image = np.full(size, 255, np.uint8)
    words = ["the", "quick", "brown", "fox", "jumps", "over", "lazy", "dogs", "and", "sleeps"]
    rng = np.random.default_rng(11)
    for y in range(120, size[0] - 80, 34):
        write_line(image, " ".join(rng.choice(words, 11)), (90, y), 0.75)
    return image


def write_line(image: GreyImage, words: str, at: tuple[int, int], size: float) -> None:
    """Print words onto a page, changed in place."""
    cv2.putText(image, words, at, cv2.FONT_HERSHEY_DUPLEX, size, 40, 1, cv2.LINE_AA)


def _all_boxes(template: FormTemplate) -> list[Box]:
    return [box for spec in template.fields for box in spec.boxes]


def all_corners(template: FormTemplate) -> np.ndarray:
    """Give the corners of all boxes of a form, (N, 2)."""
    return np.concatenate([corners(box) for box in _all_boxes(template)])


def hand_in(
    template: FormTemplate, texts: Mapping[str, str], *, seed: int = 3, habit: Habit = STILL
) -> Floats:
    """Write fields by hand: ink (H, W) of the template's size, 0 to 1."""
    rng = np.random.default_rng(seed)
    return write_fields(template, texts, Writer.random(rng), habit, rng)


def ink_on(image: GreyImage, layer: Floats, darkness: float = 0.85) -> GreyImage:
    """Lay ink over print."""
    return np.rint(image * (1 - darkness * layer)).astype(np.uint8)


def lay(
    shape: tuple[float, float],
    *,
    quarters: int = 0,
    degrees: float = 0.0,
    scale: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    resolution: float = 1.0,
) -> tuple[Matrix, tuple[int, int]]:
    """Lay a page of that (height, width) under a scanner.

    Returns:
        (3, 3), page pixels to scan pixels, and the scan's (height, width).
    """
    height, width = (resolution * length for length in shape)
    angle = np.deg2rad(90 * quarters + degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    scan = (width, height) if quarters % 2 else (height, width)
    middle = translation(-shape[1] / 2, -shape[0] / 2)
    factor = resolution * scale
    back = translation(scan[1] / 2 + shift[0], scan[0] / 2 + shift[1])
    return back @ turn @ scaling(factor, factor) @ middle, (round(scan[0]), round(scan[1]))


def aslant(
    shape: tuple[float, float], degrees: float, towards: float, focal: float
) -> tuple[Matrix, tuple[int, int]]:
    """How a page lies under a camera that looks at its middle, and the size of the picture.

    Args:
        shape: Height and width of the page.
        degrees: How far the camera stands off the upright.
        towards: Whither, in degrees.
        focal: Its focal length as a share of the picture's diagonal.
    """
    height, width = shape
    size = round(1.2 * height), round(1.2 * width)
    length = focal * np.hypot(*size)
    axis = np.deg2rad(degrees) * np.array(
        [np.cos(np.deg2rad(towards)), np.sin(np.deg2rad(towards)), 0]
    )
    turned = cv2.Rodrigues(axis)[0]
    to_page = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
    camera = np.array([[length, 0, size[1] / 2], [0, length, size[0] / 2], [0, 0, 1]])
    away = np.column_stack([turned[:, :2], [0, 0, 1.05 * length]])
    return np.asarray(camera @ away @ to_page, np.float64), size


def scan(image: GreyImage, lie: Matrix, size: tuple[int, int]) -> GreyImage:
    """Scan a page that lies so; what is not paper is white."""
    pixels = translation(-0.5, -0.5) @ lie @ translation(0.5, 0.5)
    return cv2.warpPerspective(image, pixels, size[::-1], borderValue=255)


def as_page(image: GreyImage, document: str = "a.png", number: int = 1) -> Page:
    """Take an image for a decoded page."""
    return Page(PageId(document, number, "0" * 64), image)


def misses(found: Matrix, lie: Matrix, points: np.ndarray) -> np.ndarray:
    """How far off points of the page are, in page pixels, (N,)."""
    there = transform(np.linalg.inv(lie), transform(found, points))
    return np.linalg.norm(there - points, axis=1)


def write_template(
    folder: Path,
    text: str = "",
    *,
    name: str = "form",
    page: str = "{width: 200, height: 100}",
    field: str = FIELD_YAML,
    more: str = "",
    file: str = "form.yaml",
) -> Path:
    """Write a template.yaml with one field, with other parts, or of any text."""
    plain = f"template: {name}\nversion: 1\npage: {page}\nfields:\n  - {field}\n{more}\n"
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or plain, encoding="utf-8")
    return path
