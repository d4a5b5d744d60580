"""From a trained Keras network to int8 for LiteRT."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf

from pipeline.records import GreyImage


def to_litert(model: keras.Model, typical: GreyImage) -> bytes:
    """Quantise weights (one scale a channel) and activations to int8, after training.

    Source: Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", CVPR 2018, as done by TensorFlow's converter.

    Args:
        model: Takes float32 (N, 28, 28, 1) in 0..255, gives logits.
        typical: uint8 (M, 28, 28, 1), some hundred samples like those to be read, with both 0 and
            255 among their pixels; they set the scales.

    Returns:
        A LiteRT model that takes uint8 batches of any size and gives float32 logits.
    """
    with TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        return _quantise(converter, typical)


def _quantise(converter: tf.lite.TFLiteConverter, typical: GreyImage) -> bytes:
    def samples() -> Iterator[list[np.ndarray]]:
        for image in typical:
            yield [image[None].astype(np.float32)]

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.float32
    return bytes(converter.convert())
