"""Decisions, leases and the wall, on both databases: nothing lost, nothing decided twice unseen."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from pipeline.records import PageResult, Source
from pipeline.review import desk, wall
from pipeline.review.decisions import (
    ConflictError,
    Decision,
    UnfitError,
    UnlikelyError,
    decide,
    undo,
)
from pipeline.review.desk import Seat, Share
from pipeline.store.database import database_url, opened, writing
from pipeline.store.load import load_corrections
from pipeline.store.origin import Origin
from pipeline.store.save import save
from pipeline.store.schema import corrections, doubts, fields, pages, queue, readings
from tests.pipeline.review.conftest import QUEUE, doubt

Read = tuple[list[PageResult], Origin]
ADA, BELA = Seat("Ada", "a" * 8), Seat("Bela", "b" * 8)


@pytest.fixture
def engine(database: str, read_cards: Read, tmp_path: Path) -> Iterator[Engine]:
    """A database in which fifty fields wait."""
    results, origin = read_cards
    strict = replace(origin, card=replace(origin.card, accept_confidence=0.9999), profile=None)
    with opened(database_url(tmp_path, database), create=True) as opened_engine:
        save(opened_engine, doubt(results, QUEUE), strict)
        yield opened_engine


def name_of(engine: Engine, field_id: int) -> str:
    """Give a field's name."""
    with engine.connect() as connection:
        query = sa.select(fields.c.name).where(fields.c.id == field_id)
        return connection.execute(query).scalar_one()


def reading_of(engine: Engine, field_id: int) -> str:
    """Give what the machine read."""
    query = sa.select(readings.c.raw).where(readings.c.field_id == field_id, readings.c.current)
    with engine.connect() as connection:
        return connection.execute(query).scalar_one()


def says(engine: Engine, field_id: int, seat: Seat, **changes: object) -> Decision:
    """Make a decision that confirms the reading, or what differs from that."""
    raw = reading_of(engine, field_id)
    plain = Decision(field_id, raw, None, seat.reviewer, f"{seat.holder}-{field_id}")
    return replace(plain, **changes)


def test_two_never_get_the_same(engine: Engine) -> None:
    """What one holds the other is not given, until it is given back."""
    mine = desk.take(engine, ADA, 5)
    theirs = desk.take(engine, BELA, 5)
    assert len(mine) == len(theirs) == 5
    assert not set(mine) & set(theirs)
    desk.leave(engine, ADA)
    assert desk.take(engine, BELA, 5, have=theirs) == mine


def test_a_lease_runs_out(engine: Engine) -> None:
    """Who is not heard of for long loses what he holds."""
    mine = desk.take(engine, ADA, 3)
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="milliseconds")
    with writing(engine) as connection:
        connection.execute(queue.update().values(leased_until=past))
    assert desk.take(engine, BELA, 3) == mine


def test_the_least_sure_come_first(engine: Engine) -> None:
    """Each field is at least as sure as the one before it."""
    query = sa.select(readings.c.field_id, readings.c.confidence).where(readings.c.current)
    with engine.connect() as connection:
        confidence = {row.field_id: row.confidence for row in connection.execute(query)}
    taken = [confidence[field_id] for field_id in desk.take(engine, ADA, QUEUE)]
    assert taken == sorted(taken)
    assert len(taken) == QUEUE


def test_a_decision_sent_twice_is_one(engine: Engine) -> None:
    """The same token gives the same correction."""
    (field_id,) = desk.take(engine, ADA, 1)
    decision = says(engine, field_id, ADA)
    assert decide(engine, decision) == decide(engine, decision)
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count(corrections.c.id))).scalar() == 1


def test_the_second_to_decide_is_told(engine: Engine) -> None:
    """Whoever was shown the field before it was decided hears who decided it, and as what."""
    (field_id,) = desk.take(engine, ADA, 1)
    decide(engine, says(engine, field_id, ADA))
    with pytest.raises(ConflictError) as caught:
        decide(engine, says(engine, field_id, BELA))
    assert caught.value.current.reviewer == "Ada"


def test_undoing_brings_back_what_stood_there(engine: Engine) -> None:
    """First another's decision, then the machine's reading; each step is a row of its own."""
    (field_id,) = desk.take(engine, ADA, 1)
    raw = reading_of(engine, field_id)
    first = decide(engine, says(engine, field_id, ADA))
    other = "#" * len(raw)
    second = decide(engine, says(engine, field_id, BELA, raw=other, seen=first))
    assert next(iter(load_corrections(engine).values())).raw == other
    undo(engine, second, "Cleo", "undo-2")
    stands = next(iter(load_corrections(engine).values()))
    assert (stands.raw, stands.reviewer, stands.source) == (raw, "Ada", Source.REVIEWED)
    with pytest.raises(ConflictError):
        undo(engine, second, "Cleo", "undo-3")
    undo(engine, first, "Cleo", "undo-1")
    assert load_corrections(engine) == {}
    assert desk.take(engine, BELA, 1) == [field_id]
    with engine.connect() as connection:
        rows = connection.execute(sa.select(corrections).order_by(corrections.c.id)).all()
    assert [row.before_raw for row in rows] == [raw, raw, other, raw]
    assert [row.raw for row in rows] == [raw, other, raw, None]


def test_what_does_not_fit_is_refused(engine: Engine) -> None:
    """Letters, too few signs, an impossible day: told, and nothing is written."""
    by_name = {name_of(engine, key): key for key in desk.take(engine, ADA, QUEUE)}
    pin, birth = by_name["pin_code"], by_name["date_of_birth"]
    for raw, words in (("12345A", "a box holds"), ("12345", "has 6 boxes"), ("", "has 6 boxes")):
        with pytest.raises(UnfitError, match=words):
            decide(engine, says(engine, pin, ADA, raw=raw))
    impossible = says(engine, birth, ADA, raw="31022008")
    with pytest.raises(UnlikelyError, match="no day"):
        decide(engine, impossible)
    assert load_corrections(engine) == {}
    decide(engine, replace(impossible, sure=True))
    assert next(iter(load_corrections(engine).values())).value == ""


def test_what_breaks_a_check_is_asked_about(engine: Engine) -> None:
    """A number out of its range is not taken at once: a slip of the finger is no silent error."""
    by_name = {name_of(engine, key): key for key in desk.take(engine, ADA, QUEUE)}
    marks = next(key for name, key in by_name.items() if name.startswith("marks"))
    typed = says(engine, marks, ADA, raw="999")
    with pytest.raises(UnlikelyError, match="999 does not pass"):
        decide(engine, typed)
    assert load_corrections(engine) == {}
    decide(engine, replace(typed, sure=True))
    assert next(iter(load_corrections(engine).values())).value == "999"


def test_a_share_of_the_queue(engine: Engine) -> None:
    """Who asks for a template or one of its fields is given all that wait there, and no other."""
    waiting = set(desk.take(engine, ADA, QUEUE))
    desk.leave(engine, ADA)
    query = sa.select(pages.c.template, fields.c.name, fields.c.id).join(fields)
    with engine.connect() as connection:
        rows = [row for row in connection.execute(query) if row.id in waiting]
    cards = {row.id for row in rows if row.template == "postal-card"}
    phones = {row.id for row in rows if row.name == "phone"}
    assert cards and phones and cards | phones != waiting
    assert set(desk.take(engine, BELA, QUEUE, share=Share(template="postal-card"))) == cards
    assert set(desk.take(engine, BELA, QUEUE, share=Share("admission-form", "phone"))) == phones
    assert desk.take(engine, ADA, QUEUE, share=Share("postal-card", "pin_code")) == []
    assert set(desk.take(engine, ADA, QUEUE)) == waiting - cards - phones


def test_many_at_once(engine: Engine) -> None:
    """Eight people at a time: every field is decided once, by one of them."""

    def work(number: int) -> list[int]:
        seat = Seat(f"reviewer {number}", f"holder{number}")
        mine = []
        while taken := desk.take(engine, seat, 2):
            for field_id in taken:
                decide(engine, says(engine, field_id, seat))
            mine += taken
        return mine

    with ThreadPoolExecutor(8) as people:
        done = [field_id for mine in people.map(work, range(8)) for field_id in mine]
    assert len(done) == len(set(done)) == QUEUE == len(load_corrections(engine))


def test_reading_again_keeps_decisions(
    engine: Engine, read_cards: Read, database: str, tmp_path: Path
) -> None:
    """With another network, a decided field keeps its decision and does not wait again."""
    results, origin = read_cards
    (field_id,) = desk.take(engine, ADA, 1)
    decide(engine, says(engine, field_id, ADA))
    newer = replace(origin, card=replace(origin.card, sha256="f" * 64))
    save(engine, doubt(results, QUEUE), newer)
    assert len(load_corrections(engine)) == 1
    assert field_id not in desk.take(engine, BELA, QUEUE)


def judge(engine: Engine, tiles: list[wall.Tile], *, odd: int = -1) -> list[wall.Verdict]:
    """Judge a screenful: all right but for one place."""
    return [
        wall.Verdict(tile.field_id, tile.position, place == odd) for place, tile in enumerate(tiles)
    ]


def test_the_wall_shows_each_box_once(engine: Engine) -> None:
    """Two people see other boxes, all read as that digit, the least sure first."""
    digit, count = max(wall.waiting(engine).items(), key=lambda item: item[1])
    mine = wall.take_tiles(engine, ADA, digit, count // 2)
    theirs = wall.take_tiles(engine, BELA, digit, count)
    keys = [(tile.field_id, tile.position) for tile in [*mine, *theirs]]
    assert len(set(keys)) == len(keys) == count
    sure = [tile.confidence for tile in [*mine, *theirs]]
    assert sure == sorted(sure)
    assert all(tile.image.shape == (28, 28) and tile.image.any() for tile in mine)


def test_an_odd_box_keeps_its_field_open(engine: Engine) -> None:
    """Fields without odd boxes end as they were read; one with an odd box waits on."""
    odd = set()
    for digit in wall.waiting(engine):
        while tiles := wall.take_tiles(engine, ADA, digit):
            verdicts = judge(engine, tiles, odd=0)
            odd.add(verdicts[0].field_id)
            wall.send(engine, ADA, verdicts, f"screen{digit}{len(odd)}")
    waiting = set(desk.take(engine, BELA, QUEUE))
    assert odd <= waiting
    assert len(waiting) + len(load_corrections(engine)) == QUEUE
    for (document, page, name), correction in load_corrections(engine).items():
        assert correction.source is Source.REVIEWED, (document, page, name)


def test_a_screenful_can_be_taken_back(engine: Engine) -> None:
    """After undoing, all that waited waits again."""
    before = wall.waiting(engine)
    sent = []
    for digit in before:
        while tiles := wall.take_tiles(engine, ADA, digit):
            verdicts = judge(engine, tiles)
            token = f"screen{len(sent)}"
            sent.append((verdicts, wall.send(engine, ADA, verdicts, token), token))
            assert wall.send(engine, ADA, verdicts, token) == sent[-1][1]
    assert load_corrections(engine)
    for verdicts, made, token in reversed(sent):
        wall.take_back(engine, ADA, verdicts, made, f"{token}back")
    assert load_corrections(engine) == {}
    assert wall.waiting(engine) == before
    with engine.connect() as connection:
        query = sa.select(sa.func.count()).select_from(doubts).where(doubts.c.verdict.is_not(None))
        assert connection.execute(query).scalar() == 0
