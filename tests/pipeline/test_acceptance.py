"""Profiles: written and read again they decide alike, and wrong ones are refused."""

from math import inf
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.acceptance import (
    FieldMap,
    FieldPromise,
    ProfileModel,
    PromiseModel,
    profile_text,
    read_profile,
)
from pipeline.errors import InputFileError

KIND = {"fields": 9, "accepted": 5, "wrong": 0, "wrong_at_most": 0.4, "promised": True}
MODEL = ProfileModel(
    network="abc",
    max_error=0.001,
    confidence=0.95,
    fitted_on="nine fields",
    plain=PromiseModel(accept=0.98, **KIND),
    checked=PromiseModel(accept=None, **KIND),
    fields=(
        FieldPromise(template="t", field="a", accept=0.7, **KIND),
        FieldPromise(template="t", field="b", accept=0.99, **KIND | {"promised": False}),
        FieldPromise(template="t", field="c", accept=0.5, **KIND | {"promised": False}),
    ),
)
shares = st.floats(0.001, 0.999)


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Nothing is lost on the way."""
    path = tmp_path / "profile.yaml"
    path.write_text(profile_text(MODEL))
    assert read_profile(path, "abc") == MODEL


def test_which_threshold_decides() -> None:
    """A field's own where it is promised; else the general one, or more where errors ask for it."""
    profile = MODEL.to_profile()
    assert profile.threshold("t", "a", checked=False) == 0.7
    assert profile.threshold("t", "b", checked=False) == 0.99
    assert profile.threshold("t", "c", checked=False) == 0.98
    assert profile.threshold("u", "a", checked=False) == 0.98
    assert profile.threshold("u", "a", checked=True) == inf


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plain: [", "cannot be read"),
        ("- 1", "is no profile"),
        (profile_text(MODEL).replace("accept: 0.98", "accept: 98"), "plain > accept"),
        (profile_text(MODEL) + "more: 1\n", "more"),
        (profile_text(MODEL).replace("network: abc", "network: other"), "another network"),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """It is named, with what is wrong and what to do."""
    path = tmp_path / "profile.yaml"
    path.write_text(text)
    with pytest.raises(InputFileError, match=message) as raised:
        read_profile(path, "abc")
    assert str(path) in str(raised.value)


def test_a_missing_profile(tmp_path: Path) -> None:
    """It says which file."""
    with pytest.raises(InputFileError, match=r"none\.yaml"):
        read_profile(tmp_path / "none.yaml", "abc")


@settings(deadline=None)
@given(shares, shares)
def test_without_a_map_a_field_is_taken_at_its_word(product: float, posterior: float) -> None:
    """Slope and trust of 1 change nothing."""
    assert FieldMap().confidence(product, posterior) == pytest.approx(posterior, rel=1e-6)


maps = st.builds(FieldMap, st.floats(0.2, 3), st.floats(-3, 3), st.floats(0.1, 2))


@settings(deadline=None)
@given(shares, shares, shares, maps)
def test_a_map_keeps_the_order(
    one: float, other: float, posterior: float, field_map: FieldMap
) -> None:
    """What boxes or checks hold to be surer, the confidence does too."""
    low, high = sorted((one, other))
    assert field_map.confidence(low, low) <= field_map.confidence(high, high)
    assert field_map.confidence(posterior, low) <= field_map.confidence(posterior, high)
