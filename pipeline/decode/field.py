"""One field by itself: the most probable text under its checks, and how probable it is.

A writer keeps a check but for a share of fields, `writer_error`. So each text that breaks it is
weighed with that share, each other text with the rest, and the probabilities of all boxes decide
between them. What is plainly written is never corrected by this: a text that breaks a check gives
way only to one that passes and that the boxes alone hold to be more than `writer_error` to its
complement as probable - at 0.5 %, one reading of which is at least half a per cent as likely as
the other, in a box that is unclear by any standard. Otherwise the field keeps what is written,
and the broken check is a reason for review.

A text with a box that cannot be read may pass with some digits in its place and not with others:
it is weighed by their shares. So a check confirms a digit against a blot as far as other digits
would have broken it, and no further; and it never turns into a digit what is likelier a blot. A
text with a gap, and an empty one, are asked nothing, and keep the full weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from pipeline.decode.meaning import checked_digits, failed_checks, is_empty, value_of
from pipeline.decode.search import Box, search, share_passing, trellis
from pipeline.records import Mark
from pipeline.template import FieldSpec

PLAIN = 5e-5
"""Fields whose boxes are all together surer than this from 1 are as they stand."""
UNLIKELY = 1e-5
"""A text this much less likely than the likeliest is not looked at between fields."""


BoxView = Mapping[str, float]
"""One box: its characters with their probabilities, likeliest first."""


@dataclass(frozen=True, slots=True)
class FieldReading:
    """A field as decoded, before checks between fields."""

    spec: FieldSpec
    boxes: tuple[BoxView, ...]
    plain: str
    """The likeliest character of each box."""
    raw: str
    """The likeliest text under the field's checks."""
    posterior: float
    """The probability of `raw` under them."""
    total: float
    """The weight of all texts, by which that of one is divided."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that a field may hold."""

    raw: str
    value: str | None
    """None where it has no meaning; empty for an empty field."""
    probability: float


def read_field(boxes: Sequence[BoxView], spec: FieldSpec, writer_error: float) -> FieldReading:
    """Decide what a field says by its boxes and its own checks."""
    plain = "".join(next(iter(box)) for box in boxes)
    likely = text_probability(boxes, plain)
    kept, broken = 1 - writer_error, writer_error
    if not spec.checks or likely > 1 - PLAIN:
        total = _weight(plain, spec, writer_error) if spec.checks else kept
        return FieldReading(spec, tuple(boxes), plain, plain, likely, total)
    is_broken = bool(failed_checks(plain, spec))
    allowed = search([_split(box, spec) for box in boxes], spec.checks, mend=is_broken)
    failing = max(allowed.judged - allowed.mass - allowed.unsearched, 0.0)
    total = kept * (1 - failing) + broken * failing
    raw, weight = plain, likely * _weight(plain, spec, writer_error)
    if kept * allowed.best > weight:
        raw, weight = allowed.raw, kept * allowed.best
    return FieldReading(spec, tuple(boxes), plain, raw, min(weight / total, 1.0), total)


def text_probability(boxes: Sequence[BoxView], text: str) -> float:
    """Multiply the probabilities that the boxes give to a text."""
    return prod(box.get(character, 0.0) for box, character in zip(boxes, text, strict=True))


def _split(box: BoxView, spec: FieldSpec) -> Box:
    """Sort a box's characters into digits and marks that count as none."""
    empty = () if spec.date_format else tuple(spec.empty_marks)
    mark = max(empty, key=box.__getitem__, default=Mark.BLANK)
    return Box(
        digits=tuple(map(box.__getitem__, "0123456789")),
        unread=sum(p for one, p in box.items() if not one.isdecimal() and one not in empty),
        empty=sum(map(box.__getitem__, empty)),
        empty_mark=mark,
        empty_best=box[mark] if empty else 0.0,
    )


def list_candidates(reading: FieldReading, writer_error: float) -> list[Candidate]:
    """List every text of a field that is not unlikely, the likeliest first.

    All of them: a text is left out only where it is `UNLIKELY` against the likeliest.
    """
    boxes = reading.boxes
    likeliest = [next(iter(box.values())) for box in boxes]
    rest = prod(likeliest)
    # Where the likeliest text breaks a check, one that passes is worth more than it looks.
    floor = UNLIKELY * rest * (writer_error if failed_checks(reading.plain, reading.spec) else 1)
    texts = [("", 1.0)]
    for box, likely in zip(boxes, likeliest, strict=True):
        rest /= likely
        texts = [
            (text + character, together)
            for text, probability in texts
            for character, more in box.items()
            if (together := probability * more) * rest >= floor
        ]
    found = [_weigh(text, likely, reading, writer_error) for text, likely in texts]
    return sorted(found, key=lambda one: -one.probability)


def _weigh(text: str, likely: float, reading: FieldReading, writer_error: float) -> Candidate:
    spec = reading.spec
    digits = checked_digits(text, spec)
    if digits is None:
        weight = _weight(text, spec, writer_error) if spec.checks else 1 - writer_error
        value = "" if is_empty(text, spec) else None
    else:
        passes = not spec.checks or trellis(spec.checks).passes(digits)
        weight = 1 - writer_error if passes else writer_error
        value = value_of(digits, spec) or None
    return Candidate(text, value, likely * weight / reading.total)


def _weight(text: str, spec: FieldSpec, writer_error: float) -> float:
    """Weigh a text by its checks, one with unread boxes by the digits that may stand there."""
    empty = "" if spec.date_format else "".join(spec.empty_marks)
    inner = text.strip(empty)
    if inner.isdecimal():
        return writer_error if failed_checks(text, spec) else 1 - writer_error
    if not inner or set(inner) & set(empty):
        return 1 - writer_error
    passing = share_passing(inner, spec.checks)
    return passing * (1 - writer_error) + (1 - passing) * writer_error
