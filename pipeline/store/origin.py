"""What a run read, and with what; knows no database, so that workers need not load one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.records import ModelCard
from pipeline.template import FormTemplate


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run read, and with what."""

    templates: Sequence[FormTemplate]
    card: ModelCard
    paths: Mapping[str, Path]
    """Where each document was found, by its name."""
    audited: frozenset[tuple[str, int, str]] = frozenset()
    """Accepted fields that people check all the same, unannounced: document, page, field."""
