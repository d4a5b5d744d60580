"""One evaluation: a network, all sets that are there, a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.classifier import WEIGHTS, load_classifier
from models.dataset import load_mnist
from models.evaluation.figures import Figures, Outcome, look_at, measure
from models.evaluation.forms import read_forms
from models.evaluation.page import write_page
from models.evaluation.sets import gather_sets


@dataclass(frozen=True, slots=True)
class Own:
    """Forms of one's own to measure on."""

    scans: tuple[Path, ...]
    templates: Path
    truth: Path
    """A CSV of document, page, field, raw."""


def evaluate_network(
    name: str, folder: Path | None, data: Path | None, own: Own | None, output: Path
) -> tuple[dict[str, Figures], Path]:
    """Measure a network and write the page.

    Args:
        name: The network's.
        folder: Where it lies; None for the installed one.
        data: Folder with MNIST and perhaps other sets. With None, MNIST is downloaded, unless
            there are forms to measure on.
        own: Forms of one's own; None for none.
        output: Folder for the page.

    Returns:
        The figures by set, and the page.

    Raises:
        ModelError: If network or digits are missing or damaged.
        InputFileError: If the forms or their truth are.
        TemplateError: If a template is wrong.
        OutputError: If the page cannot be written.
    """
    classifier = load_classifier(name, folder or WEIGHTS)
    outcomes: dict[str, Outcome] = {}
    if own:
        outcomes["forms"] = read_forms(own.scans, own.templates, own.truth, classifier)
    if data or not own:
        sets = gather_sets(load_mnist(data)[1], data)
        outcomes |= {title: look_at(classifier, samples) for title, samples in sets.items()}
    page = write_page(outcomes, classifier.card, output)
    accept = classifier.card.accept_confidence
    return {title: measure(outcome, accept) for title, outcome in outcomes.items()}, page
