"""What is stored of a form decides about a person's text as its template does."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decode.meaning import failed_checks
from pipeline.store.forms import from_json, to_json
from pipeline.template import FormTemplate, load_template

FIELDS = {
    "card": "checks: [luhn]",
    "old": "checks: [{length: [3, 5]}, {pattern: '[1-4].*'}]",
    "parcel": "checks: [{weighted: {weights: [1, 2, 3, 4, 5, 6], modulo: 7}}]",
    "marks": "type: number, range: [20, 4000]",
    "day": "type: date, format: DDMMYY, range: [1990-01-01, 2008-06-30]",
}
TEMPLATE = """
template: stored
version: 1
page: {width: 800, height: 600, unit: px}
fields:
"""
LINE = "  - {{name: {name}, boxes: {{x: 20, y: {top}, width: 30, height: 40, count: 6}}, {rest}}}\n"


def load(folder: Path, rows: dict[str, str]) -> FormTemplate:
    """Write a template whose fields have six boxes each, and load it."""
    lines = (
        LINE.format(name=name, top=20 + 60 * place, rest=rest)
        for place, (name, rest) in enumerate(rows.items())
    )
    path = folder / "template.yaml"
    path.write_text(TEMPLATE + "".join(lines))
    return load_template(path)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> FormTemplate:
    """A form with a field of each kind."""
    return load(tmp_path_factory.mktemp("form"), FIELDS)


@given(raw=st.text("0123456789_", min_size=6, max_size=6))
def test_a_stored_field_checks_as_its_template(template: FormTemplate, raw: str) -> None:
    """Whatever a person types, the same checks break before and after storing."""
    stored = from_json(to_json(template))
    for field in template.fields:
        again = stored.field(field.name).as_spec()
        assert failed_checks(raw, again) == failed_checks(raw, field)


def test_a_list_stays_in_its_file(tmp_path: Path) -> None:
    """What a list of codes says is not stored, and not asked; a check beside it is."""
    (tmp_path / "codes.csv").write_text("code\n123455\n123404\n")
    listed = "checks: [{lookup: {file: codes.csv, column: code}}, luhn]"
    field = from_json(to_json(load(tmp_path, {"code": listed}))).field("code").as_spec()
    assert [check.name for check in field.checks] == ["luhn"]
    assert not failed_checks("000000", field)


def test_a_form_stored_without_checks(template: FormTemplate) -> None:
    """A field that was stored before checks were has its calendar, and nothing else to pass."""
    stored = from_json(
        '{"name":"old","version":1,"size":[600,800],"fields":[{"name":"day","boxes":[],'
        '"type":"date","date_format":"DDMMYY","required":false,"empty_marks":["_"]}]}'
    )
    field = stored.field("day").as_spec()
    assert failed_checks("310208", field) == ("date",)
    assert not failed_checks("010188", field)
