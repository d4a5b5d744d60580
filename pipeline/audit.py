"""Proof that goes on: some accepted fields are checked by people who do not know which."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.records import Flag, PageResult
from pipeline.tables import Table, as_csv, read_csv, write_whole

AUDIT_FILE: Final = "audit.csv"
_COLUMNS: Final = ("document", "page", "template", "field", "raw")
LEVEL: Final = 0.95

Key = tuple[str, int, str]
"""Document, page, field."""


@dataclass(frozen=True, slots=True)
class Audited:
    """An accepted field that was drawn, as it was read."""

    document: str
    page: int
    template: str
    field: str
    raw: str

    @property
    def key(self) -> Key:
        """Which field it is."""
        return self.document, self.page, self.field


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the answers say about all accepted fields."""

    drawn: int
    answered: int
    wrong: int
    low: float
    """The share of wrong ones is at least this, and at most `high`: 95 % sure, two-sided."""
    high: float


def draw_audit(results: Iterable[PageResult], share: float) -> list[Audited]:
    """Draw accepted fields for people to check.

    The draw follows from the document's content, page and field alone: the same scans give the
    same sample, whatever else is in the batch, and nobody can tell it by looking.

    Args:
        results: A run's.
        share: Of the accepted fields, 0 to 1.
    """
    return [
        Audited(page.identity.document, page.identity.number, page.template, field.field, field.raw)
        for page in results
        for field in page.fields
        if field.flag is Flag.ACCEPTED
        and _lot(page.identity.sha256, page.identity.number, field.field) < share
    ]


def _lot(sha256: str, number: int, field: str) -> float:
    """Draw a number from 0 to 1."""
    drawn = hashlib.sha256(f"audit:{sha256}:{number}:{field}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") / 2**64


def keep_audit(drawn: Sequence[Audited], documents: Iterable[str], output: Path) -> None:
    """Write down which fields were drawn, beside those of earlier batches.

    Args:
        drawn: This batch's.
        documents: All documents of this batch; what was drawn of them before is forgotten.
        output: The folder.

    Raises:
        OutputError: If it cannot be written.
    """
    again = set(documents)
    kept = [one for one in read_audit(output) if one.document not in again]
    _write([*kept, *drawn], output)


def keep_only(documents: Collection[str], output: Path) -> None:
    """Forget what was drawn of all but some documents.

    Raises:
        OutputError: If it cannot be written.
    """
    _write([one for one in read_audit(output) if one.document in documents], output)


def _write(drawn: Iterable[Audited], output: Path) -> None:
    rows = sorted((one.document, one.page, one.template, one.field, one.raw) for one in drawn)
    table = Table("audit", _COLUMNS, tuple(tuple(map(str, row)) for row in rows))
    write_whole({output / AUDIT_FILE: as_csv(table).encode()})


def read_audit(output: Path) -> list[Audited]:
    """Read which fields were drawn, in this and earlier batches; none where none ever were.

    Raises:
        InputFileError: If the file is damaged.
    """
    path = output / AUDIT_FILE
    if not path.exists():
        return []
    rows = read_csv(path, _COLUMNS).itertuples(index=False)
    return [
        Audited(str(document), int(str(page)), str(template), str(field), str(raw))
        for document, page, template, field, raw in rows
    ]


def estimate(drawn: Sequence[Audited], answers: Mapping[Key, str]) -> Estimate:
    """Estimate the share of wrong fields among all accepted ones.

    Source: Clopper and Pearson 1934, both sides.

    Args:
        drawn: The fields that people were asked about.
        answers: What people say stands in a field's boxes; also of other fields.
    """
    from scipy.stats import beta  # noqa: PLC0415 - loading it takes longer than reading a page

    known = [one.raw != answers[one.key] for one in drawn if one.key in answers]
    wrong, count, side = sum(known), len(known), (1 - LEVEL) / 2
    low = float(beta.ppf(side, wrong, count - wrong + 1)) if wrong else 0.0
    high = float(beta.ppf(1 - side, wrong + 1, count - wrong)) if wrong < count else 1.0
    return Estimate(len(drawn), count, wrong, low, high)
