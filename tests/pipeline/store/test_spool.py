"""What a run has read is kept page by page, and filed when the run is complete."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from pipeline.records import PageId, PageResult
from pipeline.store import runs, spool
from pipeline.store.alone import alone
from pipeline.store.database import database_url, opened
from pipeline.store.origin import Filed, Origin
from pipeline.store.save import Filing, save_templates

Read = tuple[list[PageResult], Origin]
TODAY = "2026-01-31"


@pytest.fixture
def engine(database: str, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    with opened(database_url(tmp_path, database), create=True) as engine:
        yield engine


@pytest.fixture
def filed(engine: Engine, read_cards: Read) -> list[Filed]:
    """Pages of two documents, of two and of three pages."""
    results, origin = read_cards
    filing = Filing(origin, save_templates(engine, origin.templates))
    keys = [("b.pdf", 1), ("a.pdf", 2), ("a.pdf", 1), ("b.pdf", 3), ("b.pdf", 2)]
    return [
        filing.of_page(
            replace(one, identity=PageId(*key, key[0] * 12)), key[0], "ab".index(key[0][0]) + 2
        )
        for one, key in zip(results, keys, strict=False)
    ]


def streamed(engine: Engine, run: runs.Run) -> list[Filed]:
    """Give what waits to be filed."""
    return [each for some in spool.stream(engine, run) for each in some.values()]


def test_whole_documents_are_filed_in_order(engine: Engine, filed: list[Filed]) -> None:
    """To the last bit, in whatever order they were read; a document that lacks a page waits."""
    run = spool.begin(engine, "x", TODAY)
    spool.keep(engine, filed[:3], "x")
    assert spool.begin(engine, "x", TODAY) == run
    spool.keep(engine, [filed[3], filed[2]], "x")
    assert {(one.name, one.is_whole) for one in spool.kept_pages(engine)} == {
        ("a.pdf", True),
        ("b.pdf", False),
    }
    assert spool.seal(engine, run)
    assert streamed(engine, run) == [filed[2], filed[1]]
    later = spool.begin(engine, "x", TODAY)
    assert later.id != run.id
    spool.keep(engine, filed[4:], "x")
    assert spool.seal(engine, later)
    assert streamed(engine, later) == [filed[0], filed[4], filed[3]]


def test_what_was_read_with_other_templates_is_read_again(
    engine: Engine, filed: list[Filed]
) -> None:
    """A restart with another network, profile or template keeps nothing of before."""
    spool.begin(engine, "x", TODAY)
    spool.keep(engine, filed, "x")
    spool.begin(engine, "y", TODAY)
    assert spool.kept_pages(engine) == []


def test_the_last_bytes_under_a_name_count(engine: Engine, filed: list[Filed]) -> None:
    """Between a kill and the restart, a file may be replaced."""
    run = spool.begin(engine, "x", TODAY)
    spool.keep(engine, filed, "x")
    (first,) = (one for one in filed if one.result.identity == PageId("a.pdf", 1, "a.pdf" * 12))
    identity = replace(first.result.identity, sha256="f" * 64)
    other = replace(first, result=replace(first.result, identity=identity), page_count=1)
    spool.keep(engine, [other], "x")
    spool.seal(engine, run)
    assert [one for one in streamed(engine, run) if one.source == "a.pdf"] == [other]


def test_a_run_that_read_nothing_is_forgotten(engine: Engine) -> None:
    """A schedule that fires every minute does not fill the database."""
    run = spool.begin(engine, "x", TODAY)
    assert not spool.seal(engine, run)
    runs.drop_empty(engine, run)
    assert runs.unfinished(engine) is None


def test_one_run_at_a_time(engine: Engine) -> None:
    """The second says so and waits for the first; nothing is left of a lock when it is gone."""
    told, in_line, inside = [], threading.Event(), threading.Event()

    def tell(text: str) -> None:
        told.append(text)
        in_line.set()

    def second() -> None:
        with alone(engine, tell):
            inside.set()

    waiting = threading.Thread(target=second)
    with alone(engine, tell):
        assert told == []
        waiting.start()
        assert in_line.wait(20)
        assert not inside.is_set()
    waiting.join(20)
    assert inside.is_set()
    assert "another run works" in told[0]
