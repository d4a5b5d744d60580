"""Check digits: known numbers pass, slips of the pen do not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checks.check import Check
from pipeline.checks.sums import aba, luhn, mod11, mod97, verhoeff, weighted

CODES = {"luhn": luhn(), "verhoeff": verhoeff(), "mod11": mod11(), "mod97": mod97(), "aba": aba()}
VALID = {
    "luhn": ("4111111111111111", "5500000000000004", "79927398713", "378282246310005", "0"),
    "verhoeff": ("2363", "758722", "123451", "1428570", "84736430954837284567892"),
    "mod11": ("0306406152", "9434765919"),
    "mod97": ("3214282912345698765432161182", "79444"),
    "aba": ("111000025", "021000021", "011401533"),
}
"""Published: test cards, ISO 7812, textbooks on Verhoeff, ISBNs and an NHS number, a British IBAN
and the example of ISO 7064 as digits, and routing numbers of three banks."""
bodies = st.text("0123456789", min_size=1, max_size=20)
names = st.sampled_from(["luhn", "verhoeff"])


def complete(check: Check, body: str) -> str:
    """Add the one digit that makes a number pass."""
    (digit,) = (digit for digit in "0123456789" if check.passes(body + digit))
    return body + digit


@pytest.mark.parametrize(("name", "number"), [(n, d) for n, all_ in VALID.items() for d in all_])
def test_known_numbers_pass(name: str, number: str) -> None:
    """What others publish as valid is valid."""
    assert CODES[name].passes(number)


@settings(deadline=None)
@given(st.sampled_from(sorted(VALID)), st.data())
def test_every_wrong_digit_is_caught(name: str, data: st.DataObject) -> None:
    """One digit misread, anywhere, and the check fails."""
    number = data.draw(st.sampled_from(VALID[name]))
    place = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    assert not CODES[name].passes(number[:place] + wrong + number[place + 1 :])


@settings(deadline=None)
@given(names, bodies)
def test_one_check_digit_fits(name: str, body: str) -> None:
    """Of the ten digits that can follow, exactly one passes."""
    assert sum(CODES[name].passes(body + digit) for digit in "0123456789") == 1


@settings(deadline=None)
@given(names, bodies, st.data())
def test_neighbours_exchanged_are_caught(name: str, body: str, data: st.DataObject) -> None:
    """Verhoeff's code catches them all, Luhn's all but 09 and 90."""
    number = complete(CODES[name], body)
    place = data.draw(st.integers(0, len(number) - 2))
    first, second = number[place : place + 2]
    swapped = number[:place] + second + first + number[place + 2 :]
    passes = first == second or (name == "luhn" and {first, second} == {"0", "9"})
    assert CODES[name].passes(swapped) == passes


def test_the_codes_differ() -> None:
    """A number valid by one is not so by another."""
    assert luhn().passes("79927398713")
    assert not verhoeff().passes("79927398713")


@pytest.mark.parametrize("digits", ["11100002", "1110000250", "0111000025"])
def test_a_routing_number_has_nine_digits(digits: str) -> None:
    """One digit more or less is none, whatever its sum."""
    assert not aba().passes(digits)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=5),
    st.integers(2, 30),
    st.integers(0, 40),
    bodies,
    st.booleans(),
)
def test_a_weighted_sum_is_what_it_says(
    weights: list[int], modulo: int, remainder: int, digits: str, digit_sum: bool
) -> None:
    """Digits times weights from the right, which start again, leave the remainder."""
    products = [weights[i % len(weights)] * int(d) for i, d in enumerate(reversed(digits))]
    if digit_sum:
        products = [product // 10 + product % 10 for product in products]
    check = weighted(weights, modulo, remainder, digit_sum=digit_sum)
    assert check.passes(digits) == (sum(products) % modulo == remainder % modulo)
