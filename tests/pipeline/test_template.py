"""Templates: the contract's own example loads, and so does what says less."""

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import TemplateError
from pipeline.records import Box, Mark
from pipeline.template import FieldType, Markers, load_template, load_templates
from tests.pipeline.forms import write_template

Write = Callable[..., Path]
CONTRACT = """
template: axis-cheque
version: 1
page: {width: 2365, height: 1079, unit: px}
align:
  markers: {shape: square, size: 25, centres: [[30, 30], [1230, 30], [1230, 1750], [30, 1750]]}
  reference: blank.png
fields:
  - name: date
    boxes: {x: 1769, y: 80, width: 66.9, height: 73, count: 8, pitch: 66.9}
    type: date
    format: DDMMYYYY
    required: true
    range: [2000-01-01, today]
  - name: votes
    boxes: [[1025, 231, 52, 92], [1078, 231, 52, 92], [1131, 231, 52, 92]]
    type: number
    empty_marks: [blank, struck]
    checks: [luhn]
  - name: valid
    boxes: {x: 1025, y: 400, width: 52, height: 92, count: 3}
    type: number
checks:
  - sum: {parts: [votes], total: valid}
writer_error: 0.02
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a template with one field, or with other parts."""
    return partial(write_template, tmp_path)


def test_the_example_of_the_contract_loads(write: Write, tmp_path: Path) -> None:
    """Every key of the contract comes out as its part of the record."""
    (tmp_path / "blank.png").touch()
    template = load_template(write(CONTRACT), date(2026, 5, 4))
    assert (template.template_id, template.version) == ("axis-cheque", 1)
    assert template.size == (1079, 2365)
    centres = ((30, 30), (1230, 30), (1230, 1750), (30, 1750))
    assert template.markers == Markers("square", 25, centres)
    assert template.reference == tmp_path / "blank.png"
    day, votes, _valid = template.fields
    assert day.type is FieldType.DATE
    assert (day.date_format, day.required) == ("DDMMYYYY", True)
    assert (day.minimum, day.maximum) == (date(2000, 1, 1), date(2026, 5, 4))
    assert len(day.boxes) == 8
    assert day.boxes[7].left == pytest.approx(1769 + 7 * 66.9)
    assert votes.boxes[1] == Box(1078, 231, 1130, 323)
    assert votes.empty_marks == {Mark.BLANK, Mark.STRUCK}
    assert [check.name for check in day.checks] == ["date", "range"]
    assert [check.name for check in votes.checks] == ["luhn"]
    (total,) = template.checks
    assert (total.name, total.fields) == ("sum", ("votes", "valid"))
    assert template.writer_error == 0.02


def test_what_is_not_said_has_its_default(write: Write) -> None:
    """A code that may be empty, aligned by its boxes."""
    template = load_template(write())
    (field,) = template.fields
    assert (template.markers, template.reference, template.checks) == (None, None, ())
    assert (field.type, field.required, field.checks) == (FieldType.DIGITS, False, ())
    assert (field.minimum, field.maximum) == (None, None)
    assert field.empty_marks == {Mark.BLANK}


def test_millimetres_become_pixels(write: Write) -> None:
    """All lengths alike: an inch is 300 pixels."""
    align = "align: {markers: {size: 2.54, centres: [[5.08, 5.08], [20, 5], [20, 8], [5, 8]]}}"
    field = "{name: code, boxes: {x: 2.54, y: 5.08, width: 7.62, height: 2.54, count: 2}}"
    template = load_template(
        write(page="{width: 25.4, height: 12.7, unit: mm}", field=field, more=align)
    )
    assert template.size == pytest.approx((150, 300))
    assert template.markers is not None
    assert template.markers.size == pytest.approx(30)
    assert template.markers.centres[0] == pytest.approx((60, 60))
    second = template.fields[0].boxes[1]
    edges = (second.left, second.top, second.right, second.bottom)
    assert edges == pytest.approx((120, 60, 210, 90))


def test_a_folder_holds_several_templates(write: Write, tmp_path: Path) -> None:
    """NAME.yaml and NAME/template.yaml, and nothing else is taken for one."""
    write(name="one", file="one.yaml")
    write(name="two", file="two/template.yaml")
    write("no: template", file="two/notes.yaml")
    assert {template.template_id for template in load_templates(tmp_path)} == {"one", "two"}


def test_one_file_can_be_named_itself(write: Write) -> None:
    """Instead of its folder."""
    assert [template.template_id for template in load_templates(write())] == ["form"]


def test_a_reference_is_looked_for_beside_its_template(write: Write, tmp_path: Path) -> None:
    """Wherever the program was started."""
    path = write(more="align: {reference: blank.png}", file="form/template.yaml")
    (tmp_path / "form" / "blank.png").touch()
    assert load_template(path).reference == tmp_path / "form" / "blank.png"


def test_two_templates_of_one_name_are_refused(write: Write, tmp_path: Path) -> None:
    """The message names both files."""
    first, second = write(file="a.yaml"), write(file="b/template.yaml")
    with pytest.raises(TemplateError) as raised:
        load_templates(tmp_path)
    assert str(first) in str(raised.value)
    assert str(second) in str(raised.value)


def test_a_folder_without_templates_is_refused(tmp_path: Path) -> None:
    """Missing or empty: what it must hold is said."""
    with pytest.raises(TemplateError, match=r"template\.yaml"):
        load_templates(tmp_path)
    with pytest.raises(TemplateError, match="no such folder"):
        load_templates(tmp_path / "nowhere")
