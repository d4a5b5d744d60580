"""Medians and quantiles are those of numpy, however many numbers there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quantiles import median, medians, quantile

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


@given(values=VALUES, share=st.floats(0, 1))
def test_they_are_numpys(values: list[float], share: float) -> None:
    """Of even and of odd numbers, between two values and on one."""
    assert median(np.array(values)) == np.median(values)
    assert quantile(np.array(values), share) == pytest.approx(np.quantile(values, share))


@given(runs=st.lists(VALUES, min_size=1, max_size=6))
def test_runs_do_not_mix(runs: list[list[float]]) -> None:
    """Each run has the median that it has alone."""
    found = medians(np.concatenate(runs), np.array([len(run) for run in runs]))
    assert found.tolist() == [np.median(run) for run in runs]
