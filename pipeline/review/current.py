"""Fields with all that is known of them at present."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from pipeline.store.schema import corrections, documents, fields, pages, readings


def select_current(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Select from fields, each with its page, document, current reading and correction in effect.

    Args:
        columns: Of `fields`, `pages`, `documents`, `readings` and `corrections`; the last are NULL
            where nobody has decided.
    """
    return (
        sa.select(*columns)
        .select_from(fields)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents, documents.c.id == pages.c.document_id)
        .join(readings, (readings.c.field_id == fields.c.id) & readings.c.current)
        .outerjoin(corrections, corrections.c.id == fields.c.correction_id)
    )
