"""What a run is told to do, and what can be said of it before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from flows.batch import Rules
from pipeline.arrivals import PAUSE_S
from pipeline.inbox import Inbox, find_documents
from pipeline.template import load_templates

_RESULTS: Final = "results.db"
"""Of `pipeline.store.database`, which takes long to load."""


class Reread(StrEnum):
    """Which documents are read that were read before."""

    NEW = "new"
    """None."""
    CHANGED = "changed"
    """Those whose template, profile or network is another now."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Handling:
    """How a run treats the files of its inbox."""

    reread: Reread = Reread.NEW
    """Which documents are read that were read before."""
    move: bool = False
    """Whether files go to done/, failed/ or duplicate/ below the inbox when they were read."""
    settle_s: float = PAUSE_S
    """How long a file must have been left alone; a second of it is waited for."""
    by_itself: bool = False
    """Whether the run was started by no person, who might have mistyped the inbox."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is told to do."""

    inputs: Sequence[Path]
    templates: Path
    output: Path
    database: str = ""
    """Address of the results database; if none, it is in the output folder."""
    rules: Rules = field(default_factory=Rules)
    handling: Handling = field(default_factory=Handling)


def refuse(order: Order) -> None:
    """Find out, before anything is written, whether there is something to read and to read it with.

    Raises:
        InputFileError: If an input is missing, or holds nothing although nothing was ever read.
        TemplateError: If a template is wrong.
    """
    list_inbox(order)
    load_templates(order.templates, order.rules.today)


def root_of(source: Path) -> Path:
    """Give the folder of an input: itself, or that of a file."""
    return source if source.is_dir() else source.parent


def list_inbox(order: Order) -> Inbox:
    """Find the documents; where something was read before, there need be none."""
    handling = order.handling
    emptied = handling.move or bool(order.database) or (order.output / _RESULTS).exists()
    return find_documents(
        order.inputs, leave_out=order.output, may_be_empty=emptied or handling.by_itself
    )
