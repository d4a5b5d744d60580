"""Decoding a page: checks between fields flag, and never correct."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decode import decode_page, failed_fields
from pipeline.records import FieldResult, Flag
from pipeline.template import FormTemplate, SumCheck
from tests.pipeline.forms import field, form, row

NAMES = ("first", "second", "valid")
FORM = form("votes", *(field(name, row(0, 100 * i, 3)) for i, name in enumerate((*NAMES, "code"))))


def summed(*checks: SumCheck) -> FormTemplate:
    """The form with checks between its fields."""
    return replace(FORM, checks=checks)


SUM = summed(SumCheck(("first", "second"), "valid"))


def result(name: str, value: str, reasons: tuple[str, ...] = ()) -> FieldResult:
    """A field that was read; an illegible one has ink in its last box."""
    flag = Flag.REVIEW if reasons else Flag.ACCEPTED
    raw = "__#" if "illegible" in reasons else value.rjust(3, "_")
    return FieldResult(name, raw, value, 0.99, flag, reasons)


def page(first: str, second: str, valid: str) -> list[FieldResult]:
    """The fields of the form, none in doubt."""
    values = zip((*NAMES, "code"), (first, second, valid, "77"), strict=True)
    return [result(name, value) for name, value in values]


@given(st.integers(0, 999), st.integers(0, 999))
def test_a_sum_that_adds_up_changes_nothing(first: int, second: int) -> None:
    """Every field stays as it was."""
    fields = page(str(first), str(second), str(first + second))
    assert decode_page(fields, SUM) == fields


@given(st.integers(0, 999), st.integers(0, 999), st.integers(1, 999))
def test_a_sum_that_fails_flags_all_and_corrects_nothing(
    first: int, second: int, miss: int
) -> None:
    """Any of them may be wrong: all go to a person, as they were read, and no other field does."""
    fields = page(str(first), str(second), str(first + second + miss))
    decoded = decode_page(fields, SUM)
    assert [one.reasons for one in decoded] == [("check_failed:sum",)] * 3 + [()]
    assert [one.flag for one in decoded] == [Flag.REVIEW] * 3 + [Flag.ACCEPTED]
    for before, after in zip(fields, decoded, strict=True):
        assert (after.raw, after.value) == (before.raw, before.value)
        assert after.confidence == before.confidence


def test_an_empty_part_counts_as_nothing() -> None:
    """Who got no votes may leave the box empty."""
    fields = page("", "12", "12")
    assert decode_page(fields, SUM) == fields


def test_a_part_that_was_not_read_is_no_proof_that_the_sum_is_right() -> None:
    """An illegible part stays with a person, and so does a total that cannot be proven."""
    fields = [result("first", "", ("illegible",)), *page("", "12", "12")[1:]]
    decoded = {one.field: one for one in decode_page(fields, SUM)}
    assert decoded["first"].flag is Flag.REVIEW
    assert decoded["first"].reasons[0] == "illegible"


def test_an_illegible_part_is_not_taken_for_nothing() -> None:
    """Where a part cannot be read, the sum has not failed: its fields are not blamed."""
    fields = [result("first", "", ("illegible",)), *page("", "12", "45")[1:]]
    decoded = decode_page(fields, SUM)
    assert [one.reasons for one in decoded] == [("illegible",), (), (), ()]


def test_two_sums_over_one_field_are_one_reason() -> None:
    """The reason says what failed, once."""
    both = summed(SumCheck(("first",), "valid"), SumCheck(("second",), "valid"))
    decoded = decode_page(page("1", "2", "3"), both)
    assert decoded[2].reasons == ("check_failed:sum",)


def test_fields_keep_the_order_of_the_template() -> None:
    """Whatever was checked first."""
    checks = summed(SumCheck(("second", "first"), "valid"))
    decoded = decode_page(page("1", "2", "4"), checks)
    assert [one.field for one in decoded] == [*NAMES, "code"]


def test_a_failed_page_has_its_rows() -> None:
    """Each field waits for a person, and claims nothing."""
    rows = failed_fields(FORM)
    assert [one.field for one in rows] == [*NAMES, "code"]
    for one in rows:
        assert (one.raw, one.value, one.confidence) == ("", "", pytest.approx(0))
        assert (one.flag, one.reasons) == (Flag.REVIEW, ("page_failed",))
