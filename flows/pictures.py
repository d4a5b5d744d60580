"""Pictures of pages as they were read, written to a folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.acceptance import load_profile
from models.classifier import load_classifier
from pipeline.errors import OutputError, PageError
from pipeline.inbox import find_documents
from pipeline.ingest import decode_page, list_pages, load
from pipeline.look import draw_reading, draw_stages
from pipeline.page import cut_page, needed_side_px, read_pages
from pipeline.records import Page
from pipeline.tables import write_whole
from pipeline.template import FormTemplate, load_templates


def draw_pages(inputs: Sequence[Path], templates: Path, output: Path) -> Iterator[Path]:
    """Draw each page with its readings, and every stage of every box.

    Args:
        inputs: Files and folders.
        templates: The folder of templates.
        output: Where the PNG files go: DOCUMENT-PAGE-reading.png and DOCUMENT-PAGE-stages.png.

    Yields:
        Each file as it is written.

    Raises:
        ExtractionError: If something is wrong with input, templates, network or output, or a page
            cannot be read; the message says which.
    """
    forms = load_templates(templates)
    for document in find_documents(inputs, leave_out=output).documents:
        source = load(document)
        for ref in list_pages(document):
            try:
                page = decode_page(source, ref.number, side_px=needed_side_px(forms))
                pictures = _draw(page, forms)
            except PageError as error:
                raise PageError(f"{document.name} page {ref.number}: {error}") from error
            stem = f"{document.name.replace('/', '_')}-{ref.number}"
            files = {output / f"{stem}-{kind}.png": data for kind, data in pictures.items()}
            _write(output, files)
            yield from files


def _draw(page: Page, forms: Sequence[FormTemplate]) -> dict[str, bytes]:
    cut = cut_page(page, forms)
    network = load_classifier()
    (result,) = read_pages([page], [cut.template], network, load_profile(network.card))
    captions = [f"{field.field}: {field.raw}  {field.confidence:.4f}" for field in result.fields]
    return {
        "reading": _encode(draw_reading(cut, result)),
        "stages": _encode(draw_stages(cut, captions)),
    }


def _encode(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def _write(output: Path, files: dict[Path, bytes]) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{output}: {error.strerror}; choose another --output") from error
    write_whole(files)
