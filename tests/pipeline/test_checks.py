"""Check digits: known numbers pass, slips of the pen do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks import CHECKS, luhn, verhoeff

VALID = {
    "luhn": ("4111111111111111", "5500000000000004", "79927398713", "378282246310005", "0"),
    "verhoeff": ("2363", "758722", "123451", "1428570", "84736430954837284567892"),
}
"""Published examples: test numbers of card issuers, ISO 7812, textbooks on Verhoeff's code."""
bodies = st.text("0123456789", min_size=1, max_size=20)
names = st.sampled_from(sorted(CHECKS))


def complete(name: str, body: str) -> str:
    """Add the one digit that makes a number pass."""
    (digit,) = (digit for digit in "0123456789" if CHECKS[name](body + digit))
    return body + digit


@pytest.mark.parametrize(("name", "number"), [(n, d) for n, all_ in VALID.items() for d in all_])
def test_known_numbers_pass(name: str, number: str) -> None:
    """What others publish as valid is valid."""
    assert CHECKS[name](number)


@given(names, bodies)
def test_one_check_digit_fits(name: str, body: str) -> None:
    """Of the ten digits that can follow, exactly one passes."""
    assert sum(CHECKS[name](body + digit) for digit in "0123456789") == 1


@given(names, bodies, st.data())
def test_every_wrong_digit_is_caught(name: str, body: str, data: st.DataObject) -> None:
    """One digit misread, anywhere, and the check fails."""
    number = complete(name, body)
    place = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    assert not CHECKS[name](number[:place] + wrong + number[place + 1 :])


@given(names, bodies, st.data())
def test_neighbours_exchanged_are_caught(name: str, body: str, data: st.DataObject) -> None:
    """Verhoeff's code catches them all, Luhn's all but 09 and 90."""
    number = complete(name, body)
    place = data.draw(st.integers(0, len(number) - 2))
    first, second = number[place : place + 2]
    swapped = number[:place] + second + first + number[place + 2 :]
    passes = first == second or (name == "luhn" and {first, second} == {"0", "9"})
    assert CHECKS[name](swapped) == passes


def test_the_two_are_different_codes() -> None:
    """A number valid by one is not so by the other."""
    assert luhn("79927398713")
    assert not verhoeff("79927398713")
