"""From a trained Keras network, as it lies on the disk, to int8 for LiteRT."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf

from pipeline.complaints import listening
from pipeline.errors import ModelError
from pipeline.records import GreyImage


def load_trained(path: Path, input_shape: tuple[int, ...], classes: int) -> keras.Model:
    """Read a trained network.

    Args:
        path: A `.keras` file.
        input_shape: Of one sample, that it must take.
        classes: How many it must tell apart.

    Raises:
        ModelError: If the file is missing or damaged, the network of another shape, or a weight is
            no number.
    """
    try:
        model = keras.models.load_model(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(f"{path} is no trained network ({reason}); restore it.") from error
    takes, gives = model.input_shape[1:], model.output_shape[-1]
    if (takes, gives) != (input_shape, classes):
        raise ModelError(
            f"The network of {path} takes {takes} and gives {gives} classes; "
            f"needed are {input_shape} and {classes}. Name the weights of such a network."
        )
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise ModelError(f"{path} has weights that are no numbers; train the network again.")
    return model


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
    with TemporaryDirectory() as folder, listening():  # it remarks on all that it does
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
