"""What goes into the database comes out of it again; nothing is overwritten."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from pipeline.errors import OutputError
from pipeline.export import export
from pipeline.records import Flag, PageId, PageResult
from pipeline.store.database import database_url, opened
from pipeline.store.load import load_results
from pipeline.store.origin import Origin
from pipeline.store.save import save
from pipeline.store.schema import doubts, fields, metadata, queue, readings

Read = tuple[list[PageResult], Origin]


def in_order(results: list[PageResult]) -> list[PageResult]:
    """Sort results as the CSVs are."""
    return sorted(results, key=lambda page: (page.identity.document, page.identity.number))


def count(engine: Engine, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
    """Count rows."""
    query = sa.select(sa.func.count()).select_from(table).where(*conditions)
    with engine.connect() as connection:
        return connection.execute(query).scalar_one()


def test_results_come_back(database: str, read_cards: Read, tmp_path: Path) -> None:
    """All that a page's result holds, to the last bit; and so the same CSVs."""
    results, origin = read_cards
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, results, origin)
        back = list(load_results(engine))
    assert in_order(back) == in_order(results)
    for name, pages in (("before", results), ("after", back)):
        (tmp_path / name).mkdir()
        export(pages, tmp_path / name)
    for file in ("fields.csv", "digits.csv", "pages.csv"):
        assert (tmp_path / "before" / file).read_bytes() == (tmp_path / "after" / file).read_bytes()


def test_many_pages_are_written_in_the_memory_of_few(read_cards: Read, tmp_path: Path) -> None:
    """A night's run must not end in more memory than it went on in."""
    (result, *_), origin = read_cards
    peaks: list[int] = []
    for pages in (100, 100, 400):  # the first makes the database's statements
        output = tmp_path / f"{len(peaks)}"
        output.mkdir()
        with opened(database_url(output), create=True) as engine:
            names = (PageId(f"{number}.png", 1, f"{number:064}") for number in range(pages))
            save(engine, [replace(result, identity=name) for name in names], origin)
            tracemalloc.start()
            export(load_results(engine), output)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[2] < 1.3 * peaks[1]


def test_the_same_again_changes_nothing(database: str, read_cards: Read, tmp_path: Path) -> None:
    """A page read twice with the same outcome has one reading a field."""
    results, origin = read_cards
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, results, origin)
        before = {table.name: count(engine, table) for table in metadata.sorted_tables}
        save(engine, results, origin)
        after = {table.name: count(engine, table) for table in metadata.sorted_tables}
    assert after == {**before, "audit": before["audit"] + 1}


def test_a_new_reading_is_appended(database: str, read_cards: Read, tmp_path: Path) -> None:
    """Read otherwise, a page shows its new readings, and the old ones are still there."""
    results, origin = read_cards
    page = results[0]
    other = replace(page.fields[0], raw="000000", flag=Flag.REVIEW, reasons=("illegible",))
    changed = replace(page, fields=(other, *page.fields[1:]))
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, results, origin)
        were = count(engine, readings)
        save(engine, [changed, *results[1:]], origin)
        assert in_order(list(load_results(engine))) == in_order([changed, *results[1:]])
        assert count(engine, readings) == were + len(page.fields)
        assert count(engine, readings, readings.c.current) == were
        with engine.connect() as connection:
            raws = connection.execute(
                sa.select(readings.c.raw, readings.c.current)
                .join(fields)
                .where(fields.c.name == other.field, readings.c.raw.in_([other.raw, "000000"]))
            )
            assert ("000000", True) in {tuple(row) for row in raws}


def test_another_network_reads_anew(database: str, read_cards: Read, tmp_path: Path) -> None:
    """The same outcome from other weights is another reading."""
    results, origin = read_cards
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, results, origin)
        were = count(engine, readings)
        save(engine, results, replace(origin, card=replace(origin.card, sha256="f" * 64)))
        assert count(engine, readings) == 2 * were


def test_other_bytes_take_the_place_of_a_name(
    database: str, read_cards: Read, tmp_path: Path
) -> None:
    """The exports show the last bytes under a name, and all documents that came before."""
    results, origin = read_cards
    page = results[0]
    again = replace(page, identity=replace(page.identity, sha256="f" * 64))
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, results[:2], origin)
        save(engine, results[2:], origin)
        assert list(load_results(engine)) == in_order(results)
        save(engine, [again], origin)
        assert list(load_results(engine)) == in_order([again, *results[1:]])
        save(engine, [page], origin)
        assert list(load_results(engine)) == in_order(results)


def test_pages_come_in_order(database: str, read_cards: Read, tmp_path: Path) -> None:
    """Page 10 after page 2, capitals before small letters, whatever order they were read in."""
    results, origin = read_cards
    keys = [("b.pdf", 1), ("é.pdf", 1), ("a.pdf", 10), ("B.pdf", 1), ("a.pdf", 2)]
    pages = [replace(results[0], identity=PageId(*key, "f" * 64)) for key in keys]
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, pages, origin)
        read = [one.identity for one in load_results(engine)]
    assert [(one.document, one.number) for one in read] == sorted(keys)


def test_fields_to_review_are_queued(database: str, read_cards: Read, tmp_path: Path) -> None:
    """Every field flagged for review waits, and accepted ones that are audited, no others."""
    results, origin = read_cards
    flags = {
        (page.identity.document, page.identity.number, field.field): field.flag
        for page in results
        for field in page.fields
    }
    accepted = [key for key, flag in flags.items() if flag is Flag.ACCEPTED]
    audited = replace(origin, audited=frozenset(accepted[:3]))
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, results, audited)
        assert count(engine, queue) == len(flags) - len(accepted) + 3


def test_doubts_are_the_boxes_that_matter(database: str, read_cards: Read, tmp_path: Path) -> None:
    """Without its doubted boxes, a field of low confidence would have been accepted."""
    results, origin = read_cards
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, results, origin)
        query = sa.select(doubts.c.field_id, doubts.c.position)
        with engine.connect() as connection:
            doubted = {tuple(row) for row in connection.execute(query)}
            query = sa.select(fields.c.id, fields.c.name)
            names = {row.id: row.name for row in connection.execute(query)}
    assert doubted
    for page in results:
        for field in page.fields:
            if field.reasons != ("low_confidence",):
                continue
            boxes = [box for box in page.boxes if box.field == field.field]
            keys = {key for key, name in names.items() if name == field.field}
            least = min(boxes, key=lambda box: box.confidence)
            assert any((key, least.position) in doubted for key in keys)


@pytest.mark.parametrize("address", ["mysql://host/name", "no address", "sqlite://"])
def test_addresses_that_cannot_be(address: str, tmp_path: Path) -> None:
    """Only the two databases that are tested are taken."""
    with pytest.raises(OutputError, match="--database"):
        database_url(tmp_path, address)
