"""Wrong templates: each mistake is named with its place, and none crashes the program."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import TemplateError
from pipeline.template import load_template
from tests.pipeline.forms import FIELD_YAML, write_template

MISTAKES = {
    "unknown key of a field": (
        {"field": "{name: code, boxes: [[1, 2, 3, 4]], requierd: true}"},
        ["'code'", "requierd", "unknown key"],
    ),
    "unknown key of the page": ({"page": "{width: 9, height: 9, dpi: 300}"}, ["page", "dpi"]),
    "unknown key at the top": ({"more": "colour: red"}, ["colour", "unknown key"]),
    "box right of the page": (
        {"field": "{name: code, boxes: [[180, 20, 30, 40]]}"},
        ["'code'", "box 0", "210", "200"],
    ),
    "row of boxes leaves the page": (
        {"field": "{name: code, boxes: {x: 10, y: 10, width: 30, height: 40, count: 8}}"},
        ["'code'", "box 6", "220", "200"],
    ),
    "box below the page": (
        {"field": "{name: code, boxes: [[10, 80, 30, 40]]}"},
        ["'code'", "120", "100"],
    ),
    "box left of the page": (
        {"field": "{name: code, boxes: [[-4, 80, 30, 4]]}"},
        ["'code'", "-4", "greater than or equal to 0"],
    ),
    "box without a width": (
        {"field": "{name: code, boxes: [[4, 8, 0, 4]]}"},
        ["'code'", "found 0"],
    ),
    "two fields of one name": ({"more": f"  - {FIELD_YAML}"}, ["'code'", "2 times", "differ"]),
    "missing reference": (
        {"more": "align: {reference: nowhere.png}"},
        ["reference", "nowhere.png", "needs an image"],
    ),
    "three markers": (
        {"more": "align: {markers: {size: 5, centres: [[1, 1], [9, 1], [9, 9]]}}"},
        ["centres", "4"],
    ),
    "no fields": (
        {"text": "template: a\nversion: 1\npage: {width: 9, height: 9}\nfields: []\n"},
        ["fields"],
    ),
    "unknown type": (
        {"field": "{name: code, boxes: [[1, 2, 3, 4]], type: text}"},
        ["'code'", "'text'", "digits", "number", "date"],
    ),
    "unknown check": (
        {"field": "{name: code, boxes: [[1, 2, 3, 4]], checks: [lune]}"},
        ["'code'", "'lune'", "luhn", "verhoeff"],
    ),
    "unknown empty mark": (
        {"field": "{name: code, boxes: [[1, 2, 3, 4]], empty_marks: [dash]}"},
        ["'code'", "'dash'", "struck"],
    ),
    "date without its boxes": (
        {"field": "{name: born, boxes: [[1, 2, 3, 4]], type: date, format: DDMMYYYY}"},
        ["'born'", "DDMMYYYY", "1 boxes"],
    ),
    "format of no date": (
        {"field": "{name: born, boxes: [[1, 2, 3, 4]], type: date, format: D}"},
        ["'born'", "DD, MM and YY"],
    ),
    "range of another type": (
        {"field": "{name: code, boxes: [[1, 2, 3, 4]], type: number, range: [0, today]}"},
        ["'code'", "today", "number"],
    ),
    "sum over no field": (
        {"more": "checks:\n  - sum: {parts: [code], total: all}"},
        ["'all'", "no field"],
    ),
    "sum of a field with itself": (
        {
            "field": "{name: born, type: date, boxes: {x: 1, y: 1, width: 9, height: 9, count: 8}}",
            "more": "checks:\n  - sum: {parts: [born], total: born}",
        },
        ["'born'", "2 times"],
    ),
    "name with capitals": ({"name": "My Form"}, ["template", "My Form"]),
    "no YAML": ({"text": "template: [unclosed"}, ["YAML", "line"]),
    "not a mapping": ({"text": "- a\n- b\n"}, ["list", "needs keys"]),
    "no page": (
        {"text": f"template: a\nversion: 1\nfields:\n  - {FIELD_YAML}\n"},
        ["page", "required"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named_with_its_place(tmp_path: Path, mistake: str) -> None:
    """TemplateError says the file, the field, what was found and what was needed."""
    changes, words = MISTAKES[mistake]
    path = write_template(tmp_path, **changes)
    with pytest.raises(TemplateError) as raised:
        load_template(path)
    for word in (str(path), *words):
        assert word in str(raised.value)


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    """Each on a line of its own that starts with the file."""
    path = write_template(tmp_path, name="My Form", more="colour: red")
    with pytest.raises(TemplateError) as raised:
        load_template(path)
    lines = str(raised.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith(str(path)) for line in lines)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b""])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    """Binary or empty: an error of the template, not of the program."""
    path = tmp_path / "form.yaml"
    path.write_bytes(content)
    with pytest.raises(TemplateError, match=r"form\.yaml"):
        load_template(path)


GOOD: dict[str, Any] = {
    "template": "form",
    "version": 1,
    "page": {"width": 200, "height": 100, "unit": "px"},
    "align": {
        "markers": {"shape": "circle", "size": 5, "centres": [[5, 5], [95, 5], [95, 95], [5, 95]]}
    },
    "fields": [
        {"name": "code", "boxes": {"x": 9, "y": 9, "width": 9, "height": 9, "count": 3}},
        {
            "name": "sum",
            "boxes": [[9, 50, 9, 9], [20, 50, 9, 9]],
            "type": "number",
            "range": [0, 9],
        },
    ],
    "checks": [{"sum": {"parts": ["code"], "total": "sum"}}],
}


def places(value: Any) -> list[tuple[Any, ...]]:
    """Give the path of every value in a nest of mappings and lists."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    below = [(key, *rest) for key, inner in pairs for rest in places(inner)]
    return [*((key,) for key, _ in pairs), *below]


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.floats(),
    st.dates(),
    st.text("aX_-=#\x00é ", max_size=4),
    st.lists(st.integers(0, 5), max_size=4),
    st.dictionaries(st.one_of(st.text("ab", max_size=2), st.integers(0, 3)), st.integers(0, 5)),
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(places(GOOD)), odd)
def test_nothing_in_a_template_crashes_the_program(
    tmp_path: Path, place: tuple[Any, ...], value: Any
) -> None:
    """Whatever stands in place of a right value, it is loaded or refused with the file's name."""
    content = copy.deepcopy(GOOD)
    inner: Any = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path = tmp_path / "odd.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    try:
        load_template(path)
    except TemplateError as error:
        assert str(path) in str(error)


def test_the_template_to_be_spoilt_is_good(tmp_path: Path) -> None:
    """Otherwise the test above would prove nothing."""
    path = tmp_path / "good.yaml"
    path.write_text(yaml.safe_dump(GOOD), encoding="utf-8")
    assert load_template(path).template_id == "form"
