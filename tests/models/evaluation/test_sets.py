"""What must hold of the sets: read whole or not at all, in the geometry of reading."""

import numpy as np
import pytest

import models.evaluation.sets
from models.classifier import load_classifier
from models.dataset import load_mnist
from models.evaluation.figures import look_at, measure
from models.evaluation.sets import gather_sets, make_negatives, read_digit_set
from pipeline.errors import ModelError


def test_every_set_in_the_folder_is_there(mnist_folder, monkeypatch, simulated):
    """MNIST's test half, drawn negatives, and such others as the folder holds."""
    monkeypatch.setattr(models.evaluation.sets, "NEGATIVES", 30)
    images, labels = simulated
    (mnist_folder / "usps").mkdir()
    np.savez(mnist_folder / "usps" / "usps_test.npz", images=images[:50], labels=labels[:50])
    sets = gather_sets(load_mnist(mnist_folder)[1], mnist_folder)
    counts = {name: len(samples) for name, samples in sets.items()}
    assert counts == {"mnist_test": 60, "usps_test": 50, "negatives": 30}
    usps = look_at(load_classifier(), sets["usps_test"])
    assert measure(usps, 0.9)["accuracy"] > 0.9


def test_a_set_of_another_raster_is_normalized(tmp_path, simulated):
    """Digits of 16x16 come as 28x28; paper that is not quite white is paper."""
    small = np.pad(simulated[0][:5, 4:24, 4:24][:, ::2, ::2], ((0, 0), (3, 3), (3, 3)))
    path = tmp_path / "small.npz"
    np.savez(path, images=np.maximum(small, 9), labels=simulated[1][:5])
    samples = read_digit_set(path)
    assert samples.images.shape == (5, 28, 28, 1)
    assert (samples.images[:, 0] == 0).all()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": 5, "labels": 4}, "5 images and 4 labels"),
        ({"images": 5}, "no labels"),
        ({"pictures": 5, "labels": 5}, "no images"),
    ],
)
def test_sets_that_do_not_fit_together_are_named(tmp_path, simulated, arrays, message):
    """Labels of another number than images, or none."""
    path = tmp_path / "digits.npz"
    places = {"labels": simulated[1], "images": simulated[0], "pictures": simulated[0]}
    np.savez(path, **{name: places[name][:count] for name, count in arrays.items()})
    with pytest.raises(ModelError, match=message) as caught:
        read_digit_set(path)
    assert path.name in str(caught.value)


def test_labels_that_are_no_digits_are_refused(tmp_path, simulated):
    """Ten and more would be taken for marks."""
    path = tmp_path / "digits.npz"
    np.savez(path, images=simulated[0][:5], labels=simulated[1][:5] + 10)
    with pytest.raises(ModelError, match="0 to 9"):
        read_digit_set(path)


def test_half_a_set_is_named(tmp_path, simulated):
    """A file cut short."""
    path = tmp_path / "digits.npz"
    np.savez(path, images=simulated[0][:5], labels=simulated[1][:5])
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ModelError, match=path.name):
        read_digit_set(path)


def test_drawn_negatives_are_hardly_ever_accepted_as_digits(mnist_folder):
    """Styles that no training saw, with the committed network and its accept confidence."""
    classifier = load_classifier()
    samples = make_negatives(load_mnist(mnist_folder)[0], 2000, seed=31)
    figures = measure(look_at(classifier, samples), classifier.card.accept_confidence)
    assert figures["false_digit"] <= 0.0075
