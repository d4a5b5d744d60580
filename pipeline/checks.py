"""Checks that a field's digits must pass; a new one is a function and its entry in CHECKS."""

from collections.abc import Callable, Mapping

_VERHOEFF_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_PERMUTATION = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def luhn(digits: str) -> bool:
    """Tell whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1)."""
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    plain = (int(digit) for digit in digits[::-2])
    return (sum(plain) + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0


def verhoeff(digits: str) -> bool:
    """Tell whether the last digit is the Verhoeff check digit of the others (Verhoeff, 1969)."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        permuted = int(_VERHOEFF_PERMUTATION[place % 8][int(digit)])
        state = int(_VERHOEFF_PRODUCT[state][permuted])
    return state == 0


CHECKS: Mapping[str, Callable[[str], bool]] = {"luhn": luhn, "verhoeff": verhoeff}
