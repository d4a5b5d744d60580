"""The frozen records that the stages hand on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

GreyImage = NDArray[np.uint8]
Points = NDArray[np.float64]
Floats = NDArray[np.float32]


class Mark(StrEnum):
    """What a box holds if not a digit, written as in the `raw` column."""

    BLANK = "_"
    STRUCK = "X"
    ILLEGIBLE = "#"


class Flag(StrEnum):
    """Whether a field needs a person."""

    ACCEPTED = "accepted"
    REVIEW = "review"


class Status(StrEnum):
    """What became of a page."""

    READ = "read"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    """Of a document that holds the same bytes as another, which is read."""


@dataclass(frozen=True, slots=True)
class Box:
    """A digit's box in template pixels; origin top left, right and bottom excluded."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in template pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in template pixels."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class PageId:
    """Which page: the document's path below the input, the page from 1, the file's hash."""

    document: str
    number: int
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A decoded page: grey uint8 of shape (H, W), 0 ink, 255 paper."""

    identity: PageId
    image: GreyImage


@dataclass(frozen=True, slots=True, eq=False)
class AlignedPage:
    """A page with the way from template pixels to its own.

    Boxes are sampled straight from the scan: warping a whole page costs more than decoding it.
    """

    page: Page
    homography: NDArray[np.float64]
    """(3, 3), template pixels to scan pixels."""
    residual_px: float | None
    """Median distance between printed frames and where the homography puts them; None where the
    frames are too pale to be seen."""
    absent: frozenset[str] = frozenset()
    """Fields whose place the scan does not show."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxCrop:
    """The ink of one box, frame and neighbours removed: float32 (h, w), 0 paper, 1 pen."""

    field: str
    position: int
    ink: Floats
    doubtful: bool = False
    """Whether a stroke may have gone with the frame."""
    around: GreyImage | None = None
    """What else is there, frame and neighbours: uint8 (h + 2 m, w + 2 m), 255 pen, with the same
    margin m on all sides of `ink`."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxReading:
    """What one box holds: a calibrated probability for each class of the network."""

    field: str
    position: int
    classes: str
    probabilities: Floats
    image: GreyImage = dataclasses.field(default_factory=lambda: np.zeros((28, 28), np.uint8))
    """uint8 (28, 28): the box as the network saw it."""

    def ranked(self) -> tuple[tuple[str, float], tuple[str, float]]:
        """Give the two most probable characters, each with its probability."""
        first, second = np.argsort(-self.probabilities, kind="stable")[:2]
        return (
            (self.classes[first], float(self.probabilities[first])),
            (self.classes[second], float(self.probabilities[second])),
        )


@dataclass(frozen=True, slots=True)
class FieldResult:
    """One field as read; `value` is text always, leading zeros included."""

    field: str
    raw: str
    value: str
    confidence: float
    flag: Flag
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One box as it goes to digits.csv."""

    field: str
    position: int
    reading: str
    confidence: float
    second: str
    second_confidence: float


@dataclass(frozen=True, slots=True)
class PageResult:
    """All that is kept of one page."""

    identity: PageId
    template: str
    status: Status
    reason: str
    residual_px: float | None
    fields: tuple[FieldResult, ...]
    boxes: tuple[BoxRow, ...]
    homography: tuple[float, ...] = ()
    """(3, 3) row by row, template pixels to shares of the scan's width and height; empty for a page
    that failed."""
    seen: bytes = b""
    """What the network saw of each of `boxes`: uint8 (N, 28, 28), packed by zlib."""
    rostered: tuple[tuple[str, tuple[Mapping[str, float], ...]], ...] = ()
    """For each field of the template's roster what its boxes say, likeliest characters first."""
    unassigned: tuple[FieldResult, ...] = ()
    """The fields as they were before a roster decided some of them; empty where none did."""


class Source(StrEnum):
    """Where the text of a field comes from."""

    MACHINE = "machine"
    REVIEWED = "reviewed"
    SECOND_KEY = "second key"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says stands in a field; appended, never in place of a reading."""

    raw: str
    value: str
    source: Source
    reviewer: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a network is, and what may be asked of it; stands beside its weights as JSON."""

    name: str
    sha256: str
    input_shape: tuple[int, int, int]
    classes: str
    """One character a class, as in `raw`."""
    temperature: float
    """Divides the logits; see `models.calibrate`."""
    accept_confidence: float
    """Fields at or above it are accepted."""
    figures: dict[str, Any]
    trained_on: str
    biases: tuple[float, ...] = ()
    """Added to the divided logits, one a class; with none, nothing is."""
