"""What several tests draw with, learn from, and run the command with."""

import gzip
import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray
from PIL import Image

from pipeline.authoring.pen import Writer, draw
from pipeline.normalize import normalize

# A change is judged by the same examples each time; who develops it gets new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

Grey = NDArray[np.uint8]
Bytes = NDArray[np.uint8]
CORNER = 60
"""Side of the squares that tell a picture's corners apart."""


@pytest.fixture
def corner_page() -> Grey:
    """Paper of shape (300, 200): a black square upper left, a grey one lower right."""
    page = np.full((300, 200), 255, np.uint8)
    page[:CORNER, :CORNER] = 0
    page[-CORNER:, -CORNER:] = 128
    return page


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write a picture as Pillow does: `save(name, image, form="PNG", **options)`."""

    def write(name: str, image: Image.Image, *, form: str, **options: Any) -> Path:
        memory = io.BytesIO()
        image.save(memory, form, **options)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(memory.getvalue())
        return path

    return write


REPOSITORY = Path(__file__).parent.parent
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine where nobody has set up Prefect."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    return {**kept, "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect"))}


@pytest.fixture(scope="session")
def formdigits(environment: dict[str, str]) -> Command:
    """Run the command as a user does: `formdigits("extract", ..., variables={...})`."""
    program = Path(sys.executable).with_name("formdigits")

    def run(
        *arguments: object, variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *map(str, arguments)],
            env={**environment, **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def sample_forms() -> Path:
    """The forms that the project draws itself: a folder of templates with scans beside them."""
    return REPOSITORY / "sample_forms"


@pytest.fixture(scope="session")
def huge_png() -> bytes:
    """A valid PNG of 30,000 x 30,000 white pixels, tiny as a file."""
    side = 30_000
    packer = zlib.compressobj(1)
    row = b"\0" + b"\xff" * (side // 8)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*chunk) for chunk in chunks)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


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
    """A `--data` folder as MNIST's, 300 drawn digits and 60, each thirty of one writer."""
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
