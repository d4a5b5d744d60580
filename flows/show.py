"""What a verb shows when it is done: a table for a person, plain lines for a program."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.batch import Summary
from pipeline.records import Status
from pipeline.tables import restore

if TYPE_CHECKING:
    from pipeline.score import Score
    from pipeline.template import FormTemplate

ROWS_SHOWN: Final = 40
FAILURES_SHOWN: Final = 10
_FIELD_COLUMNS: Final = (
    "document",
    "page",
    "field",
    "raw",
    "value",
    "confidence",
    "flag",
    "reasons",
)
_STYLES: Final = {"accepted": "green", "review": "yellow"}


def show_table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Show rows: a table in a terminal, tab-separated lines elsewhere."""
    if not console.is_terminal:
        for row in (columns, *rows):
            console.file.write("\t".join(map(printable, row)) + "\n")
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(printable(cell), _STYLES.get(cell, "")) for cell in row))
    console.print(table)


def printable(text: str) -> str:
    """Write out control characters, which a file name may hold and a terminal would obey."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def show_run(output: Path, summary: Summary, *, out: Console, err: Console) -> None:
    """Show the first fields of a run on stdout, and what became of it on stderr."""
    fields = _rows(output / "fields.csv", _FIELD_COLUMNS)
    show_table(out, _FIELD_COLUMNS, islice(fields, ROWS_SHOWN))
    if more := sum(1 for _ in fields):
        err.print(f"… and {more} more fields in {output / 'fields.csv'}")
    _show_failures(output, err)
    for line in _remarks(summary):
        err.print(line, soft_wrap=True)
    review = f", {summary.review} to review" if summary.review else ""
    err.print(
        f"{_count(summary.pages - summary.failed, 'page')} read, {summary.failed} failed; "
        f"{_count(summary.fields, 'field')}: {summary.accepted} accepted{review}. "
        f"Written to {output}",
        soft_wrap=True,
    )


def _remarks(summary: Summary) -> Iterator[str]:
    """Say what became of files that were not read now."""
    if summary.passed_over:
        yield f"{_count(summary.passed_over, 'file')} of other kinds left alone"
    if summary.known:
        yield f"{_count(summary.known, 'document')} read before; --force reads all again"
    if summary.stale:
        yield (
            f"{_count(summary.stale, 'document')} of them with another template, profile or "
            "network than now; --changed reads these again"
        )
    if summary.duplicates:
        yield f"{_count(summary.duplicates, 'page')} in copies of other files: not read twice"
    if summary.waiting:
        yield (
            f"{_count(summary.waiting, 'file')} still being written, or not to be read now: left "
            "to the next run"
        )
    if summary.moved:
        yield f"{_count(summary.moved, 'file')} moved out of the inbox"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _show_failures(output: Path, err: Console) -> None:
    rows = _rows(output / "pages.csv", ("status", "document", "page", "reason"))
    failures = (row[1:] for row in rows if row[0] == Status.FAILED)
    for document, page, reason in islice(failures, FAILURES_SHOWN):
        line = f"not read: {printable(document)} page {page}: {printable(reason)}"
        err.print(Text(line, "yellow"), soft_wrap=True)
    if more := sum(1 for _ in failures):
        err.print(f"… and {more} more in {output / 'pages.csv'}")


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield tuple(restore(row[name]) for name in columns)


def show_score(figures: "Score", out: Console) -> None:
    """Show the figures of a run."""
    rows = [
        ("boxes", str(figures.boxes.count)),
        ("box accuracy", _percent(figures.boxes.accuracy)),
        *(
            (f"  {state} ({tally.count} boxes)", _percent(tally.accuracy))
            for state, tally in figures.states.items()
        ),
        ("fields", str(figures.fields.count)),
        ("field accuracy", _percent(figures.fields.accuracy)),
        ("accepted", _percent(figures.accepted / figures.fields.count)),
        (
            "wrong among accepted",
            f"{figures.wrong_accepted} ({_percent(figures.wrong_accepted_share)})",
        ),
        ("risk-coverage area (AURC)", f"{figures.aurc:.5f}"),
    ]
    show_table(out, ("figure", "value"), rows)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def show_templates(templates: Sequence["FormTemplate"], out: Console) -> None:
    """Show the fields of each template."""
    rows = [
        (
            f"{template.template_id} v{template.version}",
            field.name,
            field.type + (f" {field.date_format}" if field.date_format else ""),
            str(len(field.boxes)),
            "yes" if field.required else "",
            ", ".join(sorted(mark.name.lower() for mark in field.empty_marks)),
            ", ".join(check.name for check in field.checks),
        )
        for template in templates
        for field in template.fields
    ]
    columns = ("template", "field", "type", "boxes", "required", "may be", "checks")
    show_table(out, columns, rows)
