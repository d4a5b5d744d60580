"""What was read, and with what; knows no database, so that workers need not load one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.acceptance import Profile
from pipeline.records import ModelCard, PageResult, Status
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

    def editions(self) -> Editions:
        """Tell the equipment from others of the same names."""
        profile = "" if self.profile is None else repr(_plain(self.profile))
        return Editions(
            {template.template_id: template.sha256 for template in self.templates},
            self.card.sha256,
            _sha256(profile),
        )


def _plain(profile: Profile) -> tuple[object, ...]:
    thresholds = (tuple(sorted(each.items())) for each in (profile.fields, profile.floors))
    general = (
        profile.accept,
        profile.accept_checked,
        profile.field_map,
        sorted(profile.doubts.items()),
    )
    return *general, *thresholds


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Editions:
    """Which templates, network and profile read: a hash of each."""

    templates: Mapping[str, str]
    """By name."""
    model: str
    profile: str

    @property
    def all_templates(self) -> str:
        """The hash of all templates together."""
        return _sha256(repr(sorted(self.templates.items())))

    def of_page(self, template: str, status: str) -> str:
        """Give the hash of what decided a page: its template, or all where none could read it."""
        return self.templates.get(template, "") if status == Status.READ else self.all_templates

    def made_with(self, today: str) -> str:
        """Give one hash for all that decides what is read on a page."""
        return _sha256("\n".join((self.all_templates, self.model, self.profile, today)))


@dataclass(frozen=True, slots=True)
class Filed:
    """A page's result with what the database keeps beside it."""

    result: PageResult
    source: str
    """The document's name in the inbox; its name in the results differs where that was taken."""
    path: str
    page_count: int
    """Pages of the document."""
    template_id: int | None
    """The template's row."""
    template_sha256: str
    profile_sha256: str
    model_sha256: str
