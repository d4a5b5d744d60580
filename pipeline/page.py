"""Pages to results: the stages in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import deflate
import numpy as np
from numpy.typing import NDArray

from pipeline.acceptance import Profile
from pipeline.astray import is_astray
from pipeline.choose import choose
from pipeline.decode import decode_page, failed_fields, roster_boxes
from pipeline.errors import AlignmentError, PageError
from pipeline.geometry import scaling
from pipeline.hints import Hints, find_hints
from pipeline.lacking import find_whole
from pipeline.mending import mend, with_all_lines
from pipeline.recognize import Classifier, recognize
from pipeline.records import (
    AlignedPage,
    BoxReading,
    GreyImage,
    Mark,
    Page,
    PageId,
    PageResult,
    Status,
)
from pipeline.segment import BOX_PX, FIELD_SUPPORT, LEAST_BOX_PX, Cut, segment
from pipeline.template import FormTemplate

PACKING = 4
"""libdeflate's level: 0.16 ms and 12 kB for a page of 60 boxes; higher ones save 2 % and take half
as long again."""


@dataclass(frozen=True, slots=True, eq=False)
class CutPage:
    """A page as far as it goes without the network."""

    template: FormTemplate
    aligned: AlignedPage
    cut: Cut


def read_pages(
    pages: Sequence[Page],
    templates: Sequence[FormTemplate],
    classifier: Classifier,
    profile: Profile | None = None,
) -> list[PageResult]:
    """Read a batch of pages with one call of the network.

    Args:
        pages: Decoded pages.
        templates: The forms they may be; each page finds its own.
        classifier: What reads the boxes.
        profile: What is accepted; None to take boxes at their word and the card's one threshold.

    Returns:
        A result for each page, in their order; a page that cannot be read has status failed.
    """
    prepared = [_prepare(page, templates) for page in pages]
    cut_pages = [page for page in prepared if isinstance(page, CutPage)]
    crops = [crop for page in cut_pages for crop in page.cut.crops]
    accept = classifier.card.accept_confidence
    rule = profile or Profile(accept=accept, accept_checked=accept)
    readings = iter(recognize(crops, classifier, rule.doubts))
    return [
        _decode(page, readings, rule) if isinstance(page, CutPage) else page for page in prepared
    ]


def needed_side_px(templates: Sequence[FormTemplate]) -> int:
    """How long in pixels a page's longer side must be for the boxes of all forms to be read."""
    sides = (
        max(template.size) / min(box.height for field in template.fields for box in field.boxes)
        for template in templates
    )
    return round(LEAST_BOX_PX * max(sides))


def cut_page(page: Page, templates: Sequence[FormTemplate]) -> CutPage:
    """Find a page's template and cut its boxes.

    Raises:
        PageError: If it matches no template, or its boxes cannot be cut.
    """
    template, aligned = _find_form(page, templates)
    return CutPage(template, aligned, segment(aligned, template.fields, _hints_of(template)))


def _find_form(page: Page, templates: Sequence[FormTemplate]) -> tuple[FormTemplate, AlignedPage]:
    """Find a page's template, and how it lies, on the first of its mended pictures that shows it.

    Raises:
        AlignmentError: If none does; says what is wrong with the first.
    """
    failures: list[AlignmentError] = []
    for image in _mended(page.image, templates):
        try:
            return choose(replace(page, image=image), templates)
        except AlignmentError as error:
            failures.append(error)
    raise failures[0]


def _mended(image: GreyImage, templates: Sequence[FormTemplate]) -> Iterator[GreyImage]:
    """Give a page mended, as it is where that differs, and with the lines that a fax left out."""

    def needed_px() -> int:
        return needed_side_px(templates)

    first = mend(image, needed_px)
    yield first
    if first is not image:
        yield image
    taller = with_all_lines(image, [template.size for template in templates])
    if taller is not None:
        yield mend(taller, needed_px)


def fields_found(page: CutPage, readings: Sequence[BoxReading] = ()) -> list[bool]:
    """Tell for each field whether its frames were found where it should be, all of them.

    Args:
        page: The page.
        readings: Of its boxes, in the template's order, where they were read.
    """
    return _settled(page, *_find_whole(page, readings))


def _settled(page: CutPage, whole: NDArray[np.bool_], torn: bool) -> list[bool]:
    fields, view = page.template.fields, page.cut.view
    if page.aligned.residual_px is None or is_astray(view, fields, whole if torn else None):
        return [False] * len(fields)
    return [bool(each) for each in (view.frames.support >= FIELD_SUPPORT) & whole]


def _find_whole(page: CutPage, readings: Sequence[BoxReading]) -> tuple[NDArray[np.bool_], bool]:
    """Tell which fields, (F,), the scan shows with all their boxes, and if it lacks a part."""
    if readings:
        likeliest = np.array([reading.probabilities for reading in readings]).argmax(axis=1)
        blank = likeliest == readings[0].classes.find(Mark.BLANK)
    else:
        blank = np.array([not crop.ink.any() for crop in page.cut.crops])
    present = np.array([spec.name not in page.aligned.absent for spec in page.template.fields])
    return find_whole(page.cut.view, page.aligned, blank, present)


def _remark(page: CutPage, whole: NDArray[np.bool_]) -> str:
    """Say which fields of a page are missing with a part of it."""
    names = [spec.name for spec, each in zip(page.template.fields, whole, strict=True) if not each]
    return (
        f"part of the page is missing or covered, with {len(names)} of its {len(whole)} fields "
        f"({', '.join(names)}). Scan the whole page."
    )


def _hints_of(template: FormTemplate) -> Hints | None:
    """What is printed inside the boxes, where a reference shows it."""
    if template.reference is None:
        return None
    boxes = tuple(field.boxes for field in template.fields)
    return find_hints(template.reference, template.size, boxes, BOX_PX)


def failed_page(identity: PageId, reason: str, templates: Sequence[FormTemplate]) -> PageResult:
    """Give a page that could not be read; with one template only, its fields are known."""
    template = templates[0] if len(templates) == 1 else None
    return PageResult(
        identity=identity,
        template=template.template_id if template else "",
        status=Status.FAILED,
        reason=reason,
        residual_px=None,
        fields=tuple(failed_fields(template)) if template else (),
        boxes=(),
    )


def _prepare(page: Page, templates: Sequence[FormTemplate]) -> CutPage | PageResult:
    try:
        return cut_page(page, templates)
    except PageError as error:
        return failed_page(page.identity, str(error), templates)


def _decode(page: CutPage, readings: Iterator[BoxReading], profile: Profile) -> PageResult:
    """Turn the next readings into the fields of one page."""
    boxes = sum(len(spec.boxes) for spec in page.template.fields)
    of_page = list(islice(readings, boxes))
    whole, torn = _find_whole(page, of_page)
    fields, rows = decode_page(of_page, _settled(page, whole, torn), page.template, profile)
    seen = b"".join(reading.image.tobytes() for reading in of_page)
    return PageResult(
        identity=page.aligned.page.identity,
        template=page.template.template_id,
        status=Status.READ,
        reason=_remark(page, whole) if torn else "",
        residual_px=page.aligned.residual_px,
        fields=tuple(fields),
        boxes=tuple(rows),
        homography=_relative(page.aligned),
        seen=bytes(deflate.zlib_compress(seen, PACKING)),
        rostered=roster_boxes(of_page, page.template),
    )


def _relative(aligned: AlignedPage) -> tuple[float, ...]:
    """Give a page's homography into shares of its picture, however finely that is decoded."""
    height, width = aligned.page.image.shape
    return tuple((scaling(1 / width, 1 / height) @ aligned.homography).ravel().tolist())
