"""What is aged goes from every table, and nothing else does; the hashes stay."""

from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from pipeline.records import PageResult
from pipeline.review.decisions import Decision, decide
from pipeline.store.database import database_url, opened, writing
from pipeline.store.load import load_results
from pipeline.store.origin import Origin
from pipeline.store.purge import known_purged, remove, shrink, weigh
from pipeline.store.save import save
from pipeline.store.schema import audit, boxes, fields, metadata, pages, readings

Read = tuple[list[PageResult], Origin]
LONG_AGO, LIMIT = "2020-01-01T00:00:00.000+00:00", "2021-01-01T00:00:00.000+00:00"


def test_the_aged_go_and_the_others_stay(database: str, read_cards: Read, tmp_path: Path) -> None:
    """What is left is what there would be if the aged documents had never been read."""
    results, origin = read_cards
    old, young = results[:4], results[4:]
    hashes = {page.identity.sha256 for page in old}
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, results, origin)
        with writing(engine) as connection:
            of_old = pages.c.id <= len(old)
            connection.execute(pages.update().where(of_old).values(read_at=LONG_AGO))
            connection.execute(audit.update().values(at=LONG_AGO))
            query = (
                sa.select(fields.c.id, readings.c.raw).join(readings).where(fields.c.page_id == 1)
            )
            first = connection.execute(query).first()
        assert first
        decide(engine, Decision(first.id, "#" * len(first.raw), None, "Ada", "token"))
        found = weigh(engine, LIMIT)
        assert (found.documents, found.pages, found.left) == (4, 4, 4)
        assert found.fields == sum(len(page.fields) for page in old)
        assert found.decided == 1
        remove(engine, LIMIT)
        shrink(engine)
        assert weigh(engine, LIMIT).documents == 0
        left = sorted(load_results(engine), key=lambda page: page.identity.document)
        assert left == sorted(young, key=lambda page: page.identity.document)
        assert known_purged(engine, [page.identity.sha256 for page in results]) == hashes
        with engine.connect() as connection:
            numbers = {
                table.name: connection.execute(
                    sa.select(sa.func.count()).select_from(table)
                ).scalar_one()
                for table in metadata.sorted_tables
            }
    assert numbers["corrections"] == 0
    assert numbers["boxes"] == sum(len(page.boxes) for page in young)
    assert numbers["readings"] == numbers["fields"] == sum(len(page.fields) for page in young)


def test_a_page_read_again_is_young(database: str, read_cards: Read, tmp_path: Path) -> None:
    """A document stays as long as one of its pages was read since."""
    page, origin = read_cards[0][0], read_cards[1]
    both = [page, replace(page, identity=replace(page.identity, number=2))]
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, both, origin)
        with writing(engine) as connection:
            first = pages.c.number == 1
            connection.execute(pages.update().where(first).values(read_at=LONG_AGO))
        assert weigh(engine, LIMIT).documents == 0
        remove(engine, LIMIT)
        with engine.connect() as connection:
            assert connection.execute(sa.select(boxes.c.reading_id)).first()
