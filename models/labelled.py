"""Boxes that people have read in review, as `formdigits export --boxes` writes them."""

from __future__ import annotations

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.normalize import SIDE
from pipeline.records import GreyImage


def read_labelled(path: Path) -> tuple[GreyImage, NDArray[np.uint8]]:
    """Read the digits of a labelled set; boxes that hold none are left out.

    Args:
        path: An .npz with `images`, uint8 (N, 28, 28), ink high, and `labels`, one character each.

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
    if images.shape != (len(labels), SIDE, SIDE):
        raise ModelError(
            f"{path} holds no images (N, {SIDE}, {SIDE}) with their labels; "
            "write it with formdigits export --boxes."
        )
    digits = np.char.isdecimal(labels.astype(str))
    return images[digits].astype(np.uint8), labels[digits].astype(np.uint8)
