"""Boxes that people have read, as a labelled set to train on and to measure with."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from pipeline.normalize import SIDE
from pipeline.store.schema import boxes, corrections, documents, fields, pages, readings
from pipeline.tables import Table, as_csv, write_whole

BOXES: Final = "boxes.npz"
REVIEWED: Final = "reviewed.csv"


def export_labels(engine: Engine, output: Path) -> int:
    """Write the boxes of all fields that people decided, and the fields as a truth.

    `boxes.npz` holds `images`, uint8 (N, 28, 28) as the network saw them, ink high, and `labels`,
    one character a box as in `raw`; `reviewed.csv` has the columns document,page,field,raw.

    Args:
        engine: The results database.
        output: The folder.

    Returns:
        How many boxes there are.

    Raises:
        OutputError: If the folder cannot be written.
    """
    query = (
        sa.select(
            documents.c.name.label("document"),
            pages.c.number,
            pages.c.id.label("page_id"),
            pages.c.seen,
            fields.c.name,
            corrections.c.raw,
            boxes.c.position,
            boxes.c.place,
        )
        .join(pages, pages.c.document_id == documents.c.id)
        .join(fields, fields.c.page_id == pages.c.id)
        .join(corrections, corrections.c.id == fields.c.correction_id)
        .join(readings, (readings.c.field_id == fields.c.id) & readings.c.current)
        .join(boxes, boxes.c.reading_id == readings.c.id)
        .where(documents.c.listed)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    rows = sorted(rows, key=lambda row: (row.document, row.number, row.place))
    fitting = [row for row in rows if row.position < len(row.raw)]
    packed = {row.page_id: row.seen for row in fitting}
    seen = {
        page: np.frombuffer(zlib.decompress(content), np.uint8).reshape(-1, SIDE, SIDE)
        for page, content in packed.items()
    }
    images = [seen[row.page_id][row.place] for row in fitting]
    memory = io.BytesIO()
    np.savez_compressed(
        memory,
        images=np.array(images, np.uint8).reshape(-1, SIDE, SIDE),
        labels=np.array([row.raw[row.position] for row in fitting], "<U1"),
    )
    truth = dict.fromkeys((row.document, str(row.number), row.name, row.raw) for row in rows)
    table = Table("reviewed", ("document", "page", "field", "raw"), tuple(truth))
    write_whole(
        {output / BOXES: memory.getvalue(), output / REVIEWED: as_csv(table).encode()},
    )
    return len(fitting)
