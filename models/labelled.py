"""Labelled digits beside MNIST's: other collections, and boxes that people have read in review."""

from __future__ import annotations

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from models.scanning import drop_specks
from pipeline.errors import ModelError
from pipeline.normalize import SIDE, normalize
from pipeline.records import Floats, GreyImage

PAPER = 0.1
"""Share of the darkest ink up to which a pixel is paper. With 0.3, NSYSU's thin strokes break, and
3 % more of them are misread."""


def read_labelled(path: Path) -> tuple[GreyImage, NDArray[np.uint8]]:
    """Read the digits of a labelled set; boxes that hold none are left out.

    Args:
        path: An .npz with `images`, uint8 (N, h, w), ink high, and `labels`, 0 to 9 or one
            character each, as `formdigits export --boxes` writes them.

    Returns:
        Images uint8 (M, 28, 28) and labels uint8 (M,), 0 to 9.

    Raises:
        ModelError: If it is missing, damaged, or holds something else.
    """
    if not path.is_file():
        raise ModelError(f"{path} does not exist; write it with formdigits export --boxes.")
    try:
        with np.load(path) as stored:
            images, labels = stored["images"], stored["labels"]
    except (OSError, ValueError, KeyError, EOFError, zlib.error, BadZipFile) as error:
        raise ModelError(f"{path} is no labelled set, or damaged ({error}).") from error
    if images.ndim != 3 or images.dtype != np.uint8 or len(images) != len(labels):
        raise ModelError(
            f"{path} holds no images uint8 (N, h, w) with their labels; "
            "write it with formdigits export --boxes."
        )
    digits = np.char.isdecimal(labels.astype(str))
    return normalize_set(images[digits]), labels[digits].astype(np.uint8)


def normalize_set(images: GreyImage) -> GreyImage:
    """Bring a collection's digits into MNIST's geometry, off their paper and without its specks.

    Args:
        images: uint8 (N, h, w), ink high.

    Returns:
        uint8 (N, 28, 28).
    """
    made = [normalize(_clean(image.astype(np.float32) / np.float32(255))) for image in images]
    return np.array(made, np.uint8).reshape(-1, SIDE, SIDE)


def _clean(ink: Floats) -> Floats:
    kept = np.where(ink > PAPER * ink.max(), ink, 0).astype(np.float32)
    return drop_specks(kept)
