"""Digits to learn from: MNIST's own files, and which writer wrote each of them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from models.cheque_digits import read_cheque_digits
from models.labelled import read_labelled
from pipeline.errors import ModelError
from pipeline.records import GreyImage

_GZIP = b"\x1f\x8b"
IMAGES_MAGIC = 2051
LABELS_MAGIC = 2049
HELD_OUT_SHARE = 0.1
CHEQUES = "orand_car_a"


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """Labelled digits: images uint8 (N, 28, 28), ink high; labels uint8 (N,); who wrote each."""

    images: GreyImage
    labels: NDArray[np.uint8]
    writers: NDArray[np.int32]
    """int32 (N,); -1 throughout where no writers are known."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Digits:
        """Give the digits that a mask or an array of indices picks out."""
        return Digits(self.images[chosen], self.labels[chosen], self.writers[chosen])

    def join(self, images: GreyImage, labels: NDArray[np.uint8]) -> Digits:
        """Give these digits and others after them, whose writers are not known."""
        writers = np.full(len(labels), -1, np.int32)
        return Digits(
            np.concatenate([self.images, images]),
            np.concatenate([self.labels, labels]),
            np.concatenate([self.writers, writers]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """MNIST in three: to learn from, of other writers to choose and calibrate by, and to test."""

    training: Digits
    held_out: Digits
    test: Digits


def load_split(folder: Path | None, seed: int, also: Sequence[Path] = ()) -> Split:
    """Read MNIST, hold out writers of its training half, and add other digits to what is left.

    The others are `orand_car_a/` in the folder, digits of real cheques, where it is there, and
    the labelled sets `also`; see `load_mnist`, `cheque_digits` and `labelled`.
    """
    everything, test = load_mnist(folder)
    training, held_out = split_by_writer(everything, seed)
    if folder is not None and (folder / CHEQUES).is_dir():
        training = training.join(*read_cheque_digits(folder / CHEQUES))
    for path in also:
        training = training.join(*read_labelled(path))
    return Split(training, held_out, test)


def load_mnist(folder: Path | None) -> tuple[Digits, Digits]:
    """Read MNIST's training and test halves.

    Args:
        folder: Holds the four idx.gz files, or `mnist/` with them, and perhaps the writers in
            `mnist_writers/mnist_writers.npz`; None for Keras's own download.

    Returns:
        The training half and the test half.

    Raises:
        ModelError: If a file is missing, damaged, or does not fit its partner.
    """
    if folder is None:
        return _from_keras()
    files = folder / "mnist" if (folder / "mnist").is_dir() else folder
    writers = _read_writers(folder)
    return _read_half(files, "train", writers), _read_half(files, "t10k", writers)


def split_by_writer(
    digits: Digits, seed: int, share: float = HELD_OUT_SHARE
) -> tuple[Digits, Digits]:
    """Hold out a share of the writers with all their digits; digits at random where none are known.

    Returns:
        What to train on, and what to validate on; no writer is in both.
    """
    rng = np.random.default_rng(seed)
    if (digits.writers < 0).all():
        held_out = rng.random(len(digits)) < share
    else:
        names = rng.permutation(np.unique(digits.writers))
        held_out = np.isin(digits.writers, names[: max(1, round(share * names.size))])
    return digits.take(~held_out), digits.take(held_out)


def read_idx(path: Path, magic: int) -> NDArray[np.uint8]:
    """Read one idx file of unsigned bytes, packed by gzip or not.

    Source: the format as described by LeCun and Cortes with the data set: a big-endian magic
    number whose last byte counts the dimensions, a big-endian length for each, then the bytes.

    Raises:
        ModelError: If the file is missing, damaged, cut short, or of another kind.
    """
    content = _unpack(path)
    header = np.frombuffer(content[: len(content) // 4 * 4][:16], ">u4")
    dimensions = magic & 0xFF
    if header.size <= dimensions or header[0] != magic:
        raise ModelError(f"{path}: not the idx file expected here (magic {magic}); fetch it again.")
    shape = tuple(int(length) for length in header[1 : 1 + dimensions])
    found = len(content) - 4 * (1 + dimensions)
    if found != np.prod(shape):
        raise ModelError(f"{path}: holds {found} bytes, its header says {shape}; fetch it again.")
    return np.frombuffer(content, np.uint8, offset=4 * (1 + dimensions)).reshape(shape)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays of an .npz file by name.

    Raises:
        ModelError: If the file is damaged or cut short.
    """
    try:
        with np.load(path) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, zlib.error, BadZipFile) as error:
        raise ModelError(f"{path} is damaged ({error}); delete it or fetch it again.") from error


def _unpack(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP) else content
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing; --data needs MNIST's four idx.gz files.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise ModelError(f"{path} is damaged or cut short ({error}); fetch it again.") from error


def _read_half(folder: Path, half: str, writers: dict[str, NDArray[np.int32]]) -> Digits:
    images = read_idx(folder / f"{half}-images-idx3-ubyte.gz", IMAGES_MAGIC)
    labels = read_idx(folder / f"{half}-labels-idx1-ubyte.gz", LABELS_MAGIC)
    wrote = writers.get(half, np.full(len(labels), -1, np.int32))
    if not len(images) == len(labels) == len(wrote):
        raise ModelError(
            f"{folder}: {half} has {len(images)} images, {len(labels)} labels and "
            f"{len(wrote)} writers; all must be of one number."
        )
    if images.shape[1:] != (28, 28) or (len(labels) and labels.max() > 9):
        raise ModelError(
            f"{folder}: {half} must hold digits 0 to 9 in 28x28, found {images.shape}."
        )
    return Digits(images, labels, wrote)


def _read_writers(folder: Path) -> dict[str, NDArray[np.int32]]:
    for path in (
        folder / "mnist_writers" / "mnist_writers.npz",
        folder.parent / "mnist_writers" / "mnist_writers.npz",
    ):
        if path.is_file():
            stored = read_arrays(path)
            try:
                return {"train": stored["train_writer"], "t10k": stored["test10k_writer"]}
            except KeyError as error:
                raise ModelError(f"{path} lacks {error}; delete it or fetch it again.") from error
    return {}


def _from_keras() -> tuple[Digits, Digits]:
    import keras  # noqa: PLC0415  # only training needs it, and importing it takes 3 s

    try:
        train, test = keras.datasets.mnist.load_data()
    except Exception as error:
        raise ModelError(
            f"MNIST could not be downloaded ({error}); name a folder with its files by --data."
        ) from error
    return _without_writers(*train), _without_writers(*test)


def _without_writers(images: GreyImage, labels: NDArray[np.uint8]) -> Digits:
    return Digits(images, labels, np.full(len(labels), -1, np.int32))
