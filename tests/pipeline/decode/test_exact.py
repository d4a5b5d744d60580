"""Decoding against brute force: every text of short fields written out and weighed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.acceptance import Profile
from pipeline.checks.between import equal, order, sum_
from pipeline.checks.check import Check
from pipeline.checks.ranges import calendar, date_range, number_range
from pipeline.checks.sums import luhn, mod11, verhoeff, weighted
from pipeline.checks.texts import length, pattern
from pipeline.decode import decode_page
from pipeline.decode.meaning import checked_digits, failed_checks, to_value
from pipeline.records import Flag
from pipeline.template import FieldSpec, FieldType
from tests.pipeline.decode.boxes import (
    BLANK,
    CLASSES,
    STRUCK,
    Box,
    boxes_of,
    code,
    day,
    decode,
    named,
    readings_of,
)
from tests.pipeline.forms import form

ERROR = 0.005
CHECKS: list[tuple[Check, ...]] = [
    (luhn(),),
    (verhoeff(), length((2, 3))),
    (mod11(), pattern("[0-5]*")),
    (weighted([3, 1], 7, 2), number_range(None, 500)),
    (number_range(40, 60),),
    (pattern("12?3"),),
]
MARKS = [frozenset(), BLANK, BLANK | STRUCK]
specs = st.builds(
    lambda checks, marks, kind: code(3, checks=checks, empty_marks=marks, type=kind),
    st.sampled_from(CHECKS),
    st.sampled_from(MARKS),
    st.sampled_from([FieldType.DIGITS, FieldType.NUMBER]),
)


@st.composite
def unclear(draw: st.DrawFn, characters: str = CLASSES, readings: int = 4) -> Box:
    """A box with a few readings, some of them far likelier than others."""
    held = draw(st.lists(st.sampled_from(characters), min_size=1, max_size=readings, unique=True))
    weights = [10.0 ** draw(st.floats(-4, 0)) for _ in held]
    return {one: weight / sum(weights) for one, weight in zip(held, weights, strict=True)}


def texts_of(boxes: Sequence[Box]) -> dict[str, float]:
    """Every text that boxes may hold, with its probability."""
    return {
        "".join(one for one, _ in chosen): prod(p for _, p in chosen)
        for chosen in product(*(box.items() for box in boxes))
    }


def weigh(texts: dict[str, float], spec: FieldSpec) -> dict[str, float]:
    """Weigh those that break a check with the chance that a writer does.

    One with an unread box is weighed as if each digit stood there as often.
    """
    marks = "" if spec.date_format else "".join(spec.empty_marks)
    digits = "0123456789"

    def weight(text: str) -> float:
        filled = product(*(one if one in digits + marks else digits for one in text))
        weights = [ERROR if failed_checks("".join(one), spec) else 1 - ERROR for one in filled]
        return sum(weights) / len(weights)

    return {text: p * weight(text) for text, p in texts.items()}


def expected(boxes: Sequence[Box], spec: FieldSpec) -> tuple[list[str], dict[str, float]]:
    """The texts that may be taken, several where it is a tie, and the posterior of all."""
    texts = texts_of(boxes)
    weights = weigh(texts, spec)
    plain = max(texts, key=lambda text: texts[text])
    assume(all(p < 0.999 * texts[plain] for text, p in texts.items() if text != plain))
    if failed_checks(plain, spec):
        passing = [
            text
            for text in texts
            if checked_digits(text, spec) is not None and not failed_checks(text, spec)
        ]
        top = max(weights[text] for text in (plain, *passing))
        taken = [text for text in (plain, *passing) if weights[text] >= 0.9999 * top]
    else:
        taken = [plain]
    total = sum(weights.values())
    return taken, {text: weight / total for text, weight in weights.items()}


@settings(deadline=None, max_examples=40)
@given(specs, st.lists(unclear(), min_size=3, max_size=3))
def test_a_field_is_what_brute_force_finds(spec: FieldSpec, boxes: list[Box]) -> None:
    """The most probable text that the checks allow, and its posterior, are exact."""
    taken, posterior = expected(boxes, spec)
    result = decode(boxes, spec)
    assert result.raw in taken
    assert result.confidence == pytest.approx(posterior[result.raw], abs=2e-4)


@settings(deadline=None, max_examples=40)
@given(st.lists(unclear("0123456789", 3), min_size=6, max_size=6))
def test_a_date_is_what_brute_force_finds(boxes: list[Box]) -> None:
    """The calendar and a window, decoded at once."""
    bounds = [calendar("DDMMYY").passes, day("DDMMYY").checks[0].passes]
    within = date_range("DDMMYY", None, None)
    spec = day("DDMMYY", within)
    taken, posterior = expected(boxes, spec)
    result = decode(boxes, spec)
    assert result.raw in taken
    assert result.confidence == pytest.approx(posterior[result.raw], abs=2e-4)
    assert bounds[0](result.raw) == bounds[1](result.raw)


TYPES = {"a": "number", "b": "number", "c": "number"}
BETWEEN = {
    "sum": sum_(TYPES, ["a", "b"], "c"),
    "equal": equal(TYPES, ["a", "b"]),
    "order": order(TYPES, ["a", "b", "c"]),
}


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(sorted(BETWEEN)),
    st.lists(unclear("012_", 3), min_size=6, max_size=6),
    st.booleans(),
)
def test_fields_are_what_brute_force_finds(name: str, boxes: list[Box], bounded: bool) -> None:
    """Three fields and a check between them: the most probable texts of all at once."""
    checks = tuple(BETWEEN[name])
    own = (number_range(0, 12),) if bounded else ()
    spec = code(2, type=FieldType.NUMBER, empty_marks=BLANK, checks=own)
    specs_ = [named(one, spec) for one in TYPES]
    template = form("form", *specs_, checks=checks)
    profile = Profile(accept=0.9, accept_checked=0.9)
    results, _ = decode_page(readings_of(boxes), [True] * 3, template, profile)
    columns = [weigh(texts_of(boxes[i : i + 2]), spec) for i in (0, 2, 4)]

    def values(raws: Sequence[str]) -> dict[str, str | None]:
        return {
            one: to_value(raw, spec) or ("" if not raw.strip("_") else None)
            for one, raw in zip(TYPES, raws, strict=True)
        }

    alone = [expected(boxes[i : i + 2], spec)[0] for i in (0, 2, 4)]
    if any(len(ties) > 1 for ties in alone):
        return
    likeliest = values([ties[0] for ties in alone])
    asked = [check for check in checks if check.passes(likeliest) is not None]
    weights: dict[tuple[str, ...], float] = {}
    scores: dict[tuple[str, ...], float] = {}
    for raws in product(*columns):
        passed = {id(check): check.passes(values(raws)) for check in checks}
        together = prod(column[raw] for column, raw in zip(columns, raws, strict=True))
        broken = sum(passed[id(check)] is False for check in checks)
        weights[raws] = together * ERROR**broken * (1 - ERROR) ** (len(checks) - broken)
        price = sum(passed[id(check)] is not True for check in asked)
        scores[raws] = together * (ERROR / (1 - ERROR)) ** price
    best = max(scores.values())
    found = tuple(result.raw for result in results)
    if all(check.passes(likeliest) is not False for check in checks):
        assert found == tuple(ties[0] for ties in alone)
    else:
        assert scores[found] >= 0.999 * best
    if len(checks) == 1:
        total = sum(weights.values())
        for place, result in enumerate(results):
            mass = sum(w for raws, w in weights.items() if raws[place] == found[place])
            assert result.confidence <= mass / total + 1e-3
            assert result.confidence == pytest.approx(mass / total, abs=5e-3)


def test_a_check_raises_what_it_confirms() -> None:
    """A code with an unclear box is surer where its check digit fits."""
    boxes = [*boxes_of("7992739871", 0.9999), {"3": 0.9, "8": 0.09}]
    without, with_check = decode(boxes, code(11)), decode(boxes, code(11, checks=(luhn(),)))
    assert without.confidence < 0.91
    assert with_check.confidence > 0.99
    assert (with_check.raw, with_check.flag) == ("79927398713", Flag.ACCEPTED)


def test_a_check_decides_between_readings_of_an_unclear_box() -> None:
    """The less probable reading is taken, accepted, and the reason says why; both are shown."""
    boxes = [*boxes_of("7992739871", 0.9999), {"8": 0.6, "3": 0.399}]
    spec = code(11, checks=(luhn(),))
    profile = Profile(accept=0.9, accept_checked=0.9)
    (result,), rows = decode_page(readings_of(boxes), [True], form("f", spec), profile)
    assert (result.raw, result.flag) == ("79927398713", Flag.ACCEPTED)
    assert result.reasons == ("decided_by:luhn",)
    assert (rows[-1].reading, rows[-1].second) == ("3", "8")
    assert rows[-1].confidence < rows[-1].second_confidence


@settings(deadline=None, max_examples=40)
@given(st.floats(0.9955, 1.0), st.floats(0.0, 1.0))
def test_what_is_plainly_written_is_never_corrected(sure: float, share: float) -> None:
    """However well another digit would fit, the field keeps what is written, and is reviewed."""
    boxes = [*boxes_of("7992739871", 1.0), {"0": sure, "3": (1 - sure) * share}]
    result = decode(boxes, code(11, checks=(luhn(),)), accept=0.5)
    assert result.raw == "79927398710"
    assert "check_failed:luhn" in result.reasons
    assert result.flag is Flag.REVIEW


def test_a_check_does_not_make_a_digit_of_a_blot() -> None:
    """A box that cannot be read stays unread, though one digit alone would fit."""
    boxes = [*boxes_of("7992739871", 1.0), {"#": 0.6, "3": 0.39}]
    result = decode(boxes, code(11, checks=(luhn(),)), accept=0.5)
    assert (result.raw[-1], result.flag) == ("#", Flag.REVIEW)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.0, 0.0049), st.integers(1, 9))
def test_a_written_sum_is_never_corrected(doubt: float, miss: int) -> None:
    """A sum that is plainly wrong stays as written, and all its fields go to a person."""
    total = f"{33 + miss:02}"
    boxes = [*boxes_of("1221", 1.0), {total[0]: 1.0}, {total[1]: 1 - doubt, "3": doubt}]
    spec = code(2, type=FieldType.NUMBER)
    template = form("f", *(named(one, spec) for one in TYPES), checks=tuple(BETWEEN["sum"]))
    profile = Profile(accept=0.5, accept_checked=0.5)
    results, _ = decode_page(readings_of(boxes), [True] * 3, template, profile)
    assert [result.raw for result in results] == ["12", "21", total]
    assert {result.reasons for result in results} == {("check_failed:sum",)}
