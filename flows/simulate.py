"""Makes simulated pages of a template: reads what they are made of, writes scans and truth.csv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from models.dataset import IMAGES_MAGIC, LABELS_MAGIC, read_idx
from pipeline.authoring.blank import at_full_resolution, blank_page
from pipeline.authoring.digit_hands import DrawHand, digit_hands, pen_hands
from pipeline.authoring.levels import parse_level
from pipeline.authoring.scan_files import save_page
from pipeline.authoring.simulate import SimulatedPage, Simulation, simulate_page
from pipeline.authoring.values import LATEST
from pipeline.errors import InputFileError, ModelError, OutputError, TemplateError
from pipeline.records import Mark
from pipeline.tables import Table, as_csv, read_csv, write_whole
from pipeline.template import FormTemplate, load_templates

TRUTH_COLUMNS: Final = ("document", "page", "field", "raw")
SCANS: Final = "scans"
_WRITABLE: Final = frozenset("0123456789") | set(Mark)


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for."""

    template: Path
    output: Path
    count: int | None
    degrade: str
    digits: Path | None
    writers: Path | None
    values: Path | None
    page: str
    dpi: float
    seed: int
    force: bool


@dataclass(frozen=True, slots=True)
class Job:
    """What will be made."""

    plan: Simulation
    count: int
    output: Path

    @property
    def remark(self) -> str:
        """Say what is written on."""
        return self.plan.blank.remark


def prepare(order: Order) -> Job:
    """Read all that pages are made of, before the first is made.

    Raises:
        ExtractionError: If something is missing, damaged, or contradicts the template.
    """
    template = at_full_resolution(_one_template(order.template), order.dpi)
    values = _read_values(order.values, template) if order.values else ()
    plan = Simulation(
        template=template,
        blank=blank_page(template, order.page),
        hands=_read_hands(order.digits, order.writers),
        level=parse_level(order.degrade),
        values=values,
        seed=order.seed,
    )
    _prepare_output(order.output, force=order.force)
    return Job(plan, order.count or len(values) or 1, order.output)


def make_pages(job: Job) -> Iterator[str]:
    """Write OUTPUT/scans and, when all are there, OUTPUT/truth.csv.

    Yields:
        The name of each document, once it is written.

    Raises:
        ExtractionError: If a page cannot be made or written.
    """
    rows: list[tuple[str, ...]] = []
    for number in range(job.count):
        page = simulate_page(job.plan, number)
        name = f"{job.plan.template.template_id}-{number + 1:04}"
        name = _save(page, job.output / SCANS, name)
        rows += [(name, "1", field, raw) for field, raw in page.texts.items()]
        yield name
    truth = Table("truth", TRUTH_COLUMNS, tuple(rows))
    write_whole({job.output / "truth.csv": as_csv(truth).encode()})


def _one_template(path: Path) -> FormTemplate:
    try:
        templates = load_templates(path, LATEST)
    except TemplateError:  # perhaps for a range that begins later: only the clock can help
        templates = load_templates(path)
    if len(templates) > 1:
        names = ", ".join(template.template_id for template in templates)
        raise TemplateError(f"{path} holds several templates ({names}); name one of them.")
    return templates[0]


def _prepare_output(output: Path, *, force: bool) -> None:
    try:
        (output / SCANS).mkdir(parents=True, exist_ok=True)
        taken = (output / "truth.csv").exists() or any((output / SCANS).iterdir())
    except OSError as error:
        raise OutputError(
            f"{output} cannot be written ({error.strerror}); name a folder that you may write"
        ) from error
    if taken and not force:
        raise OutputError(
            f"{output} holds scans or a truth.csv already; name another folder, or say --force"
        )


def _save(page: SimulatedPage, folder: Path, name: str) -> str:
    try:
        return save_page(page, folder, name).name
    except OSError as error:
        raise OutputError(
            f"{folder / name} cannot be written ({error.strerror}); free space there, or name "
            "another folder"
        ) from error


def _read_hands(digits: Path | None, writers: Path | None) -> DrawHand:
    if digits is None:
        if writers is not None:
            raise InputFileError(f"{writers}: --writers says who wrote --digits; give those too")
        return pen_hands()
    beside = _labels_beside(digits)
    images, labels = _read_idx(digits, IMAGES_MAGIC), _read_idx(beside, LABELS_MAGIC)
    if len(images) != len(labels) or (len(labels) and labels.max() > 9):
        raise InputFileError(
            f"{digits}: {len(images)} images beside {len(labels)} labels from 0 to "
            f"{labels.max(initial=0)}; needs a label from 0 to 9 for each image"
        )
    names = _read_writers(writers, len(labels)) if writers else None
    try:
        return digit_hands(images, labels, names)
    except InputFileError as error:
        raise InputFileError(f"{writers or digits}: {error}") from error


def _labels_beside(images: Path) -> Path:
    name = images.name.replace("images", "labels").replace("idx3", "idx1")
    if name == images.name:
        raise InputFileError(
            f"{images}: its labels are looked for beside it by MNIST's naming "
            "(NAME-images-idx3-ubyte.gz, NAME-labels-idx1-ubyte.gz); name the files so"
        )
    return images.with_name(name)


def _read_idx(path: Path, magic: int) -> NDArray[np.uint8]:
    if not path.is_file():
        raise InputFileError(
            f"{path} does not exist; --digits needs idx files of images and labels"
        )
    try:
        return read_idx(path, magic)
    except ModelError as error:
        raise InputFileError(str(error)) from error


def _read_writers(path: Path, count: int) -> NDArray[np.int64]:
    """Read who wrote each digit: lines of numbers, or an .npz as QMNIST's are kept in.

    Of an .npz the array is taken whose name holds `writer` and that is as long as the digits.
    """
    try:
        if path.suffix == ".npz":
            with np.load(path) as stored:
                arrays = [stored[name] for name in stored.files if "writer" in name]
        else:
            arrays = [np.loadtxt(path, dtype=np.int64, ndmin=1)]
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise InputFileError(
            f"{path} cannot be read as writers ({error}); it needs one number a digit"
        ) from error
    fitting = [array for array in arrays if array.shape == (count,)]
    if not fitting:
        raise InputFileError(f"{path} holds no list of {count} writers, one for each digit")
    return np.asarray(fitting[0], np.int64)


def _read_values(path: Path, template: FormTemplate) -> tuple[Mapping[str, str], ...]:
    """Read what to write, in the form of a truth.csv; a page for each document and page there."""
    boxes = {spec.name: len(spec.boxes) for spec in template.fields}
    pages: dict[tuple[str, str], dict[str, str]] = {}
    rows = read_csv(path, TRUTH_COLUMNS).itertuples(index=False)
    for line, (document, page, field, raw) in enumerate(rows, start=2):
        _check_value(f"{path} line {line}", str(field), str(raw), boxes)
        pages.setdefault((str(document), str(page)), {})[str(field)] = str(raw)
    if not pages:
        raise InputFileError(f"{path} holds no values; it needs {','.join(TRUTH_COLUMNS)}")
    return tuple(pages.values())


def _check_value(where: str, field: str, raw: str, boxes: Mapping[str, int]) -> None:
    if field not in boxes:
        raise InputFileError(
            f"{where}: the template has no field {field!r}; it has {', '.join(boxes)}"
        )
    if len(raw) != boxes[field] or not set(raw) <= _WRITABLE:
        raise InputFileError(
            f"{where}: field {field!r} is {raw!r}, needs {boxes[field]} characters, one a box: "
            "0-9, _ for nothing, X for struck out, # for ink that is no digit"
        )
