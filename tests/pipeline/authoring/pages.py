"""What the tests of simulated pages share: a form, and hands that write made-up digits."""

import numpy as np

from pipeline.authoring.digit_hands import DrawHand, digit_hands
from pipeline.template import FormTemplate
from tests.pipeline.forms import MARKERS, field, form, row

CARD = form(
    "card",
    field("number", row(200, 300, 8)),
    field("pin", row(300, 620, 5, gap=14)),
    field("amount", row(420, 980, 6)),
    markers=MARKERS,
)
CROWDED = form("crowded", field("all", row(5, 5, 9, width=110, height=1390)))
"""Boxes all over the page."""


def collection(per_digit: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Draw pictures of 28x28 that tell digits apart by where they have a bar."""
    labels = np.repeat(np.arange(10, dtype=np.uint8), per_digit)
    images = np.zeros((len(labels), 28, 28), np.uint8)
    for number, label in enumerate(labels):
        images[number, 4:24, 10:14] = 255
        images[number, 4 + 2 * label : 6 + 2 * label, 6:20] = 255
    return images, labels


def hands() -> DrawHand:
    """Give hands that write with the collection."""
    return digit_hands(*collection())


def box_windows(image: np.ndarray, template: FormTemplate) -> list[np.ndarray]:
    """Cut the insides of all boxes from a page at the template's size."""
    return [
        image[round(box.top) : round(box.bottom), round(box.left) : round(box.right)]
        for spec in template.fields
        for box in spec.boxes
    ]
