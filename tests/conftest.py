"""What several tests draw with."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]
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
