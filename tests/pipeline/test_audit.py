"""The audit of accepted fields: drawn so that nobody can tell, and what the answers prove."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit import Audited, draw_audit, estimate, keep_audit, read_audit
from pipeline.records import FieldResult, Flag, PageId, PageResult, Status


def page(number: int, *flags: Flag) -> PageResult:
    """A page with a field for each flag."""
    fields = tuple(
        FieldResult(f"f{place}", "7", "7", 0.99, flag, ()) for place, flag in enumerate(flags)
    )
    return PageResult(
        PageId(f"{number}.png", 1, f"hash {number}"), "card", Status.READ, "", None, fields, ()
    )


PAGES = [page(number, Flag.ACCEPTED, Flag.REVIEW, Flag.ACCEPTED) for number in range(2000)]


def test_the_share_is_drawn_from_the_accepted() -> None:
    """About as many as asked for, and none that goes to a person anyway."""
    drawn = draw_audit(PAGES, 0.05)
    assert 0.04 < len(drawn) / 4000 < 0.06
    assert {one.field for one in drawn} == {"f0", "f2"}


def test_the_same_scans_give_the_same_sample() -> None:
    """Whatever else is in the batch; and a larger share holds the smaller one's fields."""
    drawn = {one.key for one in draw_audit(PAGES, 0.05)}
    assert drawn == {one.key for one in draw_audit(PAGES[::-1], 0.05)}
    first = {one.key for one in draw_audit(PAGES[:700], 0.05)}
    assert first <= drawn <= {one.key for one in draw_audit(PAGES, 0.1)}
    assert draw_audit(PAGES, 0) == []
    assert len(draw_audit(PAGES, 1)) == 4000


def test_batches_are_kept_together(tmp_path: Path) -> None:
    """A later batch is added, and one read again takes the place of what was drawn before."""
    one, other = draw_audit(PAGES[:9], 1), draw_audit(PAGES[9:12], 1)
    assert read_audit(tmp_path) == []
    keep_audit(one, {f"{n}.png" for n in range(9)}, tmp_path)
    keep_audit(other, {f"{n}.png" for n in range(9, 12)}, tmp_path)
    assert {each.key for each in read_audit(tmp_path)} == {each.key for each in (*one, *other)}
    keep_audit([], {f"{n}.png" for n in range(9)}, tmp_path)
    assert read_audit(tmp_path) == sorted(other, key=lambda each: each.key)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_the_estimate_holds_what_was_seen(right: int, wrong: int) -> None:
    """The share that was seen lies between the bounds; unanswered fields count for nothing."""
    drawn = [Audited(f"{n}.png", 1, "card", "f", "7") for n in range(right + wrong + 5)]
    answers = {one.key: "7" for one in drawn[:right]}
    answers |= {one.key: "1" for one in drawn[right : right + wrong]}
    found = estimate(drawn, answers)
    assert (found.drawn, found.answered, found.wrong) == (len(drawn), right + wrong, wrong)
    if right + wrong:
        assert found.low <= wrong / (right + wrong) <= found.high
    else:
        assert (found.low, found.high) == (0, 1)


def test_known_bounds() -> None:
    """Clopper and Pearson's for 1 of 10: 0.25 % and 44.5 %."""
    drawn = [Audited(f"{n}.png", 1, "card", "f", "7") for n in range(10)]
    found = estimate(drawn, {one.key: "7" for one in drawn} | {drawn[0].key: "1"})
    assert (found.low, found.high) == (
        pytest.approx(0.00253, abs=1e-5),
        pytest.approx(0.445, abs=1e-3),
    )
