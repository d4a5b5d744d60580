"""Pictures of the fields that the machine was least sure of, small enough for a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Engine

from pipeline.review.pictures import Pictures
from pipeline.store.append import REVIEW
from pipeline.store.schema import documents, fields, pages, queue, readings

HEIGHT_PX: Final = 64
WIDTH_PX: Final = 480
_QUALITY: Final = 60


@dataclass(frozen=True, slots=True, eq=False)
class Doubtful:
    """A field that waits for a person."""

    document: str
    page: int
    field: str
    raw: str
    confidence: float
    reasons: str
    picture: bytes
    """JPEG, as it stands on the paper."""


def draw_worst(engine: Engine, most: int) -> list[Doubtful]:
    """Draw the fields at the head of the review queue.

    Args:
        engine: The results database.
        most: How many at most.

    Returns:
        The least sure first.
    """
    query = (
        sa.select(
            fields.c.page_id,
            fields.c.name,
            pages.c.number,
            documents.c.name.label("document"),
            readings.c.raw,
            readings.c.confidence,
            readings.c.reasons,
        )
        .join(queue, (queue.c.field_id == fields.c.id) & (queue.c.task == REVIEW) & ~queue.c.done)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents, documents.c.id == pages.c.document_id)
        .join(readings, (readings.c.field_id == fields.c.id) & readings.c.current)
        .where(documents.c.listed, pages.c.template_id.is_not(None), pages.c.homography != "")
        .order_by(queue.c.rank, queue.c.field_id)
        .limit(most)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    pictures = Pictures(engine)
    return [_draw(row, pictures) for row in rows]


def _draw(row: Any, pictures: Pictures) -> Doubtful:
    png = np.frombuffer(pictures.field(row.page_id, row.name), np.uint8)
    picture = _shrink(np.asarray(cv2.imdecode(png, cv2.IMREAD_GRAYSCALE), np.uint8))
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    place = row.document, row.number, row.name
    return Doubtful(*place, row.raw, row.confidence, row.reasons, jpeg)


def _shrink(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape
    scale = min(1.0, HEIGHT_PX / height, WIDTH_PX / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
