"""Whether what is installed fits together, and whether the network reads."""

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from flows.doctor.finding import Finding, State
from pipeline.errors import ModelError

PACKAGE: Final = "formdigits"
OLDEST_PYTHON: Final = (3, 11)
EXTRAS: Final = {
    "dask": "reading on many machines",
    "parquet": "export --format parquet",
    "postgresql": "a results database on a server",
    "s3": "inbox and output on S3",
    "train": "training networks",
}
"""What each optional part is for; those for developers are not looked at."""
SEED: Final = 1
DIGITS: Final = "0123456789"


def check_python() -> Iterator[Finding]:
    """Look at the interpreter and at the machine."""
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < OLDEST_PYTHON:
        needed = ".".join(map(str, OLDEST_PYTHON))
        yield Finding("Python", State.FAILED, found, f"install Python {needed} or newer")
    else:
        yield Finding("Python", State.OK, found)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    advice = f"extract --workers {cores} uses them all" if cores and cores > 1 else ""
    yield Finding("cores", State.NOTE, str(cores), advice)


def check_packages() -> Iterator[Finding]:
    """Compare the packages that are installed with those that are asked for."""
    try:
        wanted = [Requirement(line) for line in requires(PACKAGE) or []]
    except PackageNotFoundError:
        found = f"{PACKAGE} is not installed as a package"
        yield Finding("packages", State.FAILED, found, "pip install -e . where its source lies")
        return
    needed = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [problem for one in needed if (problem := _problem(one))]
    for problem in wrong:
        yield Finding("packages", State.FAILED, problem, "pip install -r requirements.txt")
    if not wrong:
        yield Finding("packages", State.OK, f"{len(needed)} as needed")
    for extra, purpose in EXTRAS.items():
        yield from _check_extra(extra, purpose, wanted)


def _problem(wanted: Requirement) -> str:
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is not installed"
    if wanted.specifier.contains(found, prereleases=True):
        return ""
    return f"{wanted.name} is {found}, needed is {wanted.specifier}"


def _check_extra(extra: str, purpose: str, wanted: list[Requirement]) -> Iterator[Finding]:
    own = [
        one for one in wanted if one.marker is not None and one.marker.evaluate({"extra": extra})
    ]
    problems = [problem for one in own if (problem := _problem(one))]
    if not own:
        return
    if problems:
        todo = f"only for {purpose}: pip install '{PACKAGE}[{extra}]'"
        yield Finding(f"extra {extra}", State.NOTE, "; ".join(problems), todo)
    else:
        yield Finding(f"extra {extra}", State.OK, f"installed, for {purpose}")


def check_network(weights: Path | None = None) -> Iterator[Finding]:
    """Load the network and its profile as reading does, and let it read digits drawn just now.

    Args:
        weights: The folder of its files; None for the one that reading uses.
    """
    import numpy as np  # noqa: PLC0415 - what is checked here may be what is missing

    from models.acceptance import load_profile  # noqa: PLC0415
    from models.classifier import WEIGHTS, load_classifier  # noqa: PLC0415
    from pipeline.authoring.pen import Writer, draw  # noqa: PLC0415
    from pipeline.normalize import normalize  # noqa: PLC0415

    classifier = load_classifier(folder=weights or WEIGHTS)  # refuses weights of another
    load_profile(classifier.card)
    rng = np.random.default_rng(SEED)
    writer = Writer.random(rng)
    boxes = np.stack([normalize(draw(writer, digit, rng)) for digit in DIGITS])[..., None]
    classes = classifier.probabilities(boxes).argmax(axis=1)
    read = "".join(str(classifier.card.classes[place]) for place in classes)
    name = f"{classifier.card.name} {classifier.card.sha256[:12]}"
    if read != DIGITS:
        raise ModelError(
            f"{name} reads drawn digits {DIGITS} as {read}; restore models/weights, or install "
            "formdigits again"
        )
    yield Finding("network", State.OK, f"{name} fits its card, and reads drawn digits")
