"""Files that arrive while they are read: whole, half written, broken."""

from __future__ import annotations

import random
import select
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.flows.batches import breakages, draw_slip, encode


@dataclass(frozen=True)
class Arrivals:
    """What comes into an inbox, by name; some broken, each in its way."""

    good: Mapping[str, bytes]
    broken: Mapping[str, bytes]

    @property
    def all(self) -> dict[str, bytes]:
        """All files."""
        return {**self.good, **self.broken}


def make_arrivals(form: Path, count: int, *, broken_every: int = 20) -> Arrivals:
    """Draw files, every so many broken in one of twenty ways; no two hold the same bytes."""
    ways = list(breakages(form).items())
    good, broken = {}, {}
    for number in range(count):
        if number % broken_every == broken_every - 1:
            turn = number // broken_every
            name, content = ways[turn % len(ways)]
            # What follows a file's end breaks it no further, but makes it another document.
            more = b"" if name.startswith("empty") else b"%d" % number
            broken[f"sub{number % 3}/{number:05}-{name}"] = content + more
        else:
            good[f"sub{number % 3}/{number:05}.jpg"] = encode([draw_slip(form, number)])
    return Arrivals(good, broken)


def deliver(arrivals: Arrivals, inbox: Path, *, seed: int, pause_s: float) -> Iterator[str]:
    """Write files into an inbox as people and scanners do, and say which is there.

    A third each in one step from a temporary name, at once, and in two halves with a pause
    between, during which other files come.
    """
    chance = random.Random(seed)
    names = sorted(arrivals.all)
    chance.shuffle(names)
    halves: list[tuple[Path, bytes]] = []
    for number, name in enumerate(names):
        path, content = inbox / name, arrivals.all[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % 3 == 0:
            draft = path.with_name(path.name + ".part")
            draft.write_bytes(content)
            draft.rename(path)
        elif number % 3 == 1:
            path.write_bytes(content)
        else:
            path.write_bytes(content[: len(content) // 2])
            halves.append((path, content[len(content) // 2 :]))
        if len(halves) > 5:
            _end(halves.pop(0))
        select.select([], [], [], chance.uniform(0, 2 * pause_s))
        yield name
    for half in halves:
        _end(half)


def _end(half: tuple[Path, bytes]) -> None:
    path, rest = half
    with path.open("ab") as file:
        file.write(rest)
