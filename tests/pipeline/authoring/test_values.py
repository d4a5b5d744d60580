"""Invented values keep what a template demands; each check is tested by a rule of its own."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from pipeline.authoring.values import draw_values
from pipeline.errors import TemplateError
from pipeline.template import load_template

PAGES = 60
HEAD = "template: form\nversion: 1\npage: {width: 3000, height: 2000}\nfields:\n"


def draw(folder: Path, fields: str, checks: str = "") -> list[dict[str, str]]:
    """Fill a form of these fields many times."""
    path = folder / "template.yaml"
    path.write_text(HEAD + fields + checks)
    template = load_template(path)
    return [draw_values(template, np.random.default_rng(seed)) for seed in range(PAGES)]


def a_field(name: str, count: int, rest: str = "") -> str:
    """Write a field of some boxes."""
    boxes = f"{{x: 10, y: 20, width: 40, height: 50, count: {count}}}"
    return f"  - {{name: {name}, boxes: {boxes}{rest and ', ' + rest}}}\n"


def test_a_required_code_fills_its_boxes(tmp_path: Path) -> None:
    """Digits in all of them, and all ten occur."""
    drawn = [texts["code"] for texts in draw(tmp_path, a_field("code", 8, "required: true"))]
    assert all(len(raw) == 8 and raw.isdecimal() for raw in drawn)
    assert set("".join(drawn)) == set("0123456789")


def test_an_optional_code_may_be_short_or_left_out(tmp_path: Path) -> None:
    """Blanks stand at its ends only."""
    drawn = [texts["code"] for texts in draw(tmp_path, a_field("code", 8))]
    assert all("_" not in raw.strip("_") for raw in drawn)
    assert any(raw == "_" * 8 for raw in drawn)
    assert any(0 < len(raw.strip("_")) < 8 for raw in drawn)


def test_no_box_is_empty_where_none_may_be(tmp_path: Path) -> None:
    """Without empty marks every box has a digit, in optional fields and numbers too."""
    fields = a_field("code", 6, "empty_marks: []") + a_field(
        "sum", 6, "type: number, empty_marks: []"
    )
    assert all(raw.isdecimal() for texts in draw(tmp_path, fields) for raw in texts.values())


@pytest.mark.parametrize(("format_", "parsed"), [("DDMMYYYY", "%d%m%Y"), ("YYMMDD", "%y%m%d")])
def test_dates_exist_and_are_in_range(tmp_path: Path, format_: str, parsed: str) -> None:
    """No 31st of June, nothing before or after the range."""
    rest = f"type: date, format: {format_}, required: true, range: [1990-03-05, 2001-02-28]"
    for texts in draw(tmp_path, a_field("day", len(format_), rest)):
        day = datetime.strptime(texts["day"], parsed).date()
        assert date(1990, 3, 5) <= day <= date(2001, 2, 28)


def test_dates_until_today_have_been(tmp_path: Path) -> None:
    """An open end and `today` give days that have come."""
    rest = "type: date, required: true, range: [2000-01-01, today]"
    for texts in draw(tmp_path, a_field("day", 8, rest)):
        day = datetime.strptime(texts["day"], "%d%m%Y").date()
        assert date(2000, 1, 1) <= day <= date.today()


def test_numbers_keep_their_range(tmp_path: Path) -> None:
    """Empty boxes stand before them, in each way that the field allows and no other."""
    rest = "type: number, required: true, range: [5, 250], empty_marks: [blank, struck]"
    drawn = [texts["marks"] for texts in draw(tmp_path, a_field("marks", 4, rest))]
    assert all(5 <= int(raw.lstrip("_X")) <= 250 for raw in drawn)
    assert {raw[0] for raw in drawn} == {"0", "_", "X"}


def luhn_holds(digits: str) -> bool:
    """Add up as on paper: every second digit from the right doubled, its digits added."""
    doubled = [sum(map(int, str(2 * int(digit)))) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def test_check_digits_are_right(tmp_path: Path) -> None:
    """By Luhn's rule, blanks at the ends aside."""
    for texts in draw(tmp_path, a_field("card", 12, "checks: [luhn]")):
        assert luhn_holds(texts["card"].strip("_") or "0")


def test_sums_add_up(tmp_path: Path) -> None:
    """Also a sum of sums, within the totals' own range; an empty part counts 0."""
    number = "type: number"
    fields = "".join(a_field(name, 3, number) for name in "abcd")
    fields += a_field("ab", 3, number + ", range: [0, 700]") + a_field("all", 4, number)
    checks = "checks:\n  - sum: {parts: [ab, c, d], total: all}\n"
    checks += "  - sum: {parts: [a, b], total: ab}\n"
    for texts in draw(tmp_path, fields, checks):
        a, b, c, d, ab, everything = (
            int(texts[name].strip("_X") or 0) for name in ("a", "b", "c", "d", "ab", "all")
        )
        assert a + b == ab <= 700
        assert ab + c + d == everything


def test_values_vary_with_the_seed_only(tmp_path: Path) -> None:
    """Each seed fills a form in its own way, and always in that."""
    first, second = (draw(tmp_path, a_field("code", 8)) for _ in range(2))
    assert first == second
    assert len({texts["code"] for texts in first}) > PAGES / 2


def test_sums_that_cannot_be(tmp_path: Path) -> None:
    """A total that its parts cannot reach is told with its fields."""
    fields = a_field("a", 2, "type: number, range: [60, 99], required: true")
    fields += a_field("b", 2, "type: number, range: [60, 99], required: true")
    fields += a_field("both", 2, "type: number, required: true")
    checks = "checks:\n  - sum: {parts: [a, b], total: both}\n"
    with pytest.raises(TemplateError, match=r"both|a.*b"):
        draw(tmp_path, fields, checks)
