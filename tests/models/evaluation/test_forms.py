"""What must hold of one's own forms: every box of the truth is read, or counted as not read."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from models.classifier import load_classifier
from models.evaluation.forms import read_forms
from models.evaluation.run import Own, evaluate_network
from pipeline.errors import InputFileError, ModelError

SAMPLES = Path(__file__).parents[3] / "sample_forms"
CARD = SAMPLES / "postal-card"


@pytest.fixture(scope="module")
def classifier():
    """The committed network."""
    return load_classifier()


def write_truth(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write rows as a truth."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["document", "page", "field", "raw"])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def truth() -> list[dict[str, str]]:
    """The rows of the postal cards' truth."""
    with (CARD / "truth.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_boxes_are_read_as_in_a_real_run(classifier):
    """All boxes of the sample cards, with where each is found."""
    outcome = read_forms([CARD / "scans"], CARD, CARD / "truth.csv", classifier)
    assert len(outcome.labels) == 36
    assert outcome.unread == 0
    assert (outcome.read == outcome.labels).mean() >= 0.97
    assert outcome.images[outcome.labels < 10].any(axis=(1, 2, 3)).all()
    assert outcome.places[0].endswith(", page 1, pin_code, box 1")


def test_what_cannot_be_read_is_counted(classifier, truth, tmp_path):
    """A damaged page, a field no template has, a box too many: none of them is dropped."""
    scans = tmp_path / "scans"
    shutil.copytree(CARD / "scans", scans)
    (scans / truth[0]["document"]).write_bytes(b"\x89PNG half a file")
    odd = {**truth[1], "field": "nosuch", "raw": "12"}
    longer = {**truth[2], "raw": truth[2]["raw"] + "7"}
    path = write_truth(tmp_path / "truth.csv", [*truth[:2], odd, longer, *truth[3:]])
    outcome = read_forms([scans], CARD, path, classifier)
    assert outcome.unread == 6 + 2 + 1
    assert len(outcome.labels) == 30


def test_a_truth_of_other_scans_is_refused(classifier, truth, tmp_path):
    """Nothing of it can be read."""
    path = write_truth(tmp_path / "truth.csv", [{**truth[0], "document": "elsewhere.png"}])
    with pytest.raises(InputFileError, match="not one box"):
        read_forms([CARD / "scans"], CARD, path, classifier)


def test_a_truth_with_other_characters_is_refused(classifier, truth, tmp_path):
    """An O for a 0 is told, not counted as an error of the network."""
    path = write_truth(tmp_path / "truth.csv", [{**truth[0], "raw": "3O2017"}])
    with pytest.raises(InputFileError, match="has O"):
        read_forms([CARD / "scans"], CARD, path, classifier)


def test_a_network_of_digits_cannot_read_forms(classifier):
    """Boxes may be blank."""

    class OfDigits:
        card = replace(classifier.card, classes="0123456789")
        probabilities = classifier.probabilities

    with pytest.raises(ModelError, match="--network"):
        read_forms([CARD / "scans"], CARD, CARD / "truth.csv", OfDigits())


def test_without_data_only_the_forms_are_measured(tmp_path):
    """Nothing is downloaded."""
    own = Own((CARD / "scans",), CARD, CARD / "truth.csv")
    figures, page = evaluate_network("digitnet", None, None, own, tmp_path)
    assert list(figures) == ["forms"]
    assert figures["forms"]["samples"] == 36
    assert page.is_file()
