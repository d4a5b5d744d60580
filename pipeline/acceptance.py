"""What a field's probability is worth, and from where on it is accepted: the profile of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, inf, log
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import InputFileError
from pipeline.records import Mark

_LEAST = 1e-7
"""Probabilities are kept this far from 0 and 1: nothing measured tells finer ones apart."""


DOUBT = 0.25
"""How often a box is misread where a stroke may have gone with the frame, until that is measured:
so it was on simulated cheques."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """From what boxes and checks say to how often fields like it were right.

    On the scale of log odds: `slope` times what the boxes say of all of them together, plus
    `offset`, plus `trust` times what the checks add. Boxes of one page have one writer and one
    scanner, so that their product is not the probability of the field; and checks know nothing of
    why a box was misread.

    Source: Platt, "Probabilistic outputs for support vector machines", 1999, with two inputs.
    """

    slope: float = 1.0
    offset: float = 0.0
    trust: float = 1.0

    def confidence(self, product: float, posterior: float) -> float:
        """Give the probability that a field is right.

        Args:
            product: That all its boxes are right, taken one by one.
            posterior: The same after its checks; equal to it where it has none.
        """
        boxes = log_odds(product)
        odds = self.slope * boxes + self.offset + self.trust * (log_odds(posterior) - boxes)
        return 1 / (1 + exp(-odds))


def log_odds(probability: float) -> float:
    """Give the logarithm of p / (1 - p), bounded."""
    safe = min(max(probability, _LEAST), 1 - _LEAST)
    return log(safe / (1 - safe))


@dataclass(frozen=True, slots=True)
class Profile:
    """The numbers that decide what is accepted."""

    accept: float
    """The confidence from which a field is accepted that has no threshold of its own."""
    accept_checked: float
    """The same for a field with checks."""
    fields: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """By template and field: those for which a promise holds."""
    floors: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Likewise: those with too few fields for a promise; at least what their errors ask for."""
    field_map: FieldMap = FieldMap()
    doubts: Mapping[str, float] = field(default_factory=dict)
    """For each character how often a box is misread as it where a stroke may have gone with the
    frame; `DOUBT` for those left out."""

    def threshold(self, template: str, name: str, *, checked: bool) -> float:
        """Give the confidence from which a field is accepted."""
        general = self.accept_checked if checked else self.accept
        key = template, name
        return self.fields.get(key, max(general, self.floors.get(key, 0.0)))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Share = Annotated[float, Field(ge=0, le=1)]
Character = Annotated[str, Field(pattern=f"^[0-9{''.join(Mark)}]$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class MapModel(_Strict):
    """A FieldMap as it is written."""

    slope: Annotated[float, Field(gt=0, le=10)] = 1.0
    offset: Finite = 0.0
    trust: Annotated[float, Field(ge=0, le=10)] = 1.0


class PromiseModel(_Strict):
    """What was found for a field, or for all fields of a kind."""

    accept: Share | None
    """The threshold; none where too many were wrong whatever it is."""
    fields: int
    """How many were looked at."""
    accepted: int
    wrong: int
    wrong_at_most: Share
    """The upper bound on the share of wrong ones among the accepted."""
    promised: bool
    """Whether that bound is below what was asked for."""


class FieldPromise(PromiseModel):
    """What was found for one field."""

    template: str
    field: str


class ProfileModel(_Strict):
    """A profile as it is written; YAML."""

    profile: Annotated[int, Field(ge=1, le=1)] = 1
    network: str
    """SHA-256 of the weights whose confidences these thresholds are of."""
    max_error: Share
    confidence: Share
    fitted_on: str
    field_map: MapModel = MapModel()
    doubts: dict[Character, Share] = {}
    """For each character how often a box is misread as it where a stroke may have gone with the
    frame."""
    plain: PromiseModel
    """Of fields without checks."""
    checked: PromiseModel
    fields: tuple[FieldPromise, ...] = ()

    def to_profile(self) -> Profile:
        """Give what decoding needs of it."""
        return Profile(
            accept=_threshold(self.plain),
            accept_checked=_threshold(self.checked),
            fields=self._thresholds(promised=True),
            floors=self._thresholds(promised=False),
            field_map=FieldMap(**self.field_map.model_dump()),
            doubts=self.doubts,
        )

    def _thresholds(self, *, promised: bool) -> dict[tuple[str, str], float]:
        return {
            (one.template, one.field): _threshold(one)
            for one in self.fields
            if one.promised == promised
        }


def _threshold(promise: PromiseModel) -> float:
    return inf if promise.accept is None else promise.accept


def read_profile(path: Path, network: str) -> ProfileModel:
    """Read a profile.

    Args:
        path: The YAML file.
        network: SHA-256 of the weights that will read.

    Raises:
        InputFileError: If it is missing, no profile, or was made with another network.
    """
    try:
        model = ProfileModel.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputFileError(f"{path} cannot be read as a profile: {error}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = " > ".join(str(part) for part in problem["loc"])
        raise InputFileError(
            f"{path} is no profile: {place}: {problem['msg']}; write one with formdigits calibrate"
        ) from error
    if model.network != network:
        raise InputFileError(
            f"{path} was made with another network ({model.network[:12]}…, here {network[:12]}…); "
            "its thresholds mean nothing here. Read again, and run formdigits calibrate."
        )
    return model


def profile_text(model: ProfileModel) -> str:
    """Write a profile as YAML."""
    return yaml.safe_dump(model.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
