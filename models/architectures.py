"""The networks by name: how each is built, what it tells apart, and what it learns from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import layers

from models.samples import CLASSES, DIGITS, Recipe
from pipeline.errors import ModelError

INPUT_SHAPE = (28, 28, 1)


@dataclass(frozen=True, slots=True)
class Network:
    """A network that can be trained by name."""

    builder: Callable[[int], keras.Model]
    """Takes the number of classes."""
    classes: str
    """What it tells apart, one character each, as in `raw`."""
    recipe: Recipe


def find_network(name: str) -> Network:
    """Find a network by name.

    Raises:
        ModelError: If no network has this name.
    """
    if name not in NETWORKS:
        raise ModelError(f"No network is called {name!r}; there are {', '.join(NETWORKS)}.")
    return NETWORKS[name]


def build(name: str) -> keras.Model:
    """Build a network with fresh weights.

    Args:
        name: One of `NETWORKS`.

    Returns:
        Takes float32 (N, 28, 28, 1) in 0..255, ink high; gives logits float32 (N, classes).

    Raises:
        ModelError: If no network has this name.
    """
    network = find_network(name)
    return network.builder(len(network.classes))


def mlp(classes: int) -> keras.Model:
    """Build two dense layers, which know nothing of what is beside what."""
    image = layers.Input(INPUT_SHAPE)
    flow = layers.Flatten()(layers.Rescaling(1 / 255)(image))
    for units in (512, 256):
        flow = layers.Dense(units, activation="relu")(flow)
    return keras.Model(image, layers.Dense(classes)(flow), name="mlp")


def cnn_basic(classes: int) -> keras.Model:
    """Build the plain convolutional network of Keras's own example, "Simple MNIST convnet"."""
    image = layers.Input(INPUT_SHAPE)
    flow = layers.Rescaling(1 / 255)(image)
    for filters in (32, 64):
        flow = layers.Conv2D(filters, 3, activation="relu")(flow)
        flow = layers.MaxPooling2D()(flow)
    flow = layers.Dropout(0.5)(layers.Flatten()(flow))
    return keras.Model(image, layers.Dense(classes)(flow), name="cnn-basic")


def cnn_regularised(classes: int) -> keras.Model:
    """Build two padded blocks of two convolutions each, normalised by batch, with dropout.

    Sources: He initialisation, He, Zhang, Ren and Sun 2015; batch normalisation, Ioffe and
    Szegedy 2015; dropout, Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014.
    """
    image = layers.Input(INPUT_SHAPE)
    flow = layers.Rescaling(1 / 255)(image)
    for filters in (32, 64):
        flow = _convolve(_convolve(flow, filters), filters)
        flow = layers.Dropout(0.25)(layers.MaxPooling2D()(flow))
    flow = layers.Dense(128, use_bias=False, kernel_initializer="he_normal")(layers.Flatten()(flow))
    flow = layers.Dropout(0.5)(layers.ReLU()(layers.BatchNormalization()(flow)))
    return keras.Model(image, layers.Dense(classes)(flow), name="cnn-regularised")


def digitnet(classes: int) -> keras.Model:
    """Build the network that reads forms."""
    return _strided("digitnet", (24, 48, 96), classes)


def digitnet_large(classes: int) -> keras.Model:
    """Build `digitnet` a third wider, which takes 1.8 times as long."""
    return _strided("digitnet-large", (32, 64, 128), classes)


def _strided(name: str, widths: tuple[int, int, int], classes: int) -> keras.Model:
    """Build three stages of 3x3 convolutions, pooled by a learned weight for each place.

    Halving by stride, not by pooling, keeps the full 28x28 to one cheap layer. The last map of 7x7
    is gathered by a depthwise convolution over all of it, which keeps where a stroke is, at a
    fraction of a dense layer's weights.

    Source: Chen, Liu, Gao and Han, "MobileFaceNets", 2018, section 3.2 (global depthwise
    convolution).
    """
    first, *later = widths
    image = layers.Input(INPUT_SHAPE)
    flow = _convolve(layers.Rescaling(1 / 255)(image), first)
    for filters in later:
        flow = _convolve(flow, filters, strides=2)
        flow = _convolve(_convolve(flow, filters), filters)
    flow = layers.DepthwiseConv2D(7, use_bias=False)(flow)
    flow = layers.BatchNormalization()(flow)
    flow = layers.Flatten()(flow)
    flow = layers.Dropout(0.3)(flow)
    return keras.Model(image, layers.Dense(classes)(flow), name=name)


def _convolve(flow: keras.KerasTensor, filters: int, strides: int = 1) -> keras.KerasTensor:
    flow = layers.Conv2D(
        filters, 3, strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(flow)
    return layers.ReLU()(layers.BatchNormalization()(flow))


NETWORKS: dict[str, Network] = {
    "mlp": Network(mlp, DIGITS, Recipe.PLAIN),
    "cnn-basic": Network(cnn_basic, DIGITS, Recipe.PLAIN),
    "cnn-regularised": Network(cnn_regularised, DIGITS, Recipe.PLAIN),
    "digitnet": Network(digitnet, CLASSES, Recipe.FORMS),
    "digitnet-large": Network(digitnet_large, CLASSES, Recipe.FORMS),
}
