"""Decoding a page: checks between fields flag, settle what is unclear, and never correct."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.acceptance import Profile
from pipeline.checks.between import PageCheck, equal, order, sum_, window
from pipeline.decode import decode_page, failed_fields
from pipeline.records import FieldResult, Flag
from pipeline.template import FieldType
from tests.pipeline.decode.boxes import Box, boxes_of, code, day, named, readings_of
from tests.pipeline.forms import form

NAMES = ("first", "second", "valid", "code")
NUMBER = code(3, type=FieldType.NUMBER)
TYPES = dict.fromkeys(NAMES, "number")
SUM = sum_(TYPES, ["first", "second"], "valid")


def decode(boxes: list[Box], *checks: PageCheck) -> list[FieldResult]:
    """Decode a page of four numbers of three boxes."""
    template = form("votes", *(named(name, NUMBER) for name in NAMES), checks=checks)
    profile = Profile(accept=0.9, accept_checked=0.9)
    return decode_page(readings_of(boxes), [True] * 4, template, profile)[0]


def page(*values: str) -> list[Box]:
    """A page on which all is clear."""
    return boxes_of("".join(value.rjust(3, "_") for value in values))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 499), st.integers(0, 499))
def test_a_sum_that_adds_up_changes_nothing(first: int, second: int) -> None:
    """Every field is as without the check."""
    written = page(str(first), str(second), str(first + second), "77")
    assert decode(written, *SUM) == decode(written)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 299), st.integers(0, 299), st.integers(1, 399))
def test_a_sum_that_fails_flags_all_and_corrects_nothing(
    first: int, second: int, miss: int
) -> None:
    """Any of them may be wrong: all go to a person, as they were read, and no other field does."""
    written = page(str(first), str(second), str(first + second + miss), "77")
    decoded = decode(written, *SUM)
    assert [one.reasons for one in decoded] == [("check_failed:sum",)] * 3 + [()]
    assert [one.flag for one in decoded] == [Flag.REVIEW] * 3 + [Flag.ACCEPTED]
    for before, after in zip(decode(written), decoded, strict=True):
        assert (after.raw, after.value) == (before.raw, before.value)


def test_an_empty_part_counts_as_nothing() -> None:
    """Who got no votes may leave the box empty."""
    assert {one.reasons for one in decode(page("", "12", "12", "77"), *SUM)} == {()}


def test_an_illegible_part_is_not_taken_for_nothing() -> None:
    """Where a part cannot be read, the sum has not failed: its fields are not blamed."""
    decoded = decode(page("12#", "12", "45", "77"), *SUM)
    assert [one.reasons for one in decoded] == [("illegible",), (), (), ()]


def test_two_sums_over_one_field_are_one_reason() -> None:
    """The reason says what failed, once."""
    both = [*sum_(TYPES, ["first"], "valid"), *sum_(TYPES, ["second"], "valid")]
    assert decode(page("1", "2", "3", "4"), *both)[2].reasons == ("check_failed:sum",)


def test_a_sum_settles_an_unclear_digit() -> None:
    """Only one of its readings adds up; the field is accepted, and says by what."""
    boxes = page("121", "212", "333", "77")
    boxes[4] = {"7": 0.55, "1": 0.449}
    first, second, valid, _ = decode(boxes, *SUM)
    assert (second.raw, second.flag, second.reasons) == ("212", Flag.ACCEPTED, ("decided_by:sum",))
    assert second.confidence > 0.98
    assert (first.reasons, valid.reasons) == ((), ())


def test_two_unclear_digits_are_settled_together() -> None:
    """Neither check nor field alone could tell: what adds up with both is taken."""
    boxes = page("121", "212", "333", "77")
    boxes[2], boxes[5] = {"7": 0.52, "1": 0.47}, {"3": 0.52, "2": 0.47}
    decoded = decode(boxes, *SUM)
    assert [one.raw for one in decoded[:3]] == ["121", "212", "333"]


def test_fields_that_must_be_equal() -> None:
    """A repeated number settles its twin, and a plain difference flags both."""
    same = equal(TYPES, ["first", "second"])
    boxes = page("121", "121", "3", "77")
    boxes[1] = {"3": 0.6, "2": 0.39}
    assert decode(boxes, *same)[0].raw == "121"
    decoded = decode(page("121", "131", "3", "77"), *same)
    assert [one.reasons for one in decoded[:2]] == [("check_failed:equal",)] * 2


def test_a_group_of_checks_is_decoded_at_once() -> None:
    """A field in two checks takes the reading that meets both."""
    checks = [*SUM, *order(TYPES, ["valid", "code"])]
    boxes = page("121", "212", "333", "334")
    boxes[6] = {"8": 0.6, "3": 0.39}
    valid = decode(boxes, *checks)[2]
    assert (valid.raw, valid.flag) == ("333", Flag.ACCEPTED)
    assert set(valid.reasons) == {"decided_by:sum", "decided_by:order"}


def test_dates_in_order_and_within_a_window() -> None:
    """A discharge is after the admission, and not a year later."""
    types = {"in": "date", "out": "date"}
    template = form(
        "stay",
        *(named(name, day()) for name in types),
        checks=(*order(types, ["in", "out"]), *window(types, "out", "in", (0, 90))),
    )
    profile = Profile(accept=0.9, accept_checked=0.9)

    def reasons(stay: str) -> set[tuple[str, ...]]:
        results, _ = decode_page(readings_of(boxes_of(stay)), [True, True], template, profile)
        return {one.reasons for one in results}

    assert reasons("2802202401032024") == {()}
    assert reasons("2802202427022024") == {("check_failed:order", "check_failed:window")}
    assert reasons("2802202428022025") == {("check_failed:window",)}


def test_fields_keep_the_order_of_the_template() -> None:
    """Whatever was checked first."""
    decoded = decode(page("1", "2", "4", "5"), *sum_(TYPES, ["second", "first"], "valid"))
    assert [one.field for one in decoded] == list(NAMES)


def test_a_failed_page_has_its_rows() -> None:
    """Each field waits for a person, and claims nothing."""
    template = form("votes", *(named(name, NUMBER) for name in NAMES))
    rows = failed_fields(template)
    assert [one.field for one in rows] == list(NAMES)
    for one in rows:
        assert (one.raw, one.value, one.confidence) == ("", "", 0.0)
        assert (one.flag, one.reasons) == (Flag.REVIEW, ("page_failed",))
