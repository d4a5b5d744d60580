"""Where results go: into the database first, and from there into the CSVs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import OutputError
from pipeline.export import export_final


def check_database(output: Path, database: str = "", *, force: bool = False) -> None:
    """Find out before any page is read whether the database can be used.

    Args:
        output: The output folder.
        database: Address of the database; if none, it is in the folder.
        force: Remove a file in the folder that has its name and is another program's.

    Raises:
        OutputError: If it cannot be used.
    """
    # Loading SQLAlchemy takes longer than reading a page: only what needs it does.
    from pipeline.store.database import (  # noqa: PLC0415
        FILE,
        NotOursError,
        database_url,
        opened,
    )

    path = output / FILE
    if not database and not path.exists():
        return
    try:
        with opened(database_url(output, database), create=True):
            pass
    except NotOursError as error:
        if database:
            raise
        if not force:
            raise OutputError(f"{error}, or give --force to replace it") from error
        path.unlink()


@dataclass(frozen=True, slots=True)
class Final:
    """What an export holds."""

    fields: int
    decided: int
    """By people."""
    imported: int = 0
    boxes: int = 0
    """Of the labelled set, if it was written."""


def apply_reviews(  # noqa: PLR0913 - the options of a verb
    output: Path,
    files: Sequence[Path] = (),
    reviewer: str = "",
    *,
    form: str = "csv",
    database: str = "",
    boxes: bool = False,
) -> Final:
    """Import edited files, and write the results as people corrected them.

    Args:
        output: A folder that extract wrote.
        files: Edited fields.csv files.
        reviewer: Whose decisions those are.
        form: csv, xlsx or parquet.
        database: Address of the database; if none, it is in the folder.
        boxes: Write the boxes that people have read too.

    Raises:
        InputFileError: If a row of a file cannot be taken; then nothing of that file was.
        OutputError: If the results cannot be written.
    """
    from pipeline.review.importing import import_file  # noqa: PLC0415 - see `check_database`
    from pipeline.store.database import database_url, opened  # noqa: PLC0415
    from pipeline.store.labels import export_labels  # noqa: PLC0415
    from pipeline.store.load import load_corrections, load_results  # noqa: PLC0415

    with opened(database_url(output, database)) as engine:
        imported = sum(import_file(engine, file, reviewer) for file in files)
        results, corrections = list(load_results(engine)), load_corrections(engine)
        export_final(results, corrections, output, suffix=f".{form}")
        labelled = export_labels(engine, output) if boxes else 0
    return Final(sum(len(page.fields) for page in results), len(corrections), imported, labelled)
