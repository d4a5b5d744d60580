"""Reading a batch of pages: what a Prefect task and a worker process both do.

Knows no Prefect, so that `--direct` starts without loading it.
"""

import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

from flows.runtime import settle_in
from models.acceptance import load_profile
from models.classifier import LiteRTClassifier, load_classifier
from pipeline.acceptance import Profile
from pipeline.errors import ExtractionError, InputFileError, PageError
from pipeline.ingest import (
    PageRef,
    UnsteadyFileError,
    decode_page,
    load,
)
from pipeline.page import failed_page, needed_side_px, read_pages
from pipeline.records import Flag, Page, PageId, PageResult, Status
from pipeline.store.origin import Origin
from pipeline.template import FormTemplate, load_templates
from pipeline.template_checks import clock_day

BATCH_PAGES: Final = 4
"""Few: a worker holds that many decoded pages, and the progress bar moves that often."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides beside the templates; the same for all workers of a run."""

    profile: Path | None = None
    """What is accepted; None for the profile shipped with the network."""
    today: date | None = None
    """What `today` in a template means; None for the day on which the run begins."""
    audit_share: float = 0.0
    """Share of the accepted fields that people check all the same."""


@dataclass(frozen=True, slots=True)
class Job:
    """A batch of pages as it is handed to a worker: paths, never pixels."""

    templates: Path
    run: int
    """Tells runs apart: the templates are loaded once a run, and anew in the next."""
    pages: tuple[PageRef, ...]
    rules: Rules = Rules()

    def parts(self) -> "Iterator[Job]":
        """Give its pages in batches as small as are read at once."""
        for start in range(0, len(self.pages), BATCH_PAGES):
            yield replace(self, pages=self.pages[start : start + BATCH_PAGES])


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the pages of a run are read with."""

    templates: Path
    run: int
    rules: Rules
    origin: Origin
    """Without the paths of documents."""

    def jobs(self, pages: Sequence[PageRef]) -> tuple[Job, ...]:
        """Put pages into batches."""
        batches = (
            pages[start : start + BATCH_PAGES] for start in range(0, len(pages), BATCH_PAGES)
        )
        return tuple(Job(self.templates, self.run, tuple(batch), self.rules) for batch in batches)


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a run, in numbers."""

    pages: int = 0
    failed: int = 0
    fields: int = 0
    accepted: int = 0
    duplicates: int = 0
    """Pages of files that are copies of others."""
    known: int = 0
    """Documents that were read before."""
    stale: int = 0
    """Those of them that were read with other templates, another profile or network."""
    waiting: int = 0
    """Files that are still being written, or cannot be read now: for the next run."""
    moved: int = 0
    """Files that were moved out of the inbox."""
    passed_over: int = 0
    """Files of other kinds, left alone."""

    @property
    def review(self) -> int:
        """Fields that wait for a person."""
        return self.fields - self.accepted

    def plus(self, results: Iterable[PageResult]) -> "Summary":
        """Count further pages."""
        all_pages = list(results)
        pages = [page for page in all_pages if page.status is not Status.DUPLICATE]
        flags = [field.flag for page in pages for field in page.fields]
        return replace(
            self,
            pages=self.pages + len(pages),
            duplicates=self.duplicates + len(all_pages) - len(pages),
            failed=self.failed + sum(page.status is Status.FAILED for page in pages),
            fields=self.fields + len(flags),
            accepted=self.accepted + flags.count(Flag.ACCEPTED),
        )


def equip(templates: Path, rules: Rules | None = None) -> Equipment:
    """Load what pages are read with.

    Args:
        templates: The folder of templates.
        rules: What decides beside the templates.

    Raises:
        TemplateError: If a template is wrong.
        ModelError: If the network cannot be loaded.
    """
    run = time.time_ns()
    rules = rules or Rules()
    rules = replace(rules, today=rules.today or clock_day())
    loaded, classifier, profile = _equipment(templates, run, rules)
    return Equipment(templates, run, rules, Origin(loaded, classifier.card, {}, profile))


@lru_cache(maxsize=1)
def _equipment(
    templates: Path, _run: int, rules: Rules
) -> tuple[tuple[FormTemplate, ...], LiteRTClassifier, Profile]:
    settle_in()
    loaded = load_templates(templates, rules.today)
    classifier = load_classifier()
    return loaded, classifier, load_profile(classifier.card, rules.profile)


def read_batch(job: Job, *, patient: bool = False) -> list[PageResult]:
    """Read a batch of pages; no page's failure stops the others.

    Args:
        job: What to read.
        patient: Whether the caller tries again when a file system stumbles. If not, the pages
            concerned fail.

    Returns:
        A result for each page of the job; none for a page of a file that was changed since the
        page was counted.

    Raises:
        UnsteadyFileError: If patient, and trying again may help.
        TemplateError: If a template is wrong.
        ModelError: If the network cannot be loaded.
    """
    templates, classifier, profile = _equipment(job.templates, job.run, job.rules)
    opened = [
        page
        for _, refs in groupby(job.pages, key=lambda ref: ref.document)
        for page in _open(tuple(refs), templates, patient=patient)
    ]
    pages = [page for page in opened if isinstance(page, Page)]
    failures = [page for page in opened if isinstance(page, PageResult)]
    return [*failures, *_read(pages, templates, classifier, profile)]


def give_up(job: Job, reason: str) -> list[PageResult]:
    """Give the results of a batch of which nothing could be read."""
    templates, _, _ = _equipment(job.templates, job.run, job.rules)
    identities = (PageId(ref.document.name, ref.number, ref.sha256) for ref in job.pages)
    return [failed_page(identity, reason, templates) for identity in identities]


def _open(
    refs: tuple[PageRef, ...], templates: Sequence[FormTemplate], *, patient: bool
) -> list[Page | PageResult]:
    """Decode pages of one document, or say of each why it cannot be."""
    document, sha256 = refs[0].document, ""
    opened: list[Page | PageResult] = []
    source, side_px = None, needed_side_px(templates)
    for ref in refs:
        try:
            source = source or load(document, sha256=ref.sha256, state=ref.state)
            sha256 = source.sha256
            if ref.sha256 not in {"", sha256}:
                return []
            opened.append(decode_page(source, ref.number, side_px=side_px))
        except (InputFileError, PageError) as error:
            if patient and isinstance(error, UnsteadyFileError):
                raise
            identity = PageId(document.name, ref.number, sha256)
            opened.append(failed_page(identity, str(error), templates))
    return opened


def _read(
    pages: Sequence[Page],
    templates: Sequence[FormTemplate],
    classifier: LiteRTClassifier,
    profile: Profile,
) -> list[PageResult]:
    """Read decoded pages; where that fails unforeseen, one by one, to lose only the page."""
    try:
        return read_pages(pages, templates, classifier, profile)
    except ExtractionError:
        raise
    except Exception as error:  # noqa: BLE001 - a night's run must outlive one page's surprise
        if len(pages) > 1:
            alone = ([page] for page in pages)
            return [
                result for page in alone for result in _read(page, templates, classifier, profile)
            ]
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__} in {place.name}: {error}; please report this page"
        return [failed_page(pages[0].identity, reason, templates)]
