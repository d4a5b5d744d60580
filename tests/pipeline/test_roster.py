"""Rosters: each page of a batch gets one entry of the list, and no entry is given twice."""

from itertools import permutations
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.acceptance import Profile
from pipeline.checks.roster import Roster
from pipeline.decode import decode_page, rank_boxes, roster_boxes
from pipeline.decode.field import text_probability
from pipeline.records import Flag, PageId, PageResult, Status
from pipeline.roster import assign, assign_rosters
from tests.pipeline.decode.boxes import Box, boxes_of, code, readings_of
from tests.pipeline.forms import form

PROFILE = Profile(accept=0.9, accept_checked=0.9)
ENTRIES = (("1234",), ("1284",), ("7777",), ("0009",))
FORM = form("exam", code(4, required=True), roster=Roster(("code",), ENTRIES))


def read(number: int, boxes: list[Box]) -> PageResult:
    """Read a page with these boxes."""
    readings = readings_of(boxes)
    fields, rows = decode_page(readings, [True], FORM, PROFILE)
    return PageResult(
        PageId(f"{number}.png", 1, ""), "exam", Status.READ, "", None, tuple(fields), tuple(rows),
        rostered=roster_boxes(readings, FORM),
    )  # fmt: skip


def settle(*pages: list[Box]) -> list[PageResult]:
    """Read a batch of pages, and assign it."""
    results = [read(number, boxes) for number, boxes in enumerate(pages)]
    return assign_rosters(results, [FORM], PROFILE)


def test_a_page_gets_its_entry() -> None:
    """What is unclear is settled by the list, accepted, and the reason says so."""
    boxes = boxes_of("1234")
    boxes[0] = {"7": 0.6, "1": 0.39}
    (page,) = settle(boxes)
    (field,) = page.fields
    assert (field.raw, field.value, field.flag) == ("1234", "1234", Flag.ACCEPTED)
    assert field.reasons == ("decided_by:roster",)
    assert (page.boxes[0].reading, page.boxes[0].second) == ("1", "7")


def test_all_pages_at_once() -> None:
    """A page that could be either gets what the other one, which is clear, leaves."""
    either = boxes_of("1234")
    either[2] = {"3": 0.55, "8": 0.44}
    alone, together = settle(either)[0].fields[0], settle(either, boxes_of("1234"))[0].fields[0]
    assert (alone.raw, alone.flag) == ("1234", Flag.REVIEW)
    assert (together.raw, together.flag) == ("1284", Flag.ACCEPTED)


def test_what_is_plainly_not_on_the_list_is_kept() -> None:
    """It goes to a person as it was written."""
    field = settle(boxes_of("5555"))[0].fields[0]
    assert (field.raw, field.flag) == ("5555", Flag.REVIEW)
    assert field.reasons == ("check_failed:roster",)


def test_two_pages_of_one_entry() -> None:
    """Only one of them can be it: the other goes to a person, unchanged."""
    flags = [page.fields[0].flag for page in settle(boxes_of("7777"), boxes_of("7777"))]
    assert sorted(flags) == [Flag.ACCEPTED, Flag.REVIEW]


def test_blank_boxes_beside_a_short_entry() -> None:
    """An entry with fewer digits than boxes stands anywhere among blank ones."""
    roster = Roster(("code",), (("12",), ("34",)))
    (boxes,) = rank_boxes(readings_of(boxes_of("_34_")), [(4, None)])
    (belonging,) = assign([{"code": boxes}], roster, 0.005)
    assert belonging is not None
    assert belonging.texts == ("_34_",)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.floats(0.05, 0.95), min_size=3, max_size=3), min_size=2, max_size=3))
def test_no_other_assignment_is_likelier(shares: list[list[float]]) -> None:
    """Against brute force over all ways to give entries or none."""
    roster = Roster(("code",), (("1",), ("2",), ("3",)))
    boxes = []
    for share in shares:
        total = sum(share) + 0.05
        given = {digit: one / total for digit, one in zip("123", share, strict=True)}
        boxes.append(rank_boxes(readings_of([given]), [(1, None)])[0])
    found = assign([{"code": each} for each in boxes], roster, 0.005)
    options = ["1", "2", "3", *[None] * len(boxes)]

    def score(chosen: tuple[str | None, ...]) -> float:
        return sum(
            log(text_probability(each, one))
            if one
            else log(0.005 / 0.995) + log(max(each[0].values()))
            for each, one in zip(boxes, chosen, strict=True)
        )

    best = max(score(chosen) for chosen in permutations(options, len(boxes)))
    taken = tuple(one.texts[0] if one else None for one in found)
    assert len({one for one in taken if one}) == sum(one is not None for one in taken)
    assert score(taken) == pytest.approx(best, abs=1e-6)
    assert all(0 <= one.posterior <= 1 for one in found if one)
