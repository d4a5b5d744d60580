"""Checksums: weights counted from the right, a product code, a remainder."""

from __future__ import annotations

from pipeline.checks.check import Check, State

_VERHOEFF_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_PERMUTATION = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def luhn() -> Check:
    """The last digit is the Luhn check digit of the others (ISO/IEC 7812-1)."""
    return _weighted("luhn", (1, 2), 10, digit_sum=True)


def verhoeff() -> Check:
    """The last digit is the Verhoeff check digit of the others (Verhoeff, 1969)."""
    product = [[int(digit) for digit in row] for row in _VERHOEFF_PRODUCT]
    permutation = [[int(digit) for digit in row] for row in _VERHOEFF_PERMUTATION]

    def step(state: int, digit: int, place: int) -> int:
        return product[permutation[place % 8][digit]][state]

    return Check("verhoeff", 0, step, lambda state: state == 0)


def mod11() -> Check:
    """Digits times 1, 2, 3, … 10 from the right add up to a multiple of 11, as in ISBN-10."""
    return _weighted("mod11", tuple(range(1, 11)), 11)


def mod97(remainder: int = 1) -> Check:
    """The number leaves this remainder when divided by 97 (ISO/IEC 7064, MOD 97-10: 1)."""
    return Check(
        "mod97",
        0,
        lambda state, digit, _place: (10 * state + digit) % 97,
        lambda state: state == remainder % 97,
    )


def aba() -> Check:
    """Nine digits times 3, 7, 1, … add up to a multiple of 10 (American Bankers Association)."""
    plain = _weighted("aba", (1, 7, 3), 10)

    def step(state: State, digit: int, place: int) -> State | None:
        if state == "start":
            return plain.step(0, digit, place) if place == 8 else None
        return plain.step(state, digit, place)

    return Check("aba", "start", step, lambda state: state == 0)


def weighted(
    weights: list[int], modulo: int, remainder: int = 0, *, digit_sum: bool = False
) -> Check:
    """Digits times weights add up to this remainder.

    Args:
        weights: From the last digit to the left; where there are more digits, they start again.
        modulo: At least 2.
        remainder: Of the sum.
        digit_sum: Whether a product of two digits counts as the sum of these, as in Luhn's code.
    """
    if not weights or modulo < 2:
        raise ValueError("needs at least one weight, and a modulo of 2 or more")
    return _weighted("weighted", tuple(weights), modulo, remainder, digit_sum=digit_sum)


def _weighted(
    name: str, weights: tuple[int, ...], modulo: int, remainder: int = 0, *, digit_sum: bool = False
) -> Check:
    products = [[weight * digit for digit in range(10)] for weight in weights]
    if digit_sum:
        products = [[sum(divmod(product, 10)) for product in row] for row in products]

    def step(state: int, digit: int, place: int) -> int:
        return (state + products[place % len(products)][digit]) % modulo

    return Check(name, 0, step, lambda state: state == remainder % modulo)
