"""Checks that cannot all be met: the template is refused, and says which."""

from pathlib import Path

import pytest

from pipeline.errors import TemplateError
from pipeline.template import load_template

FIELDS = """template: form
version: 1
page: {width: 900, height: 900}
fields:
  - {name: a, boxes: {x: 1, y: 1, width: 9, height: 9, count: 4}, %(a)s}
  - {name: b, boxes: {x: 1, y: 20, width: 9, height: 9, count: 4}, %(b)s}
  - {name: d, type: date, boxes: {x: 1, y: 40, width: 9, height: 9, count: 8}, %(d)s}
  - {name: e, type: date, boxes: {x: 1, y: 60, width: 9, height: 9, count: 8}, %(e)s}
checks: %(checks)s
"""
NOTHING = dict.fromkeys("abde", "required: false") | {"checks": "[]"}
YEARS = {"d": "range: [2020-01-01, 2020-12-31]", "e": "range: [2021-01-01, 2022-12-31]"}


def write(folder: Path, **parts: str) -> Path:
    """Write a template with these parts, and a list beside it."""
    (folder / "codes.csv").write_text("code,name\n1234,7\n0042,8\n")
    path = folder / "template.yaml"
    path.write_text(FIELDS % (NOTHING | parts))
    return path


POSSIBLE = [
    {"a": 'checks: [luhn, {length: 3}, {pattern: "12.*"}]'},
    {"a": "checks: [{lookup: {file: codes.csv, column: code}}, luhn]"},
    {"a": "checks: [{weighted: {weights: [1, 3], modulo: 10, remainder: 2}}, mod11, mod97]"},
    {"d": "range: [today - 30 days, today]", "e": "range: [today-1 days, today+90 days]"},
    {"checks": "[{order: [d, e]}, {equal: [a, b]}, {window: {field: e, of: d, days: [0, 9]}}]"},
    {"checks": "[{roster: {file: codes.csv, fields: {a: code, b: name}}}]"},
    {**YEARS, "checks": "[{window: {field: d, of: e, days: [-800, 0]}}]"},
]


@pytest.mark.parametrize("parts", POSSIBLE)
def test_what_can_be_met_is_loaded(tmp_path: Path, parts: dict[str, str]) -> None:
    """Checks may narrow each other as long as something is left."""
    assert load_template(write(tmp_path, **parts)).template_id == "form"


REFUSED = {
    "pattern longer than length": (
        {"a": 'checks: [{length: 3}, {pattern: "...."}]'},
        "length, pat",
    ),
    "more digits than boxes": ({"a": "checks: [{length: 5}]"}, "4 boxes"),
    "routing number in four boxes": ({"a": "checks: [aba]"}, "aba"),
    "list without a valid code": (
        {"a": 'checks: [{lookup: {file: codes.csv, column: code}}, {pattern: "9+"}]'},
        "lookup, pattern",
    ),
    "range of no date": ({"d": "range: [today, 2020-01-01]"}, "is empty"),
    "order both ways": (
        {"checks": "[{order: {fields: [d, e], strict: true}}, {order: [e, d]}]"},
        "order of d and e, order of e and d",
    ),
    "window between years apart": (
        {**YEARS, "checks": "[{window: {field: d, of: e, days: [0, 9]}}]"},
        "window of e and d",
    ),
    "parts above their total": (
        {"a": "range: [50, 60]", "b": "range: [0, 9]", "checks": "[{sum: {parts: [a], total: b}}]"},
        "a = b",
    ),
    "empty window": ({"checks": "[{window: {field: d, of: e, days: [9, 0]}}]"}, "smaller first"),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_contradiction_is_refused(tmp_path: Path, mistake: str) -> None:
    """No text could ever pass: it is the template that is wrong."""
    parts, words = REFUSED[mistake]
    path = write(tmp_path, **parts)
    with pytest.raises(TemplateError, match=words) as raised:
        load_template(path)
    assert str(path) in str(raised.value)


WRONG = {
    "sum over no field": ({"checks": "[{sum: {parts: [a], total: q}}]"}, "'q', which is no field"),
    "sum over a date": ({"checks": "[{sum: {parts: [a], total: d}}]"}, "'d', a date"),
    "order of no field": ({"checks": "[{order: [d, q]}]"}, "'q', which is no field"),
    "roster of no field": (
        {"checks": "[{roster: {file: codes.csv, fields: {q: code}}}]"},
        "'q', which is no field",
    ),
    "field twice": ({"checks": "[{equal: [a, a]}]"}, "'a' 2 times"),
    "date and code": ({"checks": "[{order: [d, a]}]"}, "needs one type"),
    "window of codes": ({"checks": "[{window: {field: a, of: b, days: [0, 1]}}]"}, "needs a date"),
    "one field to compare": ({"checks": "[{equal: [a]}]"}, "at least 2"),
    "unknown check": ({"checks": "[{rooster: {}}]"}, "'rooster'.*roster"),
    "unknown parameter": ({"a": "checks: [{luhn: {weight: 2}}]"}, "weight"),
    "parameter for none": ({"a": "checks: [{luhn: 3}]"}, "luhn"),
    "missing list": ({"a": "checks: [{lookup: {file: no.csv, column: code}}]"}, r"no\.csv"),
    "missing column": ({"a": "checks: [{lookup: {file: codes.csv, column: id}}]"}, "code, name"),
    "roster without file": ({"checks": "[{roster: {fields: {a: code}}}]"}, "needs file"),
    "roster of another column": (
        {"checks": "[{roster: {file: codes.csv, fields: {a: id}}}]"},
        "no column 'id'",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_check_is_named(tmp_path: Path, mistake: str) -> None:
    """The message says the file, the check, and what is wrong with it."""
    parts, words = WRONG[mistake]
    path = write(tmp_path, **parts)
    with pytest.raises(TemplateError, match=words) as raised:
        load_template(path)
    assert str(path) in str(raised.value)
