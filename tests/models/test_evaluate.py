"""What must hold of figures: each says what its name says, on sets that were read whole."""

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

import models.evaluate
from models.classifier import load_classifier
from models.dataset import load_mnist
from models.evaluate import evaluate_network, make_negatives, measure, read_digit_set, table
from models.publish import draw_curve
from pipeline.errors import ModelError

STRUCK = 11


def test_figures_are_counted_right():
    """Four digits, one of them taken for a mark and one misread; two marks, one accepted as a 3."""
    read = [(0, 0.99), (1, 0.99), (5, 0.6), (STRUCK, 0.7), (STRUCK, 0.99), (3, 0.99)]
    probabilities = np.zeros((6, 13), np.float32)
    for row, (place, confidence) in zip(probabilities, read, strict=True):
        row[:] = (1 - confidence) / 12
        row[place] = confidence
    labels = np.array([0, 1, 2, 3, STRUCK, STRUCK], np.uint8)
    figures = measure(probabilities, labels, accept_confidence=0.9)
    assert figures["samples"] == 6
    assert figures["accuracy"] == pytest.approx(3 / 6)
    assert figures["false_not_a_digit"] == pytest.approx(1 / 4)
    assert figures["false_digit"] == pytest.approx(1 / 2)
    assert figures["accepted"] == pytest.approx(4 / 6, abs=1e-4)
    assert figures["wrong_accepted"] == pytest.approx(1 / 4)


def test_every_set_in_the_folder_is_measured(mnist_folder, monkeypatch, simulated):
    """MNIST's test half, drawn negatives, and such others as the folder holds."""
    monkeypatch.setattr(models.evaluate, "NEGATIVES", 30)
    images, labels = simulated
    (mnist_folder / "usps").mkdir()
    np.savez(mnist_folder / "usps" / "usps_test.npz", images=images[:50], labels=labels[:50])
    figures = evaluate_network(mnist_folder, load_classifier())
    assert {name: row["samples"] for name, row in figures.items()} == {
        "mnist_test": 60,
        "usps_test": 50,
        "negatives": 30,
    }
    assert figures["usps_test"]["accuracy"] > 0.9
    console = Console(record=True, width=160, file=StringIO())
    console.print(table(figures))
    assert "usps_test" in console.export_text()


def test_a_set_of_another_raster_is_normalized(tmp_path, simulated):
    """Digits of 16x16 come as 28x28; paper that is not quite white is paper."""
    small = np.pad(simulated[0][:5, 4:24, 4:24][:, ::2, ::2], ((0, 0), (3, 3), (3, 3)))
    path = tmp_path / "small.npz"
    np.savez(path, images=np.maximum(small, 9), labels=simulated[1][:5])
    samples = read_digit_set(path)
    assert samples.images.shape == (5, 28, 28, 1)
    assert (samples.images[:, 0] == 0).all()


def test_damaged_sets_are_named(tmp_path, simulated):
    """Half a file, or labels of another number than images."""
    path = tmp_path / "digits.npz"
    np.savez(path, images=simulated[0][:5], labels=simulated[1][:4])
    with pytest.raises(ModelError, match="5 images and 4 labels"):
        read_digit_set(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ModelError, match=path.name):
        read_digit_set(path)


def test_drawn_negatives_are_hardly_ever_accepted_as_digits(mnist_folder):
    """Styles that no training saw, with the committed network and its accept confidence."""
    classifier = load_classifier()
    samples = make_negatives(load_mnist(mnist_folder)[0], 2000, seed=31)
    figures = measure(
        classifier.probabilities(samples.images), samples.labels, classifier.card.accept_confidence
    )
    assert figures["false_digit"] <= 0.0075


def test_the_training_curve_is_a_picture(tmp_path):
    """One epoch is enough for it."""
    path = tmp_path / "curve.png"
    draw_curve([{"epoch": 1, "loss": 0.5, "clean": 0.9, "scanned": 0.8}], path)
    assert path.read_bytes().startswith(b"\x89PNG")
