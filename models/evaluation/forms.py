"""Boxes of one's own forms, read from scans as in a real run, against what people say is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.evaluation.figures import Classifier, Outcome
from models.samples import CLASSES
from pipeline.errors import InputFileError, ModelError, PageError
from pipeline.inbox import find_documents
from pipeline.ingest import PageRef, decode_page, list_pages, load
from pipeline.normalize import SIDE, normalize
from pipeline.page import cut_page, needed_side_px
from pipeline.recognize import recognize
from pipeline.records import Floats, GreyImage
from pipeline.score import read_truth
from pipeline.template import FormTemplate, load_templates

Truth = dict[str, str]
"""What stands in each field, as in `raw`."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadBox:
    """A box as it was read: where it is, what the network saw, and what it made of it."""

    place: str
    label: int
    image: GreyImage
    probabilities: Floats


def read_forms(
    scans: Sequence[Path], templates: Path, truth: Path, classifier: Classifier
) -> Outcome:
    """Read every box that the truth names.

    Args:
        scans: Files and folders.
        templates: The folder of templates.
        truth: A CSV of document, page, field and raw; documents by their paths below the scans.
        classifier: What reads the boxes.

    Returns:
        What was read; boxes of pages that cannot be read, or that a field lacks, are `unread`.

    Raises:
        InputFileError: If there is nothing to read, the truth is damaged, or not one box of it
            could be read.
        TemplateError: If a template is wrong.
        ModelError: If the network knows digits only.
    """
    if classifier.card.classes != CLASSES:
        raise ModelError(
            f"{classifier.card.name} knows only {classifier.card.classes}; boxes of forms may be "
            "blank or struck out as well. Name another --network."
        )
    expected = _by_page(truth)
    forms = load_templates(templates)
    boxes: list[ReadBox] = []
    for document in find_documents(scans).documents:
        for page in list_pages(document):
            if fields := expected.get((document.name, str(page.number))):
                boxes += _read_page(page, fields, forms, classifier)
    if not boxes:
        raise InputFileError(
            f"not one box that {truth} names could be read; its documents are to be named by their "
            "paths below the scans, and its fields as in the templates"
        )
    wanted = sum(len(raw) for fields in expected.values() for raw in fields.values())
    return Outcome(
        images=np.stack([box.image for box in boxes]).reshape(-1, SIDE, SIDE, 1),
        labels=np.array([box.label for box in boxes], np.uint8),
        probabilities=np.stack([box.probabilities for box in boxes]),
        places=tuple(box.place for box in boxes),
        unread=wanted - len(boxes),
    )


def _by_page(path: Path) -> Mapping[tuple[str, str], Truth]:
    pages: dict[tuple[str, str], Truth] = {}
    for document, page, field, raw in read_truth(path).itertuples(index=False):
        if strange := set(raw) - set(CLASSES):
            raise InputFileError(
                f"{path}: {document}, page {page}, {field} has {', '.join(sorted(strange))}; "
                f"write one of {CLASSES} for each box"
            )
        pages.setdefault((document, page), {})[field] = raw
    return pages


def _read_page(
    ref: PageRef, truth: Truth, forms: Sequence[FormTemplate], classifier: Classifier
) -> Iterator[ReadBox]:
    """Read the boxes of a page; none of one that cannot be read."""
    try:
        side_px = needed_side_px(forms)
        cut = cut_page(decode_page(load(ref.document), ref.number, side_px=side_px), forms)
    except (PageError, InputFileError):
        return
    crops = [crop for crop in cut.cut.crops if crop.position < len(truth.get(crop.field, ""))]
    for crop, reading in zip(crops, recognize(crops, classifier), strict=True):
        yield ReadBox(
            place=f"{ref.document.name}, page {ref.number}, {crop.field}, box {crop.position + 1}",
            label=CLASSES.index(truth[crop.field][crop.position]),
            image=normalize(crop.ink),
            probabilities=reading.probabilities,
        )
