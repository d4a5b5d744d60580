"""Floors under what the committed network reads, just below what was measured."""

from pathlib import Path

import numpy as np
import pytest

from models.classifier import WEIGHTS, load_classifier
from models.dataset import load_mnist
from models.evaluation.figures import evaluate
from models.evaluation.sets import gather_sets

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
FLOORS = {"mnist_test": 0.996, "usps_test": 0.983, "optdigits": 0.978, "nsysu_digits": 0.983}

pytestmark = pytest.mark.skipif(
    not (DATA / "mnist").is_dir(), reason=f"the digit sets are not there ({DATA})"
)


@pytest.fixture(scope="module")
def sets():
    """MNIST's test half, other people's digits, drawn negatives."""
    return gather_sets(load_mnist(DATA)[1], DATA)


@pytest.fixture(scope="module")
def figures(sets):
    """What the committed int8 network makes of them."""
    return evaluate(load_classifier(), sets)


@pytest.mark.parametrize("name", FLOORS)
def test_digits_are_read(figures, name):
    """Each set is read as well as when the network was committed."""
    assert figures[name]["accuracy"] >= FLOORS[name]


def test_digits_are_not_taken_for_marks(figures):
    """At most 0.1 % of MNIST's digits, and 0.6 % of other people's, are called none."""
    assert figures["mnist_test"]["false_not_a_digit"] <= 0.001
    for name in FLOORS:
        assert figures[name]["false_not_a_digit"] <= 0.006


def test_marks_are_not_accepted_as_digits(figures):
    """At most 0.5 % of drawn negatives are read as an accepted digit."""
    assert figures["negatives"]["false_digit"] <= 0.005


def test_the_card_tells_these_figures(figures):
    """The committed card belongs to the committed code: it says what is measured here."""
    stored = load_classifier().card.figures
    for name in FLOORS:
        assert stored[name]["accuracy"] == pytest.approx(figures[name]["accuracy"], abs=5e-4)


def test_int8_reads_as_well_as_float(sets, figures):
    """Quantisation costs at most 0.1 points on MNIST."""
    keras = pytest.importorskip("keras")
    model = keras.models.load_model(WEIGHTS / "digitnet.keras")
    test = sets["mnist_test"]
    logits = model.predict(test.images.astype(np.float32), batch_size=500, verbose=0)
    accuracy = (logits.argmax(axis=1) == test.labels).mean()
    assert figures["mnist_test"]["accuracy"] >= accuracy - 0.001
