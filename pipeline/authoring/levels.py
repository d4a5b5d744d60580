"""Named levels of damage, and what else `--degrade` may say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

from numpy.random import Generator

from pipeline.authoring.degrade import DEGRADATIONS
from pipeline.authoring.material import MATERIALS

Strengths = dict[str, float]
Level = Callable[[Generator], Strengths]
"""Draws the strengths for one page."""

_STRONGEST = 5.0
NAMES = (*MATERIALS, *DEGRADATIONS)
"""Every degradation, in the order in which a page meets them."""


def _clean(rng: Generator) -> Strengths:
    return {}


def _scan(dpi: int, rng: Generator, most_skew: float = 5.0) -> Strengths:
    """Scan a page: up to 10 degrees askew, printed at 94 to 104 %, shifted, with noise."""
    return {
        "scale": 1.0,
        "bed": float(rng.choice([0.0, rng.uniform(0.2, 1)])),
        "skew": float(rng.uniform(0, most_skew)),
        "shift": 1.0,
        "resolution": 300 / dpi - 1,
        "paper": float(rng.uniform(0.3, 1)),
        "shadow": float(rng.uniform(0, 0.6)),
        "specks": float(rng.uniform(0, 1)),
        "blur": float(rng.uniform(0.2, 0.8)),
        "noise": float(rng.uniform(0.3, 1)),
    }


def _fax(rng: Generator) -> Strengths:
    return {**_scan(300, rng, most_skew=2.0), "fax": float(rng.choice([0.5, 1.0]))}


def _turned(rng: Generator) -> Strengths:
    return {**_scan(int(rng.choice([150, 200, 300])), rng), "turn": 1.0}


def _photo(rng: Generator) -> Strengths:
    return {
        "pens": 1.0,
        "perspective": float(rng.uniform(0.1, 1)),
        "resolution": float(rng.uniform(0, 0.7)),
        "paper": float(rng.uniform(0.3, 1)),
        "light": float(rng.uniform(0.3, 1)),
        "blur": float(rng.uniform(0.5, 1.3)),
        "noise": float(rng.uniform(0.3, 1.2)),
        "jpeg": float(rng.uniform(0.3, 1)),
    }


def _marker_and_corner(rng: Generator) -> Strengths:
    """Lose a marker, or a corner, or both at the same corner of a scan."""
    kind = int(rng.integers(3))
    return {
        "marker": float(kind != 0),
        "corner": float(rng.uniform(0.5, 1)) if kind != 1 else 0.0,
        **_scan(int(rng.choice([150, 200, 300])), rng),
    }


_EXTRAS = (
    "pens",
    "faint",
    "frames",
    "marker",
    "tint",
    "pattern",
    "holes",
    "stains",
    "corner",
    "crop",
)


_IN_BLACK = ("frames", "marker", "holes", "corner", "crop")


def _mix(rng: Generator) -> Strengths:
    """Take a scan, a fax or a photo, turned at times, with up to four things wrong besides."""
    kind = rng.choice(["scan", "scan", "scan", "fax", "photo", "photo"])
    dpi = int(rng.choice([100, 150, 200, 300]))
    made = _photo(rng) if kind == "photo" else _fax(rng) if kind == "fax" else _scan(dpi, rng)
    if rng.random() < 0.25:
        made["turn"] = 1.0
    if kind == "scan":
        made["jpeg"] = float(rng.uniform(0, 1))
    # One bit a pixel would lose what is faint or lies on colour, for people too.
    extras = _IN_BLACK if kind == "fax" else _EXTRAS
    wrong = rng.choice(extras, int(rng.integers(0, 5)), replace=False).tolist()
    return made | {name: float(rng.uniform(0.3, 1)) for name in wrong}


LEVELS: Mapping[str, Level] = {
    "clean": _clean,
    "300": partial(_scan, 300),
    "200": partial(_scan, 200),
    "150": partial(_scan, 150),
    "100": partial(_scan, 100),
    "fax": _fax,
    "turned": _turned,
    "photo": _photo,
    "marker+corner": _marker_and_corner,
    "mix": _mix,
}
"""By name; each draws anew for every page."""


def parse_level(text: str) -> Level:
    """Read what `--degrade` says: a level, or degradations as `name=strength,name=strength`.

    Raises:
        ValueError: If a name is not known or a strength is no number from 0 to 5.
    """
    if level := LEVELS.get(text.strip()):
        return level
    strengths: Strengths = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if name not in NAMES or not equals:
            raise ValueError(
                f"{part.strip()!r} is neither a level ({', '.join(LEVELS)}) nor NAME=STRENGTH "
                f"with a NAME of {', '.join(NAMES)}"
            )
        strengths[name] = _strength(name, number)
    return lambda rng: dict(strengths)


def _strength(name: str, number: str) -> float:
    try:
        strength = float(number)
    except ValueError:
        strength = math.nan
    if not 0 <= strength <= _STRONGEST:
        raise ValueError(
            f"{name}={number}: a strength is a number from 0 to {_STRONGEST:g}, 1 being bad"
        )
    return strength
