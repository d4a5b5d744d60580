"""What a check of a field is: an automaton that reads digits from left to right.

An automaton and not a predicate, so that decoding can search all strings that pass without
writing each of them out. It is told how many digits follow, since weights count from the right.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

State = Hashable
Step = Callable[[Any, int, int], State | None]


def _accept_all(_state: State) -> bool:
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A rule that a field's digits keep; empty boxes at its ends are not shown to it."""

    name: str
    start: State
    """Where reading starts; never None."""
    step: Step
    """From a state, a digit 0 to 9 and the number of digits after it to the next state; None
    where no continuation can pass."""
    accepts: Callable[[Any], bool] = _accept_all
    """Whether digits that end in this state pass."""
    entry: tuple[str, Any] | None = None
    """How a template asks for it, name and parameters; None for what the field's type implies."""

    def passes(self, digits: str) -> bool:
        """Tell whether a text of digits passes."""
        state: State | None = self.start
        for place, digit in enumerate(digits, 1 - len(digits)):
            state = self.step(state, int(digit), -place)
            if state is None:
                return False
        return self.accepts(state)


def all_of(checks: tuple[Check, ...]) -> Check:
    """Give the check that passes what all of these pass; its states are tuples of theirs."""

    def step(states: tuple[State, ...], digit: int, place: int) -> State | None:
        reached = tuple(
            check.step(state, digit, place) for check, state in zip(checks, states, strict=True)
        )
        return None if None in reached else reached

    def accepts(states: tuple[State, ...]) -> bool:
        return all(check.accepts(state) for check, state in zip(checks, states, strict=True))

    return Check("all", tuple(check.start for check in checks), step, accepts)


def find_passing(
    check: Check, lengths: Iterable[int], shuffle: Callable[[], Sequence[int]] = lambda: range(10)
) -> str | None:
    """Find digits that pass, of the first of these lengths that has any; None where none has.

    Every state is visited at most once a length, so that this ends for a contradiction too.

    Args:
        check: What they must pass.
        lengths: How many they may be.
        shuffle: Gives the ten digits in the order in which they are tried, the last one first.
    """
    for length in lengths:
        seen: set[tuple[int, State]] = set()
        open_: list[tuple[int, State, str]] = [(length, check.start, "")]
        while open_:
            left, state, digits = open_.pop()
            if left == 0:
                if check.accepts(state):
                    return digits
                continue
            for digit in shuffle():
                reached = check.step(state, digit, left - 1)
                if reached is not None and (left, reached) not in seen:
                    seen.add((left, reached))
                    open_.append((left - 1, reached, digits + str(digit)))
    return None
