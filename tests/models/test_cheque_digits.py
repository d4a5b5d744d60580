"""What must hold of digits cut out of cheque amounts: each its own ink, whole, off the pattern."""

import cv2
import numpy as np
import pytest

from models.cheque_digits import cut_out, read_cheque_digits
from models.dataset import load_split
from pipeline.errors import ModelError

BOXES = ((12, 10, 24, 40), (44, 10, 24, 40))


@pytest.fixture
def amount():
    """A 0 and a 1 on paper with a fine printed pattern; the 0's tail reaches into the 1's box."""
    image = np.full((60, 90), 225, np.uint8)
    image[::4] = 200
    cv2.ellipse(image, (24, 30), (10, 18), 0, 0, 360, 40, 3)
    cv2.line(image, (33, 22), (47, 14), 40, 3)
    cv2.line(image, (58, 12), (55, 48), 40, 3)
    return image


@pytest.fixture
def folder(tmp_path, amount):
    """A set with this one amount."""
    folder = tmp_path / "cheques"
    (folder / "train2017").mkdir(parents=True)
    cv2.imwrite(str(folder / "train2017" / "a.png"), amount)
    boxes = ";".join(" ".join(map(str, box)) for box in BOXES)
    (folder / "labels_train.csv").write_text(
        f"image,width,height,digits,boxes_xywh\nimages/train2017/a.png,90,60,01,{boxes}\n"
    )
    return folder


def test_a_digit_is_cut_out_without_pattern_and_neighbour(amount):
    """Ink stands where the 1 was drawn, and nowhere else in its box."""
    x, y, width, height = BOXES[1]
    drawn = np.zeros_like(amount)
    cv2.line(drawn, (58, 12), (55, 48), 255, 3)
    drawn = drawn[y : y + height, x : x + width] > 0
    ink = cut_out(amount, BOXES[1])
    assert ink.shape == (height, width)
    assert ink[drawn].mean() > 0.8
    near = cv2.dilate(drawn.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert not ink[~near].any()


def test_labels_go_with_their_digits(folder):
    """Digits come in the order of their labels; a 0 is wider than a 1."""
    images, labels = read_cheque_digits(folder)
    assert labels.tolist() == [0, 1]
    assert images.shape == (2, 28, 28)
    assert (images[0].any(axis=0)).sum() > (images[1].any(axis=0)).sum()


def test_cheque_digits_are_learned_from_and_not_held_out(mnist_folder, folder):
    """They join the training digits; held-out writers and test half stay MNIST's alone."""
    alone = load_split(mnist_folder, seed=1)
    folder.rename(mnist_folder / "orand_car_a")
    joined = load_split(mnist_folder, seed=1)
    assert len(joined.training) == len(alone.training) + 2
    assert joined.training.labels[-2:].tolist() == [0, 1]
    assert np.array_equal(joined.held_out.images, alone.held_out.images)
    assert np.array_equal(joined.test.images, alone.test.images)


@pytest.mark.parametrize("spoil", ["image", "labels", "column"])
def test_a_damaged_set_is_named(folder, spoil):
    """The error says which file is missing or damaged."""
    labels = folder / "labels_train.csv"
    if spoil == "image":
        culprit = folder / "train2017" / "a.png"
        culprit.write_bytes(culprit.read_bytes()[:20])
    elif spoil == "labels":
        culprit = labels
        labels.unlink()
    else:
        culprit = labels
        labels.write_text(labels.read_text().replace("12 10 24 40", "12 10 24"))
    with pytest.raises(ModelError, match=culprit.name):
        read_cheque_digits(folder)
