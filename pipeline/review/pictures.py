"""Pictures for the review pages, drawn from the scans with the homography of their reading.

Nothing but the boxes as the network saw them (8 kB a page) is kept with the results: a picture of
every page, JPEG at 150 dpi, would take 150 kB and a third of the time of reading it. Where a scan
is gone, its boxes are shown as the network saw them.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import cv2
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection, Engine, Row

from pipeline.errors import InputFileError, PageError
from pipeline.geometry import Matrix, bounding_box, sample_strip, scaling
from pipeline.inbox import Document
from pipeline.ingest import decode_page, load
from pipeline.normalize import SIDE
from pipeline.records import Box, GreyImage
from pipeline.store.forms import StoredForm
from pipeline.store.load import load_form
from pipeline.store.schema import boxes, documents, fields, pages, readings

PAGES_KEPT: Final = 12
"""Decoded pages in memory, some 9 MB each."""
BOX_PX: Final = 96
PAGE_PX: Final = 1000
MARGIN: Final = 0.7
"""Of a box's height, around a field."""
UNALIGNED_MARGIN: Final = 3.0

T = TypeVar("T")


class _Recent(Generic[T]):
    """The last things that were made, each made once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return made


@dataclass(frozen=True, slots=True, eq=False)
class PageFacts:
    """A page, where its scan should be, and how it lies."""

    row: Row[Any]
    form: StoredForm

    def area(self, name: str) -> Box:
        """What is shown of a field, in template pixels; more where the page was not aligned."""
        around = self.form.field(name).boxes
        margin = MARGIN if self.row.homography else UNALIGNED_MARGIN
        whole = bounding_box(around, margin * around[0].height)
        height, width = self.form.size
        return Box(
            max(whole.left, 0),
            max(whole.top, 0),
            min(whole.right, width),
            min(whole.bottom, height),
        )


def find_facts(connection: Connection, page_id: int) -> PageFacts | None:
    """Give what is known about a page; None if there is none, or its form is not known."""
    query = sa.select(pages, documents.c.name, documents.c.sha256, documents.c.path)
    row = connection.execute(query.join(documents).where(pages.c.id == page_id)).first()
    if row is None or row.template_id is None:
        return None
    return PageFacts(row, load_form(connection, row.template_id))


class Pictures:
    """Draws fields and pages; keeps the pages that were decoded last."""

    def __init__(self, engine: Engine, scans: Path | None = None) -> None:
        self._engine = engine
        self._scans = scans
        self._decoded: _Recent[GreyImage] = _Recent(PAGES_KEPT)
        self._pages: _Recent[bytes] = _Recent(4 * PAGES_KEPT)
        self._one_at_a_time = threading.Lock()

    def facts(self, page_id: int) -> PageFacts | None:
        """Give what is known about a page; as `find_facts`."""
        with self._engine.connect() as connection:
            return find_facts(connection, page_id)

    def missing(self, facts: PageFacts) -> str:
        """Say what to do if a page's scan is not where it was; an empty text if it is there."""
        path = self._path(facts)
        if path.is_file():
            return ""
        return (
            f"The scan {facts.row.name} is no longer at {path.parent}: these are its boxes as the "
            "network saw them. Put it back, or start with --scans and the folder it is in now."
        )

    def _path(self, facts: PageFacts) -> Path:
        return self._scans / facts.row.name if self._scans else Path(facts.row.path)

    def field(self, page_id: int, name: str) -> bytes:
        """Draw a field with a margin as PNG."""
        facts = self.facts(page_id)
        if facts is None:
            raise InputFileError("there is no such page")
        area = facts.area(name)
        scale = BOX_PX / facts.form.field(name).boxes[0].height
        try:
            image = self._decode(facts)
        except (InputFileError, PageError):
            picture = self._draw_seen(facts, area, scale)
        else:
            picture = sample_strip(image, _homography(facts, image), area, scale).image
        return _encode(".png", picture, cv2.IMWRITE_PNG_COMPRESSION, 1)

    def page(self, page_id: int) -> bytes:
        """Draw a whole page as JPEG, as its template lies."""
        return self._pages.get(page_id, lambda: self._draw_page(page_id))

    def _draw_page(self, page_id: int) -> bytes:
        facts = self.facts(page_id)
        if facts is None:
            raise InputFileError("there is no such page")
        height, width = facts.form.size
        whole, scale = Box(0.0, 0.0, width, height), PAGE_PX / max(height, width)
        try:
            image = self._decode(facts)
        except (InputFileError, PageError):
            picture = self._draw_seen(facts, whole, scale)
        else:
            picture = sample_strip(image, _homography(facts, image), whole, scale).image
        return _encode(".jpg", picture, cv2.IMWRITE_JPEG_QUALITY, 75)

    def _decode(self, facts: PageFacts) -> GreyImage:
        """Decode a page, if its scan still is what was read."""

        def make() -> GreyImage:
            source = load(Document(self._path(facts), facts.row.name))
            if source.sha256 != facts.row.sha256:
                raise InputFileError("the scan has changed since it was read")
            return decode_page(source, facts.row.number).image

        with self._one_at_a_time:
            return self._decoded.get(facts.row.id, make)

    def _draw_seen(self, facts: PageFacts, area: Box, scale: float) -> GreyImage:
        """Draw the boxes as the network saw them where they are on the form."""
        size = max(1, round(area.height * scale)), max(1, round(area.width * scale))
        picture = np.full(size, 255, np.uint8)
        seen = self.seen(facts.row.id)
        for field in facts.form.fields:
            for position, box in enumerate(field.boxes):
                if (field.name, position) in seen:
                    _paste(picture, seen[field.name, position], box, area, scale)
        return picture

    def seen(self, page_id: int) -> dict[tuple[str, int], GreyImage]:
        """Give the boxes of a page as the network saw them, by field and position."""
        query = (
            sa.select(pages.c.seen, fields.c.name, boxes.c.position, boxes.c.place)
            .join(fields, fields.c.page_id == pages.c.id)
            .join(readings, (readings.c.field_id == fields.c.id) & readings.c.current)
            .join(boxes, boxes.c.reading_id == readings.c.id)
            .where(pages.c.id == page_id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return {}
        images = unpack(rows[0].seen)
        return {(row.name, row.position): images[row.place] for row in rows}


def _paste(picture: GreyImage, seen: GreyImage, box: Box, area: Box, scale: float) -> None:
    """Draw a box as the network saw it at its place; the picture is changed."""
    left, top = round((box.left - area.left) * scale), round((box.top - area.top) * scale)
    side = round(min(box.height, box.width) * scale)
    if side < 1 or left < 0 or top < 0:
        return
    drawn = cv2.resize(255 - seen, (side, side), interpolation=cv2.INTER_AREA)
    room = picture[top : top + side, left : left + side]
    room[:] = drawn[: room.shape[0], : room.shape[1]]


def unpack(seen: bytes) -> NDArray[np.uint8]:
    """Give boxes as the network saw them: uint8 (N, 28, 28)."""
    return np.frombuffer(zlib.decompress(seen), np.uint8).reshape(-1, SIDE, SIDE)


def tile(image: GreyImage) -> bytes:
    """Draw one box as the network saw it, as PNG, dark on white."""
    return _encode(".png", np.asarray(255 - image, np.uint8), cv2.IMWRITE_PNG_COMPRESSION, 1)


def _homography(facts: PageFacts, image: GreyImage) -> Matrix:
    """How a page lies; as if it filled the scan where it could not be aligned."""
    height, width = image.shape
    if facts.row.homography:
        relative = np.array(facts.row.homography.split(), np.float64).reshape(3, 3)
        return scaling(width, height) @ relative
    return scaling(width / facts.form.size[1], height / facts.form.size[0])


def _encode(kind: str, picture: GreyImage, option: int, strength: int) -> bytes:
    done, content = cv2.imencode(kind, picture, [option, strength])
    if not done:
        raise InputFileError("the picture cannot be drawn")
    return content.tobytes()
