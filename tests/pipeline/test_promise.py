"""Thresholds from a target: the bound is exact, and no promise is made that it does not allow."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.promise import fields_needed, promise, upper_bound


@settings(deadline=None)
@given(st.integers(0, 6), st.integers(1, 120), st.floats(0.5, 0.999))
def test_the_bound_is_exact(wrong: int, count: int, level: float) -> None:
    """With that share, so few or fewer errors are as likely as the promise may be broken."""
    share = upper_bound(wrong, count, level)
    if wrong >= count:
        assert share == 1
        return
    tail = sum(comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(wrong + 1))
    assert tail == pytest.approx(1 - level, abs=1e-6)


@settings(deadline=None)
@given(st.integers(0, 4), st.floats(0.001, 0.3), st.floats(0.6, 0.99))
def test_the_fields_needed_are_the_fewest(wrong: int, most: float, level: float) -> None:
    """One fewer would not do."""
    count = fields_needed(wrong, most, level)
    assert upper_bound(wrong, count, level) <= most
    assert upper_bound(wrong, count - 1, level) > most


def test_the_rule_of_three() -> None:
    """0.1 % at 95 % takes 2,995 fields without an error."""
    assert fields_needed(0, 0.001, 0.95) == 2995


samples = st.lists(
    st.tuples(st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 1.0]), st.booleans()), max_size=60
)


@settings(deadline=None)
@given(samples, st.integers(0, 80))
def test_a_promise_is_kept_by_its_own_sample(fields: list, more: int) -> None:
    """All from the threshold on are accepted, and the bound on their errors is low enough."""
    fields = [*fields, *[(1.0, False)] * more]
    confidence = np.array([one for one, _ in fields], float)
    wrong = np.array([one for _, one in fields], bool)
    found = promise(confidence, wrong, max_error=0.1, level=0.9)
    taken = confidence >= (2 if found.accept is None else found.accept)
    assert (found.accepted, found.wrong) == (taken.sum(), (taken & wrong).sum())
    assert found.holds == (found.wrong_at_most <= 0.1)
    if found.holds:
        for lower in {float(one) for one in confidence if one < found.accept}:
            errors, count = wrong[confidence >= lower].sum(), (confidence >= lower).sum()
            assert upper_bound(int(errors), int(count), 0.9) > 0.1
    else:
        assert found.wrong <= 0.1 * found.accepted
        assert found.accepted + found.needed == fields_needed(found.wrong, 0.1, 0.9)


def test_a_stricter_target_never_accepts_more() -> None:
    """The threshold falls as more errors are allowed."""
    rng = np.random.default_rng(5)
    confidence = rng.random(4000)
    wrong = rng.random(4000) > confidence**0.02
    accepted = [
        promise(confidence, wrong, max_error=share, level=0.95).accepted
        for share in (0.002, 0.005, 0.01, 0.03)
    ]
    assert accepted == sorted(accepted)
    assert accepted[0] > 0
