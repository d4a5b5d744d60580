"""Decoding one field: raw as on the paper, value as meant, and every doubt named."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.acceptance import Profile
from pipeline.checks.ranges import date_range, number_range
from pipeline.checks.sums import luhn, verhoeff
from pipeline.decode import decode_page
from pipeline.records import FieldResult, Flag
from pipeline.template import FieldSpec
from tests.pipeline.decode.boxes import (
    BLANK,
    CLASSES,
    STRUCK,
    boxes_of,
    code,
    day,
    decode,
    number,
    readings_of,
)
from tests.pipeline.forms import form

raws = st.text(CLASSES, min_size=1, max_size=9)


def read(raw: str, spec: FieldSpec, accept: float = 0.9) -> FieldResult:
    """Decode what was read with certainty."""
    return decode(boxes_of(raw), spec, accept=accept)


VALUES = [
    ("00123", code(5), "00123"),
    ("_123_", code(5), "123"),
    ("1_23", code(4), ""),
    ("X123", code(4), ""),
    ("X123", code(4, empty_marks=BLANK | STRUCK), "123"),
    ("_123", code(4, empty_marks=frozenset()), ""),
    ("12#4", code(4), ""),
    ("____", code(4), ""),
    ("012", number(3), "12"),
    ("_12", number(3), "12"),
    ("X12", number(3), "12"),
    ("12_", number(3), "12"),
    ("000", number(3), "0"),
    ("X12", number(3, empty_marks=BLANK), ""),
    ("_12", number(3, empty_marks=frozenset()), ""),
    ("1_2", number(3), ""),
    ("#12", number(3), ""),
    ("XXX", number(3), ""),
    ("29022024", day(), "2024-02-29"),
    ("29022023", day(), ""),
    ("20240229", day("YYYYMMDD"), "2024-02-29"),
    ("310199", day("DDMMYY"), "1999-01-31"),
    ("310169", day("DDMMYY"), "2069-01-31"),
    ("310170", day("DDMMYY"), "1970-01-31"),
    ("00012020", day(), ""),
    ("01010000", day(), ""),
    ("_1012020", day(), ""),
]


@pytest.mark.parametrize(
    ("raw", "of", "value"), VALUES, ids=[f"{r}-{s.type}" for r, s, _ in VALUES]
)
def test_value_is_what_raw_means(raw: str, of: FieldSpec, value: str) -> None:
    """Codes keep leading zeros, numbers do not, dates are ISO 8601; without meaning it is empty."""
    result = read(raw, of)
    assert (result.field, result.raw, result.value) == ("code", raw, value)


LATER = date_range("DDMMYYYY", date(2000, 1, 6), None)
FIFTH = date_range("DDMMYYYY", date(2000, 1, 5), date(2000, 1, 5))
REASONS = [
    ("123", code(3), ()),
    ("12#", code(3), ("illegible",)),
    ("12X", code(3), ("struck_out",)),
    ("X12", number(3), ()),
    ("XXX", number(3), ("struck_out",)),
    ("1_3", code(3, required=True), ("blank_required",)),
    ("1_3", code(3), ("blank_required",)),
    ("___", code(3, required=True), ("blank_required",)),
    ("___", code(3), ()),
    ("_12", code(3, empty_marks=frozenset()), ("blank_required",)),
    ("#X_", code(3), ("illegible", "struck_out", "blank_required")),
    ("79927398713", code(11, checks=(luhn(),)), ()),
    ("79927398710", code(11, checks=(luhn(),)), ("check_failed:luhn",)),
    ("23", code(2, checks=(verhoeff(), luhn())), ("check_failed:verhoeff", "check_failed:luhn")),
    ("7992739871_", code(11, checks=(luhn(),), required=True), ("check_failed:luhn",)),
    ("____", code(4, checks=(luhn(),)), ()),
    ("31022020", day(), ("check_failed:date",)),
    ("101", number(3, checks=(number_range(0, 100),)), ("check_failed:range",)),
    ("100", number(3, checks=(number_range(0, 100),)), ()),
    ("004", number(3, checks=(number_range(5, None),)), ("check_failed:range",)),
    ("05012000", day("DDMMYYYY", LATER), ("check_failed:range",)),
    ("05012000", day("DDMMYYYY", FIFTH), ()),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "of", "reasons"), REASONS)
def test_every_doubt_is_named(raw: str, of: FieldSpec, reasons: tuple[str, ...]) -> None:
    """A field with a reason goes to a person, one without is accepted."""
    result = read(raw, of)
    assert result.reasons == reasons
    assert result.flag == (Flag.REVIEW if reasons else Flag.ACCEPTED)


def test_low_confidence_and_lost_frames_are_reasons() -> None:
    """Whatever is written, an unsure field and one that was not found go to a person."""
    unsure = decode(boxes_of("123", 0.9), code(3))
    lost = decode(boxes_of("123"), code(3), found=False)
    assert unsure.reasons == ("low_confidence",)
    assert lost.reasons == ("alignment",)
    assert {unsure.flag, lost.flag} == {Flag.REVIEW}


confidences = st.lists(st.floats(0.2, 1.0), min_size=1, max_size=12)


@settings(deadline=None, max_examples=40)
@given(confidences, st.data())
def test_confidence_is_that_of_all_boxes_together(of_boxes: list[float], data) -> None:
    """The product: the probability that every box is right."""
    raw = data.draw(st.text(CLASSES, min_size=len(of_boxes), max_size=len(of_boxes)))
    result = decode(boxes_of(raw, of_boxes), code(len(raw)), accept=0.5)
    assert result.confidence == pytest.approx(float(np.prod(of_boxes)), abs=1e-4)
    assert result.raw == raw


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(raws, st.floats(0.3, 1.0)), max_size=12), *[st.floats(0, 1)] * 2)
def test_a_higher_threshold_never_shortens_the_queue(fields, one: float, other: float) -> None:
    """Whoever asks for more certainty looks at all he would have looked at, and more."""

    def queue(accept: float) -> set[int]:
        results = [
            decode(boxes_of(raw, sure), number(len(raw)), accept=accept) for raw, sure in fields
        ]
        return {place for place, result in enumerate(results) if result.flag is Flag.REVIEW}

    assert queue(min(one, other)) <= queue(max(one, other))


@settings(deadline=None, max_examples=40)
@given(raws, st.sampled_from([code, number]), st.booleans())
def test_a_box_without_a_digit_never_yields_one(raw: str, kind, required: bool) -> None:
    """The digits of a value are those on the paper, in order; an accepted one has all."""
    result = read(raw, kind(len(raw), required=required))
    written = "".join(character for character in raw if character.isdigit())
    assert result.value in {"", written, str(int(written or 0))}
    if result.flag is Flag.ACCEPTED:
        assert bool(result.value) == bool(written)
        assert "#" not in result.raw


@settings(deadline=None, max_examples=40)
@given(raws)
def test_rows_of_boxes_say_what_the_field_says(raw: str) -> None:
    """Raw is as long as the field, and digits.csv says the same box by box."""
    template = form("form", code(len(raw)))
    profile = Profile(accept=0.9, accept_checked=0.9)
    (result,), rows = decode_page(readings_of(boxes_of(raw, 0.8)), [True], template, profile)
    assert result.raw == raw
    assert [one.reading for one in rows] == list(raw)
    assert [one.position for one in rows] == list(range(len(raw)))
    for one in rows:
        assert one.second != one.reading
        assert one.confidence > one.second_confidence
