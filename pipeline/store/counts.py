"""What a results database holds, in numbers: for reports, metrics and whoever looks after a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from pipeline.records import Status
from pipeline.store.append import REVIEW
from pipeline.store.schema import documents, fields, pages, queue, readings


@dataclass(frozen=True, slots=True)
class Counts:
    """What is there of the documents that are listed."""

    documents: int
    pages: Mapping[str, int]
    """By status."""
    fields: Mapping[str, int]
    """By flag, as the machine set it."""
    waiting: int
    """Fields that nobody has decided yet."""


def count(engine: Engine) -> Counts:
    """Count documents, pages and fields."""
    listed = sa.select(sa.func.count()).select_from(documents).where(documents.c.listed)
    by_status = (
        sa.select(pages.c.status, sa.func.count())
        .join(documents)
        .where(documents.c.listed)
        .group_by(pages.c.status)
    )
    by_flag = (
        sa.select(readings.c.flag, sa.func.count())
        .join(fields, (fields.c.id == readings.c.field_id) & readings.c.current)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents)
        .where(documents.c.listed)
        .group_by(readings.c.flag)
    )
    with engine.connect() as connection:
        return Counts(
            documents=connection.execute(listed).scalar_one(),
            pages=dict(connection.execute(by_status).tuples().all()),
            fields=dict(connection.execute(by_flag).tuples().all()),
            waiting=connection.execute(_waiting()).scalar_one(),
        )


def count_waiting(engine: Engine) -> int:
    """Count the fields that wait for a person."""
    with engine.connect() as connection:
        return int(connection.execute(_waiting()).scalar_one())


def _waiting() -> sa.Select[Any]:
    return (
        sa.select(sa.func.count())
        .select_from(queue)
        .join(fields, fields.c.id == queue.c.field_id)
        .join(pages, pages.c.id == fields.c.page_id)
        .join(documents)
        .where(queue.c.task == REVIEW, ~queue.c.done, documents.c.listed)
    )


def list_failed(engine: Engine, most: int) -> list[tuple[str, int, str]]:
    """Give document, page and reason of pages that could not be read."""
    query = (
        sa.select(documents.c.name, pages.c.number, pages.c.reason)
        .join(documents)
        .where(pages.c.status == Status.FAILED, documents.c.listed)
        .order_by(documents.c.name, pages.c.number)
        .limit(most)
    )
    with engine.connect() as connection:
        return [(row.name, row.number, row.reason) for row in connection.execute(query)]
