"""How things stand adds up, whatever people have decided, and is quick to tell."""

import time
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from pipeline.records import Flag, PageResult, Status
from pipeline.review.decisions import Decision, decide
from pipeline.store.database import database_url, opened
from pipeline.store.origin import Origin
from pipeline.store.save import save
from pipeline.store.schema import queue, readings
from pipeline.store.summary import summarise

Read = tuple[list[PageResult], Origin]


def test_everything_is_counted_once(database: str, read_cards: Read, tmp_path: Path) -> None:
    """Each field is accepted, decided or waiting; a page that failed is named with its reason."""
    results, origin = read_cards
    lost = replace(results[0], status=Status.FAILED, reason="torn", fields=(), boxes=())
    flags = [field.flag for page in results[1:] for field in page.fields]
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, [lost, *results[1:]], origin)
        before = summarise(engine)
        with engine.connect() as connection:
            query = sa.select(queue.c.field_id, readings.c.raw)
            first = connection.execute(
                query.join(readings, readings.c.field_id == queue.c.field_id)
            ).first()
        assert first
        decide(engine, Decision(first.field_id, "#" * len(first.raw), None, "Ada", "token"))
        after = summarise(engine)
    assert before.fields == {
        "accepted": flags.count(Flag.ACCEPTED),
        "decided": 0,
        "review": flags.count(Flag.REVIEW),
    }
    assert before.pages["read"] == len(results) - 1
    assert [(one.reason, one.page) for one in before.failures] == [("torn", 1)]
    assert sum(before.reasons.values()) >= before.fields["review"] == before.queue["review"]
    assert after.fields["decided"] == 1
    assert sum(after.fields.values()) == len(flags)
    assert after.queue["review"] == before.queue["review"] - 1


def test_many_fields_are_told_at_once(read_cards: Read, tmp_path: Path) -> None:
    """The time is that of one pass over the fields: 200,000 take some two seconds."""
    results, origin = read_cards
    many = [
        replace(
            page, identity=replace(page.identity, document=f"{number}-{page.identity.document}")
        )
        for number in range(20)
        for page in results
    ]
    with opened(database_url(tmp_path), create=True) as engine:
        save(engine, many, origin)
        start = time.process_time()
        standing = summarise(engine)
        taken_s = time.process_time() - start
    fields = sum(standing.fields.values())
    assert fields == sum(len(page.fields) for page in many)
    assert taken_s < 3.0 * fields / 200_000 + 0.1
