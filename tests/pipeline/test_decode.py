"""Decoding one field: raw as on the paper, value as meant, and every doubt named."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.decode import box_row, decode_field, join_readings
from pipeline.records import BoxReading, FieldResult, Flag, Mark
from pipeline.template import FieldSpec, FieldType
from tests.pipeline.forms import field, row

CLASSES = "0123456789_X#"
BLANK, STRUCK = frozenset({Mark.BLANK}), frozenset({Mark.STRUCK})
raws = st.text(CLASSES, min_size=1, max_size=9)


def read(raw: str, confidences: list[float] | float = 1.0) -> list[BoxReading]:
    """Readings that say `raw`, each box as sure as given, the rest spread over the others."""
    if isinstance(confidences, float):
        confidences = [confidences] * len(raw)
    readings = []
    for place, (character, confidence) in enumerate(zip(raw, confidences, strict=True)):
        row_ = np.full(len(CLASSES), (1 - confidence) / (len(CLASSES) - 1), np.float32)
        row_[CLASSES.index(character)] = confidence
        readings.append(BoxReading("code", place, CLASSES, row_))
    return readings


def spec(raw: str, **changes: object) -> FieldSpec:
    """A field with a box for each character."""
    return field("code", row(0, 0, len(raw)), **changes)


def number(raw: str, **changes: object) -> FieldSpec:
    """A field that is a quantity, where empty boxes count as no digit."""
    return spec(raw, **{"type": FieldType.NUMBER, "empty_marks": BLANK | STRUCK, **changes})


def day(raw: str, date_format: str = "DDMMYYYY", **changes: object) -> FieldSpec:
    """A field that is a date."""
    return spec(raw, type=FieldType.DATE, date_format=date_format, **changes)


def decode(raw: str, as_spec: FieldSpec, accept: float = 0.9) -> FieldResult:
    """Decode what was read with certainty."""
    return decode_field(read(raw), as_spec, accept=accept, settled=True)


VALUES = [
    ("00123", spec("00123"), "00123"),
    ("_123_", spec("_123_"), "123"),
    ("1_23", spec("1_23"), ""),
    ("X123", spec("X123"), ""),
    ("X123", spec("X123", empty_marks=BLANK | STRUCK), "123"),
    ("_123", spec("_123", empty_marks=frozenset()), ""),
    ("12#4", spec("12#4"), ""),
    ("____", spec("____"), ""),
    ("012", number("012"), "12"),
    ("_12", number("_12"), "12"),
    ("X12", number("X12"), "12"),
    ("12_", number("12_"), "12"),
    ("000", number("000"), "0"),
    ("X12", number("X12", empty_marks=BLANK), ""),
    ("_12", number("_12", empty_marks=frozenset()), ""),
    ("1_2", number("1_2"), ""),
    ("#12", number("#12"), ""),
    ("XXX", number("XXX"), ""),
    ("29022024", day("29022024"), "2024-02-29"),
    ("29022023", day("29022023"), ""),
    ("20240229", day("20240229", "YYYYMMDD"), "2024-02-29"),
    ("310199", day("310199", "DDMMYY"), "1999-01-31"),
    ("310169", day("310169", "DDMMYY"), "2069-01-31"),
    ("310170", day("310170", "DDMMYY"), "1970-01-31"),
    ("00012020", day("00012020"), ""),
    ("01010000", day("01010000"), ""),
    ("_1012020", day("_1012020"), ""),
]


@pytest.mark.parametrize(
    ("raw", "of", "value"), VALUES, ids=[f"{r}-{s.type}" for r, s, _ in VALUES]
)
def test_value_is_what_raw_means(raw: str, of: FieldSpec, value: str) -> None:
    """Codes keep leading zeros, numbers do not, dates are ISO 8601; without meaning it is empty."""
    result = decode(raw, of)
    assert (result.field, result.raw, result.value) == ("code", raw, value)


REASONS = [
    ("123", spec("123"), ()),
    ("12#", spec("12#"), ("illegible",)),
    ("12X", spec("12X"), ("struck_out",)),
    ("X12", number("X12"), ()),
    ("XXX", number("XXX"), ("struck_out",)),
    ("1_3", spec("1_3", required=True), ("blank_required",)),
    ("1_3", spec("1_3"), ("blank_required",)),
    ("___", spec("___", required=True), ("blank_required",)),
    ("___", spec("___"), ()),
    ("_12", spec("_12", empty_marks=frozenset()), ("blank_required",)),
    ("#X_", spec("#X_"), ("illegible", "struck_out", "blank_required")),
    ("79927398713", spec("79927398713", checks=("luhn",)), ()),
    ("79927398710", spec("79927398710", checks=("luhn",)), ("check_failed:luhn",)),
    ("23", spec("23", checks=("verhoeff", "luhn")), ("check_failed:verhoeff", "check_failed:luhn")),
    ("7992739871_", spec("7992739871_", checks=("luhn",), required=True), ("check_failed:luhn",)),
    ("____", spec("____", checks=("luhn",)), ()),
    ("31022020", day("31022020"), ("check_failed:date",)),
    ("101", number("101", minimum=0, maximum=100), ("check_failed:range",)),
    ("100", number("100", minimum=0, maximum=100), ()),
    ("004", number("004", minimum=5), ("check_failed:range",)),
    ("05012000", day("05012000", minimum=date(2000, 1, 6)), ("check_failed:range",)),
    ("05012000", day("05012000", minimum=date(2000, 1, 5), maximum=date(2000, 1, 5)), ()),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "of", "reasons"), REASONS)
def test_every_doubt_is_named(raw: str, of: FieldSpec, reasons: tuple[str, ...]) -> None:
    """A field with a reason goes to a person, one without is accepted."""
    result = decode(raw, of)
    assert result.reasons == reasons
    assert result.flag == (Flag.REVIEW if reasons else Flag.ACCEPTED)


@pytest.mark.parametrize(("days", "reasons"), [(-1, ()), (0, ()), (1, ("check_failed:range",))])
def test_today_is_the_day_of_reading(days: int, reasons: tuple[str, ...]) -> None:
    """A date until today is one that is not in the future."""
    raw = (date.today() + timedelta(days)).strftime("%d%m%Y")
    assert decode(raw, day(raw, maximum="today")).reasons == reasons


def test_low_confidence_and_lost_frames_are_reasons() -> None:
    """Whatever is written, an unsure field and one that was not found go to a person."""
    unsure = decode_field(read("123", 0.9), spec("123"), accept=0.9, settled=True)
    lost = decode_field(read("123"), spec("123"), accept=0.9, settled=False)
    assert unsure.reasons == ("low_confidence",)
    assert lost.reasons == ("alignment",)
    assert {unsure.flag, lost.flag} == {Flag.REVIEW}


confidences = st.lists(st.floats(0.2, 1.0), min_size=1, max_size=12)


@given(confidences, st.data())
def test_confidence_is_that_of_all_boxes_together(of_boxes: list[float], data) -> None:
    """The product: the probability that every box is right."""
    raw = data.draw(st.text(CLASSES, min_size=len(of_boxes), max_size=len(of_boxes)))
    result = decode_field(read(raw, of_boxes), spec(raw), accept=0.5, settled=True)
    assert result.confidence == pytest.approx(float(np.prod(of_boxes)), rel=1e-4)
    assert result.raw == raw


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(raws, st.floats(0.3, 1.0)), max_size=12), *[st.floats(0, 1)] * 2)
def test_a_higher_threshold_never_shortens_the_queue(fields, one: float, other: float) -> None:
    """Whoever asks for more certainty looks at all he would have looked at, and more."""

    def queue(accept: float) -> set[int]:
        results = [
            decode_field(read(raw, sure), number(raw), accept=accept, settled=True)
            for raw, sure in fields
        ]
        return {place for place, result in enumerate(results) if result.flag is Flag.REVIEW}

    assert queue(min(one, other)) <= queue(max(one, other))


@given(raws, st.sampled_from([spec, number]), st.booleans())
def test_a_box_without_a_digit_never_yields_one(raw: str, kind, required: bool) -> None:
    """The digits of a value are those on the paper, in order; an accepted one has all."""
    result = decode(raw, kind(raw, required=required))
    written = "".join(character for character in raw if character.isdigit())
    assert result.value in {"", written, str(int(written or 0))}
    if result.flag is Flag.ACCEPTED:
        assert bool(result.value) == bool(written)
        assert "#" not in result.raw


@given(raws)
def test_readings_are_joined_one_character_a_box(raw: str) -> None:
    """Raw is as long as the field, and digits.csv says the same box by box."""
    readings = read(raw, 0.8)
    assert join_readings(readings) == raw
    rows = [box_row(reading) for reading in readings]
    assert [one.reading for one in rows] == list(raw)
    assert [one.position for one in rows] == list(range(len(raw)))
    for one in rows:
        assert one.second != one.reading
        assert one.confidence > one.second_confidence
