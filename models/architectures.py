"""The networks by name: how each is built, nothing of how it learns."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from pipeline.errors import ModelError

INPUT_SHAPE = (28, 28, 1)


def build(name: str, classes: int) -> keras.Model:
    """Build a network with fresh weights.

    Args:
        name: One of `BUILDERS`.
        classes: Number of outputs.

    Returns:
        Takes float32 (N, 28, 28, 1) in 0..255, ink high; gives logits float32 (N, classes).

    Raises:
        ModelError: If no network has this name.
    """
    if name not in BUILDERS:
        raise ModelError(f"No network is called {name!r}; there are {', '.join(BUILDERS)}.")
    return BUILDERS[name](classes)


def digitnet(classes: int) -> keras.Model:
    """Build three stages of 3x3 convolutions, pooled by a learned weight for each place.

    Halving by stride, not by pooling, keeps the full 28x28 to one cheap layer. The last map of 7x7
    is gathered by a depthwise convolution over all of it, which keeps where a stroke is, at a
    fraction of a dense layer's weights.

    Source: Chen, Liu, Gao and Han, "MobileFaceNets", 2018, section 3.2 (global depthwise
    convolution).
    """
    image = layers.Input(INPUT_SHAPE)
    flow = layers.Rescaling(1 / 255)(image)
    for filters, strides in ((24, 1), (48, 2), (48, 1), (48, 1), (96, 2), (96, 1), (96, 1)):
        flow = _convolve(flow, filters, strides)
    flow = layers.DepthwiseConv2D(7, use_bias=False)(flow)
    flow = layers.BatchNormalization()(flow)
    flow = layers.Flatten()(flow)
    flow = layers.Dropout(0.3)(flow)
    return keras.Model(image, layers.Dense(classes)(flow), name="digitnet")


def _convolve(flow: keras.KerasTensor, filters: int, strides: int) -> keras.KerasTensor:
    flow = layers.Conv2D(
        filters, 3, strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(flow)
    return layers.ReLU()(layers.BatchNormalization()(flow))


BUILDERS: dict[str, Callable[[int], keras.Model]] = {"digitnet": digitnet}
