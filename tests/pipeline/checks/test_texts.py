"""Checks of digits as text: length, pattern, and a list of valid values."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checks.texts import length, lookup, pattern

digits = st.text("0123456789", min_size=1, max_size=9)
PATTERNS = [r"9[0-9]{3}", r"(12|3\d)*4?", r"[0-57]+", r"0?1{2,4}", r".*", r"\d{3}(00|99)"]


@settings(deadline=None)
@given(digits, st.integers(1, 9), st.integers(0, 5))
def test_length_counts_digits(text: str, least: int, more: int) -> None:
    """So many, or from so many to so many."""
    assert length((least, least + more)).passes(text) == (least <= len(text) <= least + more)
    assert length(least).passes(text) == (len(text) == least)


@settings(deadline=None)
@given(digits, st.sampled_from(PATTERNS))
def test_a_pattern_matches_as_pythons_own_does(text: str, expression: str) -> None:
    """All digits together, as re.fullmatch has it."""
    assert pattern(expression).passes(text) == bool(re.fullmatch(expression, text))


@pytest.mark.parametrize("expression", ["9[0-", "(?<=1)2", r"a\b", r"(1)\1"])
def test_a_pattern_that_cannot_be_used_is_refused(expression: str) -> None:
    """It is named, whatever is wrong with it."""
    with pytest.raises(ValueError, match="cannot be used"):
        pattern(expression)


@settings(deadline=None)
@given(st.sets(digits, min_size=1, max_size=20), digits)
def test_lookup_knows_its_list_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, values: set[str], other: str
) -> None:
    """Every value of the column passes, and no other text; a number's leading zeros count not."""
    file = tmp_path_factory.mktemp("list") / "values.csv"
    file.write_text("name,code\n" + "".join(f"x,{value}\n" for value in values))
    check, of_number = lookup(file, "code"), lookup(file, "code", leading_zeros=False)
    assert all(check.passes(value) for value in values)
    assert check.passes(other) == (other in values)
    assert of_number.passes(other) == (int(other) in {int(value) for value in values})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("code\n12\n", "no column 'id'; its columns are code"),
        ("id\n12\nx3\n", "line 3: found 'x3'"),
        ("id\n", "no rows"),
        ("", "columns are nothing"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    """Missing, without the column, or of something else than digits."""
    file = tmp_path / "values.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=message):
        lookup(file, "id")
