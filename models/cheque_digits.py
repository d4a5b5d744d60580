"""Digits of real cheques to learn from: other countries' shapes, real pens, real paper.

Source: Diem, Fiel, Kleber, Sablatnig, Saavedra, Contreras, Barrios and Oliveira, "ICFHR 2014
competition on handwritten digit string recognition in challenging datasets (HDSRC 2014)": the
courtesy amounts ORAND-CAR-A, of a Uruguayan bank, here with a box given for each digit.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.scanning import drop_specks
from pipeline.errors import ModelError
from pipeline.normalize import SIDE, normalize
from pipeline.records import Floats, GreyImage

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels of the amount's image."""

LABELS = "labels_train.csv"
PAPER_PX = 25
"""More than a stroke is wide and less than the paper's shading; amounts are about 55 px high."""
SMALLEST_PX = 5
INSIDE = 0.6
"""Share of a piece of ink that lies in the digit's box, from which it is the digit's."""


def read_cheque_digits(folder: Path) -> tuple[GreyImage, NDArray[np.uint8]]:
    """Cut the digits out of the amounts' images, and normalise them as MNIST's are.

    Args:
        folder: Holds `labels_train.csv` (image, width, height, digits, boxes_xywh) and, beside
            it, the images by their paths there.

    Returns:
        uint8 (N, 28, 28), ink high, and the labels, uint8 (N,).

    Raises:
        ModelError: If a file is missing or damaged; it says which.
    """
    images, labels = [], []
    for path, digits, boxes in _read_labels(folder):
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise ModelError(f"{path} is missing or damaged; fetch the data set again.")
        for digit, box in zip(digits, boxes, strict=True):
            if min(box[2:]) >= SMALLEST_PX:
                images.append(normalize(cut_out(np.asarray(image, np.uint8), box)))
                labels.append(int(digit))
    return np.array(images, np.uint8).reshape(-1, SIDE, SIDE), np.array(labels, np.uint8)


def cut_out(image: GreyImage, box: Box) -> Floats:
    """Take a digit's ink off its paper, whose printed pattern is fainter than the pen.

    Args:
        image: uint8 (H, W), 0 ink, 255 paper.
        box: Round the digit; strokes of its neighbours may reach in.

    Returns:
        float32 (h, w), 0 paper, 1 pen.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (PAPER_PX, PAPER_PX))
    darkness = cv2.morphologyEx(image, cv2.MORPH_BLACKHAT, kernel)
    level, mask = cv2.threshold(darkness, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    x, y, width, height = box
    area = slice(y, y + height), slice(x, x + width)
    own = cv2.dilate(_own_pieces(np.asarray(mask, np.uint8), area), np.ones((3, 3), np.uint8))
    dark = np.where(own > 0, darkness[area], 0).astype(np.float32)
    paper = 0.6 * level
    ink = np.clip((dark - paper) / max(1.0, float(dark.max()) - paper), 0, 1)
    return drop_specks(ink.astype(np.float32))


def _own_pieces(mask: GreyImage, area: tuple[slice, slice]) -> GreyImage:
    """Keep the largest piece in the box, and others that lie mostly in it: uint8, 0 or 1."""
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    inside = np.bincount(pieces[area].ravel(), minlength=len(facts))
    inside[0] = 0
    own = inside >= INSIDE * np.maximum(facts[:, cv2.CC_STAT_AREA], 1)
    own[inside.argmax()] = inside.any()
    own[0] = False
    return np.asarray(own[pieces[area]], np.uint8)


def _read_labels(folder: Path) -> Iterator[tuple[Path, str, list[Box]]]:
    path = folder / LABELS
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        for row in rows:
            boxes = [_read_box(text) for text in row["boxes_xywh"].split(";")]
            if len(boxes) == len(row["digits"]):
                yield folder / Path(row["image"]).relative_to("images"), row["digits"], boxes
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(f"{path} is missing or damaged ({error}); fetch it again.") from error


def _read_box(text: str) -> Box:
    x, y, width, height = map(int, text.split())
    return x, y, width, height
