"""What `--degrade` may say: levels draw strengths of what is known, the rest is refused by name."""

import numpy as np
import pytest

from pipeline.authoring.levels import LEVELS, NAMES, parse_level


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_draws_what_is_known(name: str) -> None:
    """Every strength has a known name and is at most 5; the same seed draws the same."""
    for seed in range(40):
        first, second = (parse_level(name)(np.random.default_rng(seed)) for _ in range(2))
        assert first == second
        assert set(first) <= set(NAMES)
        assert all(0 <= strength <= 5 for strength in first.values())


def test_levels_vary_from_page_to_page() -> None:
    """Two pages of the mix are not damaged alike."""
    rng = np.random.default_rng(1)
    assert len({tuple(sorted(LEVELS["mix"](rng))) for _ in range(40)}) > 10


def test_a_list_is_taken_as_it_stands() -> None:
    """Names with strengths, blanks allowed."""
    level = parse_level("skew=5, resolution=1 ,stains=0.5")
    assert level(np.random.default_rng(1)) == {"skew": 5.0, "resolution": 1.0, "stains": 0.5}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("400", "'400' is neither a level .*300.* nor NAME=STRENGTH .*perspective"),
        ("skew", "'skew' is neither"),
        ("", "'' is neither"),
        ("skew=1,fold=1", "'fold=1' is neither"),
        ("skew=much", "skew=much: a strength is a number from 0 to 5"),
        ("skew=-1", "skew=-1: a strength"),
        ("skew=nan", "skew=nan: a strength"),
        ("skew=50", "skew=50: a strength"),
    ],
)
def test_what_is_not_known_is_refused(text: str, complaint: str) -> None:
    """The message says what was found and what may be said."""
    with pytest.raises(ValueError, match=complaint):
        parse_level(text)
