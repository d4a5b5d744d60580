"""What must hold of reading MNIST: all of it or a clear error, and no writer on both sides."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from models.dataset import load_mnist, load_split
from pipeline.errors import ModelError

IMAGES = "train-images-idx3-ubyte.gz"
LABELS = "train-labels-idx1-ubyte.gz"


def test_files_come_back_as_written(mnist_folder, simulated):
    """Images, labels and writers are those of the files, in their order."""
    training, test = load_mnist(mnist_folder)
    images, labels = simulated
    assert np.array_equal(training.images, images[:300])
    assert np.array_equal(training.labels, labels[:300])
    assert np.array_equal(test.images, images[300:360])
    assert training.writers[29] != training.writers[30]


def test_files_may_lie_in_a_folder_named_mnist(mnist_folder):
    """A parent folder with mnist/ and mnist_writers/ serves as well."""
    inner = mnist_folder / "mnist"
    inner.mkdir()
    for path in mnist_folder.glob("*.gz"):
        path.rename(inner / path.name)
    assert len(load_mnist(mnist_folder)[0]) == 300
    assert load_mnist(inner)[0].writers.max() == 9


def test_no_writer_is_both_learned_from_and_held_out(mnist_folder):
    """The split is by writer, loses no digit, and follows from the seed."""
    split = load_split(mnist_folder, seed=3)
    assert not set(split.training.writers) & set(split.held_out.writers)
    assert len(split.training) + len(split.held_out) == 300
    again = load_split(mnist_folder, seed=3)
    assert np.array_equal(split.held_out.images, again.held_out.images)


def test_without_writers_digits_are_held_out_at_random(mnist_folder):
    """Where nobody knows who wrote what, about a tenth of the digits is held out."""
    (mnist_folder / "mnist_writers" / "mnist_writers.npz").unlink()
    split = load_split(mnist_folder, seed=3)
    assert 10 <= len(split.held_out) <= 60


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        (IMAGES, lambda content: content[: len(content) // 2]),
        (IMAGES, lambda _: b""),
        (IMAGES, lambda _: b"<html>not found</html>"),
        (IMAGES, lambda content: content[:40] + bytes(20) + content[60:]),
        (IMAGES, lambda _: gzip.compress(b"\0\0")),
        (LABELS, lambda content: gzip.compress(gzip.decompress(content)[:-7])),
        (LABELS, lambda content: gzip.compress(gzip.decompress(content) + b"\1")),
        ("mnist_writers/mnist_writers.npz", lambda content: content[:200]),
    ],
)
def test_damaged_files_are_named(mnist_folder: Path, name, spoil):
    """A half download, another file under the name, a byte too few: the error names the file."""
    path = mnist_folder / name
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ModelError, match=path.name):
        load_mnist(mnist_folder)


def test_images_in_place_of_labels_are_refused(mnist_folder):
    """A file of the wrong kind is not read as if it were the right one."""
    (mnist_folder / LABELS).write_bytes((mnist_folder / IMAGES).read_bytes())
    with pytest.raises(ModelError, match="magic"):
        load_mnist(mnist_folder)


def test_labels_of_another_number_than_images_are_refused(mnist_folder):
    """Labels of the other half do not fit."""
    (mnist_folder / LABELS).write_bytes(
        (mnist_folder / LABELS.replace("train", "t10k")).read_bytes()
    )
    with pytest.raises(ModelError, match="300 images, 60 labels"):
        load_mnist(mnist_folder)


def test_a_missing_file_is_named(mnist_folder):
    """The error says which of the four files is missing."""
    (mnist_folder / LABELS).unlink()
    with pytest.raises(ModelError, match=LABELS):
        load_mnist(mnist_folder)


def test_writers_of_another_making_are_named(mnist_folder):
    """An .npz without the arrays that are needed."""
    path = mnist_folder / "mnist_writers" / "mnist_writers.npz"
    np.savez(path, writers=np.arange(300))
    with pytest.raises(ModelError, match=path.name):
        load_mnist(mnist_folder)
