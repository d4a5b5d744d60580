"""How things stand with an output, as a person and as a program read it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from flows.show import printable, show_table
from pipeline.store.database import database_url, opened
from pipeline.store.summary import Run, Standing, summarise


def standing_of(output: Path, database: str = "") -> Standing:
    """Say how things stand with an output.

    Raises:
        OutputError: If nothing was read into it yet, or its database does not answer.
    """
    with opened(database_url(output, database)) as engine:
        return summarise(engine)


def show_standing(found: Standing, out: Console) -> None:
    """Show how things stand: figures, the last runs, the pages that failed."""
    show_table(out, ("what", "state", "number"), list(_figures(found)))
    if found.runs:
        columns = ("run began", "ended", "state", "pages", "failed", "duplicates", "fields")
        rows = [
            tuple(map(str, (one.began_at, one.ended_at or "-", one.state, *_numbers(one))))
            for one in found.runs
        ]
        show_table(out, columns, rows)
    if found.failures:
        rows = [(one.document, str(one.page), one.reason) for one in found.failures]
        show_table(out, ("not read", "page", "reason"), rows)


def _numbers(run: Run) -> tuple[int, ...]:
    return run.pages, run.failed, run.duplicates, run.fields


def _figures(found: Standing) -> Iterator[tuple[str, str, str]]:
    groups: Mapping[str, Mapping[str, int]] = {
        "documents": found.documents,
        "pages": found.pages,
        "fields": found.fields,
        "queue": found.queue,
        "why fields wait": found.reasons,
    }
    for what, numbers in groups.items():
        for state, number in numbers.items():
            yield what, printable(state), str(number)
