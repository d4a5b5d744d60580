"""What a run read, and with what; knows no database, so that workers need not load one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.acceptance import Profile
from pipeline.records import ModelCard
from pipeline.template import FormTemplate


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run read, and with what."""

    templates: Sequence[FormTemplate]
    card: ModelCard
    paths: Mapping[str, Path]
    """Where each document was found, by its name."""
    profile: Profile | None = None
    """What decided about acceptance; None for the card alone."""
    audited: frozenset[tuple[str, int, str]] = frozenset()
    """Accepted fields that people check all the same, unannounced: document, page, field."""

    def threshold(self, template: str, field: str) -> float:
        """Give the confidence from which a field of that name is surely an accepted one."""
        card = self.card.accept_confidence
        if self.profile is None:
            return card
        of_field = (self.profile.threshold(template, field, checked=each) for each in (True, False))
        return max(card, *of_field)
