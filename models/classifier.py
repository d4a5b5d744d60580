"""The int8 network as reading uses it: needs numpy and the LiteRT runtime, no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from models.card import digest, read_card
from pipeline.complaints import listening
from pipeline.errors import ModelError
from pipeline.records import Floats, GreyImage, ModelCard

WEIGHTS = Path(__file__).parent / "weights"
MOST_AT_ONCE = 256
"""Boxes in one call of the runtime; bounds its memory, and more are no faster."""


def load_classifier(
    name: str = "digitnet", folder: Path = WEIGHTS, *, threads: int = 1
) -> LiteRTClassifier:
    """Load a converted network with its card.

    Args:
        name: The network's; its files are `name.tflite` and `name.json`.
        folder: Where they are.
        threads: CPU threads of one call.

    Raises:
        ModelError: If a file is missing or damaged, or the weights are not those of the card.
    """
    card = read_card(folder / f"{name}.json")
    path = folder / f"{name}.tflite"
    try:
        weights = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(
            f"{path} is missing; restore it, or train it: formdigits train --network {name}."
        ) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error}); restore the file.") from error
    if digest(weights) != card.sha256:
        raise ModelError(
            f"{path} is not the network that {name}.json describes: its SHA-256 is "
            f"{digest(weights)}, the card says {card.sha256}. Restore both from one version."
        )
    return LiteRTClassifier(weights, card, threads=threads)


class LiteRTClassifier:
    """Gives a calibrated probability for each class of its card; not for use by two threads."""

    def __init__(self, weights: bytes, card: ModelCard, *, threads: int = 1) -> None:
        self.card = card
        try:
            with listening():  # when it starts, the runtime says on stderr what it is made of
                self._interpreter = Interpreter(model_content=weights, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"The weights of {card.name} cannot be loaded: {error}") from error
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        self._check_shapes()

    def probabilities(self, batch: GreyImage) -> Floats:
        """Tell what each box of a batch holds.

        Args:
            batch: uint8 of shape (N, 28, 28, 1), ink high, as `pipeline.normalize` gives it; N may
                be 0.

        Returns:
            float32 of shape (N, classes), in the batch's order, rows summing to 1.

        Raises:
            ValueError: If the batch has another shape or type.
        """
        return softmax(self.logits(batch), self.card.temperature, self.card.biases)

    def logits(self, batch: GreyImage) -> Floats:
        """Give what the network says before calibration; otherwise as `probabilities`."""
        if batch.dtype != np.uint8 or batch.shape[1:] != self.card.input_shape:
            raise ValueError(
                f"A batch is uint8 of shape (N, *{self.card.input_shape}), "
                f"not {batch.dtype} of {batch.shape}."
            )
        logits = np.empty((len(batch), len(self.card.classes)), np.float32)
        for start in range(0, len(batch), MOST_AT_ONCE):
            part = batch[start : start + MOST_AT_ONCE]
            logits[start : start + MOST_AT_ONCE] = self._run(part)
        return logits

    def _run(self, part: GreyImage) -> Floats:
        place = self._input["index"]
        if self._interpreter.get_input_details()[0]["shape"][0] != len(part):
            self._interpreter.resize_tensor_input(place, part.shape)
        self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(place, part)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output["index"]), np.float32)

    def _check_shapes(self) -> None:
        if self.card.biases and len(self.card.biases) != len(self.card.classes):
            raise ModelError(
                f"The card of {self.card.name} has {len(self.card.biases)} biases for "
                f"{len(self.card.classes)} classes; restore it."
            )
        takes = tuple(int(length) for length in self._input["shape"][1:])
        gives = int(self._output["shape"][-1])
        wanted = self.card.input_shape, len(self.card.classes)
        if (takes, gives) != wanted or self._input["dtype"] is not np.uint8:
            raise ModelError(
                f"The weights of {self.card.name} take {self._input['dtype'].__name__} {takes} and "
                f"give {gives} classes; its card says uint8 {wanted[0]} and {wanted[1]}."
            )


def softmax(logits: Floats, temperature: float, biases: Sequence[float] = ()) -> Floats:
    """Turn logits into probabilities.

    Args:
        logits: float32 (N, classes).
        temperature: Above 1 makes them less sure; see `models.calibrate`.
        biases: What is added for each class after that; none for nothing.

    Returns:
        float32 of the same shape, rows summing to 1.
    """
    scaled = (logits / np.float32(temperature)).astype(np.float64)
    if biases:
        scaled += biases
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
