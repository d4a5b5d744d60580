"""All checks in their order."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from flows.doctor.finding import Check, Finding, examine
from flows.doctor.installation import check_network, check_packages, check_python
from flows.doctor.places import check_database, check_folder, check_prefect, check_templates
from flows.remote.address import is_remote


def examination(
    folders: Sequence[Path],
    templates: Path | None = None,
    output: Path | None = None,
    database: str = "",
) -> Iterator[Finding]:
    """Look at everything that reading needs.

    Args:
        folders: Inboxes and outputs.
        templates: The folder of templates, if it is to be looked at.
        output: The folder whose results database is looked at.
        database: The address of a results database.
    """
    checks: list[tuple[str, Check]] = [
        ("Python", check_python),
        ("packages", check_packages),
        ("network", check_network),
    ]
    places = dict.fromkeys([*folders, *([output] if output else [])])
    checks += [(str(folder), partial(check_folder, folder)) for folder in places]
    if templates:
        checks.append((str(templates), partial(check_templates, templates)))
    if database or (output and not is_remote(output)):
        checks.append(("database", partial(check_database, output or Path(), database)))
    checks.append(("Prefect", check_prefect))
    for what, check in checks:
        yield from examine(what, check)
