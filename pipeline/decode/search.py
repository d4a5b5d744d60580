"""Exact search of all texts that a field's checks allow.

A check is an automaton, so all texts that end in one state are kept as one: their summed
probability, and where it is wanted their greatest. Nothing is pruned by rank; what is left out is
only digits that a box holds with less than `NEGLIGIBLE` probability. A text with one of them is
too improbable to win against what is plainly written, whatever the checks say (see
`pipeline.decode.field`), and its probability is counted as if it passed, so that no field looks
surer than it is.

Source: forward sums and Viterbi maxima over a trellis; Rabiner, "A tutorial on hidden Markov
models and selected applications in speech recognition", Proc. IEEE 77 (1989), section III.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.checks.check import Check, State, all_of

NEGLIGIBLE = 1e-6
DIGITS = range(10)

Link = tuple[Any, int]
"""A text as its last digit and the link before it."""


@dataclass(frozen=True, slots=True)
class Box:
    """The probabilities of one box, by what a field makes of them."""

    digits: tuple[float, ...]
    unread: float
    """That it holds what can be read as neither."""
    empty: float
    """That it holds a mark that counts as no digit."""
    empty_mark: str
    """The likeliest of these."""
    empty_best: float


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the checks of a field allow; all are probabilities before the checks."""

    mass: float
    """Of all texts found to pass, together; one with an unread box counts by the share of the
    digits with which it would."""
    judged: float
    """Of all texts that checks can be asked of, unread boxes filled with digits, together."""
    unsearched: float
    """Of all texts with a negligible digit, together."""
    best: float
    """Of the likeliest text that passes; 0 where none was found or looked for."""
    raw: str
    """That text, one character a box."""


Likely = tuple[int, float, float]
"""A digit, the probability that a box holds it, and the same with its share of an unread box."""
Reached = dict[int, tuple[float, Link | None]]
"""For each state by its number: the likeliest text so far that ends in it, and its probability."""
_DEAD = -1


class Trellis:
    """All checks of a field as one automaton with numbered states, which remembers its steps."""

    def __init__(self, checks: tuple[Check, ...]) -> None:
        self._check = all_of(checks)
        self._states: list[State] = [self._check.start]
        self._numbers: dict[State, int] = {self._check.start: 0}
        self._steps: dict[tuple[int, int], list[int]] = {}

    def mass(self, boxes: Sequence[Sequence[Likely]]) -> float:
        """Give the probability of all texts that pass, of one digit a box.

        Args:
            boxes: For each box its digits with their probabilities.
        """
        reached = {0: 1.0}
        for place, digits in enumerate(boxes, 1 - len(boxes)):
            onward: dict[int, float] = {}
            for state, mass in reached.items():
                ends = self._steps.get((state, -place)) or self._step(state, -place)
                for digit, _, filled in digits:
                    end = ends[digit]
                    onward[end] = onward.get(end, 0.0) + mass * filled
            onward.pop(_DEAD, None)
            reached = onward
        return sum(
            mass for state, mass in reached.items() if self._check.accepts(self._states[state])
        )

    def best(self, boxes: Sequence[Sequence[Likely]]) -> tuple[float, str]:
        """Find the likeliest text that passes, with its probability; 0 where none does."""
        reached: Reached = {0: (1.0, None)}
        for place, digits in enumerate(boxes, 1 - len(boxes)):
            reached = self._advance(reached, digits, -place)
        ends = [end for at, end in reached.items() if self._check.accepts(self._states[at])]
        likely, text = max(ends, key=lambda end: end[0], default=(0.0, None))
        return likely, _spell(text)

    def passes(self, digits: str) -> bool:
        """Tell whether a text of digits passes all checks."""
        state = 0
        for place, digit in enumerate(digits, 1 - len(digits)):
            state = (self._steps.get((state, -place)) or self._step(state, -place))[int(digit)]
            if state == _DEAD:
                return False
        return self._check.accepts(self._states[state])

    def _advance(self, reached: Reached, digits: Sequence[Likely], place: int) -> Reached:
        onward: Reached = {}
        for state, (best, text) in reached.items():
            ends = self._steps.get((state, place)) or self._step(state, place)
            for digit, probability, _ in digits:
                end, likely = ends[digit], best * probability
                if end != _DEAD and (end not in onward or likely > onward[end][0]):
                    onward[end] = likely, (text, digit)
        return onward

    def _step(self, state: int, place: int) -> list[int]:
        """Find where each digit leads, with so many digits after it."""
        found = (self._check.step(self._states[state], digit, place) for digit in DIGITS)
        ends = [_DEAD if end is None else self._number(end) for end in found]
        self._steps[state, place] = ends
        return ends

    def _number(self, state: State) -> int:
        if state not in self._numbers:
            self._numbers[state] = len(self._states)
            self._states.append(state)
        return self._numbers[state]


def _spell(text: Link | None) -> str:
    digits: list[str] = []
    while text is not None:
        text, digit = text
        digits.append(str(digit))
    return "".join(reversed(digits))


@lru_cache(maxsize=256)
def trellis(checks: tuple[Check, ...]) -> Trellis:
    """Give the trellis of these checks, with all steps that it has taken before."""
    return Trellis(checks)


def search(boxes: Sequence[Box], checks: tuple[Check, ...], *, mend: bool) -> Allowed:
    """Search all texts of a field: so many empty boxes, digits, so many empty boxes.

    Args:
        boxes: Those of the field; where no empty ones may be, their `empty` is 0.
        checks: What the digits must pass.
        mend: Whether the likeliest text that passes is wanted.
    """
    likely = [_likely(box) for box in boxes]
    together = trellis(checks)
    mass = judged = unsearched = best = 0.0
    raw = ""
    for lead, trail, outside, outside_best in _margins(boxes):
        inside = slice(lead, len(boxes) - trail)
        everything, searched = outside, outside
        for box, digits in zip(boxes[inside], likely[inside], strict=True):
            everything *= sum(box.digits) + box.unread
            searched *= sum(filled for _, _, filled in digits)
        judged += everything
        if everything <= NEGLIGIBLE:
            unsearched += everything
            continue
        unsearched += everything - searched
        mass += outside * together.mass(likely[inside])
        if not mend:
            continue
        found_best, text = together.best(likely[inside])
        if outside_best * found_best > best:
            best = outside_best * found_best
            raw = _margin(boxes[:lead]) + text + _margin(boxes[len(boxes) - trail :])
    return Allowed(mass, judged, unsearched, best, raw)


def share_passing(text: str, checks: tuple[Check, ...]) -> float:
    """Give the share of digits in place of all other characters with which a text passes."""
    every = [(digit, 0.1, 0.1) for digit in DIGITS]
    boxes = [[(int(one), 1.0, 1.0)] if one.isdecimal() else every for one in text]
    return trellis(checks).mass(boxes)


def _likely(box: Box) -> list[Likely]:
    share = box.unread / len(DIGITS)
    return [
        (digit, p, p + share)
        for digit, p in zip(DIGITS, box.digits, strict=True)
        if p + share > NEGLIGIBLE
    ]


def _margin(boxes: Sequence[Box]) -> str:
    return "".join(box.empty_mark for box in boxes)


def _margins(boxes: Sequence[Box]) -> list[tuple[int, int, float, float]]:
    """List how many boxes may be empty left and right, with the probability of these being so.

    Returns:
        Left, right, probability over all empty marks, and that of the likeliest marks.
    """
    left, right = _runs(boxes), _runs(boxes[::-1])
    return [
        (lead, trail, before * after, before_best * after_best)
        for lead, (before, before_best) in enumerate(left)
        for trail, (after, after_best) in enumerate(right)
        if lead + trail < len(boxes) and before * after > 0
    ]


def _runs(boxes: Sequence[Box]) -> list[tuple[float, float]]:
    runs = [(1.0, 1.0)]
    for box in boxes:
        probability, best = runs[-1]
        if probability * box.empty < NEGLIGIBLE**2:
            break
        runs.append((probability * box.empty, best * box.empty_best))
    return runs
