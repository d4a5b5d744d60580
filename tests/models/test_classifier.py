"""What must hold of the committed network: it is the card's, and reads in the order given."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.classifier import MOST_AT_ONCE, WEIGHTS, load_classifier, softmax
from pipeline.errors import ModelError
from pipeline.records import ModelCard

CLASSES = "0123456789_X#"
SIMULATED_FLOOR = 0.985


@pytest.fixture(scope="module")
def classifier():
    """The committed network."""
    return load_classifier()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with a copy of the committed network and its card."""
    for suffix in (".tflite", ".json"):
        shutil.copy(WEIGHTS / f"digitnet{suffix}", tmp_path)
    return tmp_path


@pytest.fixture
def batch(simulated):
    """600 drawn digits as the network takes them."""
    return simulated[0][..., None]


def test_probabilities_of_a_box_sum_to_one(classifier, batch):
    """Each row is a distribution over the card's classes."""
    probabilities = classifier.probabilities(batch)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (len(batch), len(CLASSES))
    assert (probabilities >= 0).all()
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_drawn_digits_are_read(classifier, batch, simulated):
    """Digits of the pen simulator, hands at random, are read right."""
    read = classifier.probabilities(batch).argmax(axis=1)
    assert (read == simulated[1]).mean() >= SIMULATED_FLOOR


def test_a_batch_keeps_its_order(classifier, batch):
    """A box reads the same wherever it stands, in a batch of any size."""
    together = classifier.probabilities(batch)
    assert len(batch) > 2 * MOST_AT_ONCE
    turned = classifier.probabilities(batch[::-1])
    assert np.array_equal(together, turned[::-1])
    for place in (0, 255, 256, 599):
        assert np.array_equal(
            classifier.probabilities(batch[place : place + 1])[0], together[place]
        )


def test_no_boxes_give_no_probabilities(classifier, batch):
    """An empty batch is a batch."""
    assert classifier.probabilities(batch[:0]).shape == (0, len(CLASSES))


def test_a_box_without_ink_is_no_digit(classifier):
    """A blank box never yields a digit."""
    read = classifier.probabilities(np.zeros((1, 28, 28, 1), np.uint8)).argmax()
    assert CLASSES[read] == "_"


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 28, 28), np.uint8),
        np.zeros((2, 32, 32, 1), np.uint8),
        np.zeros((2, 28, 28, 1), np.float32),
    ],
)
def test_another_shape_or_type_is_a_programmers_error(classifier, wrong):
    """Only uint8 of (N, 28, 28, 1) is a batch."""
    with pytest.raises(ValueError, match="A batch is uint8"):
        classifier.probabilities(wrong)


def test_the_card_tells_all(classifier):
    """The committed card has the classes of `raw`, and figures for MNIST."""
    card = classifier.card
    assert isinstance(card, ModelCard)
    assert (card.name, card.classes, card.input_shape) == ("digitnet", CLASSES, (28, 28, 1))
    assert 0.2 < card.temperature < 5
    assert 0.5 < card.accept_confidence < 1
    assert card.figures["mnist_test"]["accuracy"] > 0.99


def test_weights_of_another_network_are_refused(weights):
    """Weights that are not those of the card are not used, however little they differ."""
    path = weights / "digitnet.tflite"
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="SHA-256"):
        load_classifier(folder=weights)


def test_missing_weights_are_named(weights):
    """The error says which file to restore."""
    (weights / "digitnet.tflite").unlink()
    with pytest.raises(ModelError, match=r"digitnet\.tflite"):
        load_classifier(folder=weights)
    with pytest.raises(ModelError, match=r"nosuch\.json"):
        load_classifier("nosuch", weights)


def test_a_card_alone_says_how_to_get_its_weights(weights):
    """Of some networks only the card is shipped."""
    (weights / "digitnet.json").rename(weights / "mlp.json")
    with pytest.raises(ModelError, match="train --network mlp"):
        load_classifier("mlp", weights)


def test_networks_lie_side_by_side(weights):
    """Each is found by its name."""
    for suffix in ("tflite", "json"):
        shutil.copy(weights / f"digitnet.{suffix}", weights / f"other.{suffix}")
    names = [load_classifier(name, weights).card.sha256 for name in ("digitnet", "other")]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_shape": [32, 32, 1]}, r"\(28, 28, 1\)"),
        ({"classes": "0123456789", "biases": []}, "13 classes"),
        ({"biases": [0.5, 0.5]}, "2 biases for 13 classes"),
    ],
)
def test_weights_of_another_shape_are_refused(weights, change, message):
    """The card's input and classes must be those of the weights."""
    path = weights / "digitnet.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError, match=message):
        load_classifier(folder=weights)


def test_a_card_of_an_earlier_version_is_read(weights, classifier, batch):
    """Without biases, nothing is added."""
    path = weights / "digitnet.json"
    stored = json.loads(path.read_text())
    stored.pop("biases", None)
    path.write_text(json.dumps(stored))
    earlier = load_classifier(folder=weights)
    expected = softmax(classifier.logits(batch), classifier.card.temperature)
    assert np.array_equal(earlier.probabilities(batch), expected)


def test_biases_prefer_classes():
    """A class that gets more is more probable; the rows still sum to 1."""
    logits = np.array([[1, 1, 0]], np.float32)
    probabilities = softmax(logits, 2.0, (0, 0.5, 0))
    assert probabilities[0, 1] > probabilities[0, 0] > probabilities[0, 2]
    assert probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"name": "digitnet"}'])
def test_a_damaged_card_is_named(weights, content):
    """A card that is cut short or lacks an entry is no card."""
    (weights / "digitnet.json").write_text(content)
    with pytest.raises(ModelError, match=r"digitnet\.json"):
        load_classifier(folder=weights)


def test_reading_needs_no_tensorflow():
    """Loading the network for reading imports neither TensorFlow nor Keras."""
    code = (
        "import sys, models.classifier as c; c.load_classifier(); "
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_higher_temperature_is_less_sure():
    """Raising the temperature lowers the highest probability and keeps its place."""
    logits = np.array([[1, 5, 2], [1000, -1000, 0]], np.float32)
    cold, warm = softmax(logits, 1.0), softmax(logits, 3.0)
    assert (cold.argmax(axis=1) == warm.argmax(axis=1)).all()
    assert warm[0].max() < cold[0].max()
    assert np.isfinite(cold).all()
