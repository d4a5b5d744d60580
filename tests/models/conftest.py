"""A small MNIST of simulated digits, written as its four files are."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.authoring.pen import Writer, draw
from pipeline.normalize import normalize

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

Bytes = NDArray[np.uint8]


def write_idx(path: Path, values: Bytes) -> None:
    """Write unsigned bytes in the idx format."""
    header = np.array([0x0800 + values.ndim, *values.shape], ">u4").tobytes()
    path.write_bytes(gzip.compress(header + values.tobytes()))


def draw_digits(count: int, seed: int) -> tuple[Bytes, Bytes]:
    """Draw digits by as many hands: images (N, 28, 28) and labels (N,)."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = [normalize(draw(Writer.random(rng), str(label), rng)) for label in labels]
    return np.stack(images), labels


@pytest.fixture(scope="session")
def simulated() -> tuple[Bytes, Bytes]:
    """600 drawn digits with their labels."""
    return draw_digits(600, seed=7)


@pytest.fixture
def mnist_folder(tmp_path: Path, simulated: tuple[Bytes, Bytes]) -> Path:
    """A `--data` folder as MNIST's, 300 digits and 60, each thirty of one writer."""
    folder = tmp_path / "data"
    (folder / "mnist_writers").mkdir(parents=True)
    images, labels = simulated
    for half, part in {"train": slice(0, 300), "t10k": slice(300, 360)}.items():
        write_idx(folder / f"{half}-images-idx3-ubyte.gz", images[part])
        write_idx(folder / f"{half}-labels-idx1-ubyte.gz", labels[part])
    np.savez(
        folder / "mnist_writers" / "mnist_writers.npz",
        train_writer=np.arange(300, dtype=np.int32) // 30,
        test10k_writer=np.arange(60, dtype=np.int32) // 30,
    )
    return folder


@pytest.fixture
def rng() -> Callable[[], np.random.Generator]:
    """A generator that always starts from the same state."""
    return lambda: np.random.default_rng(5)
