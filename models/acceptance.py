"""Which profile a run decides by: the one it is given, else the one shipped with the network."""

from __future__ import annotations

from pathlib import Path

from models.classifier import WEIGHTS
from pipeline.acceptance import Profile, ProfileModel, PromiseModel, read_profile
from pipeline.errors import InputFileError
from pipeline.records import ModelCard


def shipped_profile(card: ModelCard, folder: Path = WEIGHTS) -> Path:
    """Give the place of the profile that belongs to a network."""
    return folder / f"{card.name}.profile.yaml"


def load_profile(card: ModelCard, path: Path | None = None) -> Profile:
    """Load what a run decides by.

    Args:
        card: The network's.
        path: A profile; None for the one shipped with the network. Where none is, or it is of
            other weights, as right after training, boxes are taken at their word and the card's
            one threshold decides.

    Raises:
        InputFileError: If the profile that was asked for is missing or wrong.
    """
    return read_for(card, path).to_profile()


def read_for(card: ModelCard, path: Path | None) -> ProfileModel:
    """Read the profile that `load_profile` loads, with all that it says."""
    if path is not None:
        return read_profile(path, card.sha256)
    try:
        return read_profile(shipped_profile(card), card.sha256)
    except InputFileError:
        return _of_card(card)


def _of_card(card: ModelCard) -> ProfileModel:
    """Give a profile that promises nothing."""
    nothing = PromiseModel(
        accept=card.accept_confidence,
        fields=0,
        accepted=0,
        wrong=0,
        wrong_at_most=1.0,
        promised=False,
    )
    return ProfileModel(
        network=card.sha256,
        max_error=1.0,
        confidence=0.0,
        fitted_on="the threshold of the model card",
        plain=nothing,
        checked=nothing,
    )
