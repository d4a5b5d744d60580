"""What tests of networks share."""

import os
from collections.abc import Callable

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture
def rng() -> Callable[[], np.random.Generator]:
    """A generator that always starts from the same state."""
    return lambda: np.random.default_rng(5)
