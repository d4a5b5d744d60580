"""The second key, on both databases: agreement, a third's word, and known fields mixed in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from pipeline.records import PageResult, Source
from pipeline.review import desk, second
from pipeline.review.decisions import ConflictError, Decision, UnfitError, decide
from pipeline.review.desk import Seat
from pipeline.review.second import Errors, Keying
from pipeline.store.database import database_url, opened
from pipeline.store.load import load_corrections
from pipeline.store.origin import Origin
from pipeline.store.save import save
from tests.pipeline.review.conftest import doubt

Read = tuple[list[PageResult], Origin]
ADA, BELA, CLEO = (Seat(name, name * 4) for name in ("Ada", "Bela", "Cleo"))
COUNT = 6


@pytest.fixture
def engine(database: str, read_cards: Read, tmp_path: Path) -> Iterator[Engine]:
    """A database in which Ada has decided six codes of six digits."""
    results, origin = read_cards
    cards = [page for page in results if page.template == "postal-card"]
    with opened(database_url(tmp_path, database), create=True) as opened_engine:
        save(opened_engine, doubt(cards, COUNT), origin)
        for key in desk.take(opened_engine, ADA, COUNT):
            decide(opened_engine, Decision(key, "123456", None, "Ada", f"token{key}"))
        yield opened_engine


def key_as(engine: Engine, seat: Seat, field_id: int, raw: str) -> None:
    """Key a field."""
    second.key(engine, Keying(field_id, raw, seat, f"{seat.reviewer}{field_id}{raw}"))


def test_a_share_is_keyed_again_by_others(engine: Engine) -> None:
    """The same fields each time, and never by who decided them."""
    assert second.choose(engine, 0.0) == 0
    some = second.choose(engine, 0.5)
    assert some + second.choose(engine, 1.0) == COUNT
    assert second.choose(engine, 1.0) == 0
    assert second.take(engine, ADA, COUNT, []) == []
    assert len(second.take(engine, BELA, COUNT, [])) == COUNT


def test_agreement_and_a_third(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What two say alike stands as second key; else what a third says, who is neither."""
    monkeypatch.setattr(second, "KNOWN_SHARE", 0.0)
    second.choose(engine, 1.0)
    same, other, *_ = second.take(engine, BELA, COUNT, [])
    key_as(engine, BELA, same, "123456")
    key_as(engine, BELA, other, "123457")
    stands = {
        each.raw: each for each in load_corrections(engine).values() if each.source == "second key"
    }
    assert stands["123456"].reviewer == "Ada and Bela"
    desk.leave(engine, BELA)
    assert other not in second.take(engine, BELA, COUNT, [])
    desk.leave(engine, BELA)
    assert second.take(engine, CLEO, 1, [])[0] == other
    key_as(engine, CLEO, other, "123458")
    settled = [each for each in load_corrections(engine).values() if each.raw == "123458"]
    assert [(each.reviewer, each.source) for each in settled] == [("Cleo", Source.SECOND_KEY)]
    with pytest.raises(UnfitError):
        key_as(engine, CLEO, second.take(engine, CLEO, 1, [])[0], "12")


def test_known_fields_tell_who_errs(engine: Engine) -> None:
    """A field on which two agreed changes nothing when it is keyed again, and is counted."""
    second.choose(engine, 1.0)
    known, unsettled, *_ = second.take(engine, BELA, COUNT, [])
    key_as(engine, BELA, known, "123456")
    before = load_corrections(engine)
    key_as(engine, CLEO, known, "123459")
    key_as(engine, CLEO, known, "123459")
    assert load_corrections(engine) == before
    assert second.errors(engine) == [Errors("Cleo", 1, 1)]
    key_as(engine, BELA, unsettled, "000000")
    key_as(engine, CLEO, unsettled, "000000")
    assert second.errors(engine) == [Errors("Cleo", 1, 1)]


def test_what_nobody_decided_is_not_keyed(engine: Engine) -> None:
    """A field that is not in the queue of the second key is refused."""
    with pytest.raises(ConflictError):
        key_as(engine, BELA, 1, "123456")
