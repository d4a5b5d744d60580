"""One training run: its state, its steps, and how it is kept and taken up again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from models.architectures import INPUT_SHAPE, build
from models.convert import load_trained
from models.dataset import read_arrays
from models.samples import BATCH, Samples
from pipeline.errors import ModelError
from pipeline.records import Floats, GreyImage

PEAK_RATE = 3e-3
RESTART_RATE = 1.5e-3
WEIGHT_DECAY = 0.02
WARM_UP_EPOCHS = 1
AVERAGING = 0.999
TAUGHT = 0.5
"""How much what the teachers say counts beside the label, which the samples' damage may belie."""

Weights = list[NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a training run follows from."""

    network: str
    """A name in `architectures.NETWORKS`."""
    epochs: int
    """How often the training digits are gone through."""
    seed: int
    """Fixes the held-out writers, weights, order and augmentation."""
    data: Path | None
    """Folder with MNIST and perhaps more, see `dataset.load_mnist`; None for Keras's download."""
    output: Path
    """Folder for all that is written."""
    start: Path | None = None
    """A `.keras` file of the same network to go on from, at a lower rate; None to start anew."""
    also: tuple[Path, ...] = ()
    """Labelled sets of `formdigits export --boxes` to learn from too."""
    teachers: tuple[Path, ...] = ()
    """`.tflite` files of trained networks, their cards beside them, to learn from too."""
    pages: Path | None = None
    """Folder of simulated pages whose boxes are learned from too; see `models.page_boxes`."""

    @property
    def checkpoint(self) -> Path:
        """Where the state of an unfinished run is kept."""
        return self.output / f"{self.network}.checkpoint.npz"


class Learner:
    """A network, its optimiser, and the running average of its weights, which is what is kept.

    Sources: AdamW, Loshchilov and Hutter 2019; cosine schedule, Loshchilov and Hutter 2017;
    averaged weights, Polyak and Juditsky 1992; teachers, Hinton, Vinyals and Dean, "Distilling the
    knowledge in a neural network", 2015, on each sample as it is augmented, as Beyer, Zhai, Royer,
    Markeeva, Anil and Kolesnikov, "Knowledge distillation: a good teacher is patient and
    consistent", CVPR 2022.
    """

    def __init__(self, plan: Plan, batches: int) -> None:
        keras.utils.set_random_seed(plan.seed)
        self._network = plan.network
        self._plan = f"{plan.network} seed {plan.seed} epochs {plan.epochs} batches {batches}"
        if plan.start is not None:
            self._plan += f" from {plan.start.name}"
        if plan.teachers:
            self._plan += f" taught by {', '.join(map(str, plan.teachers))}"
        if plan.pages is not None:
            self._plan += f" with pages of {plan.pages}"
        self.model = build(plan.network)
        if plan.start is not None:
            trained = load_trained(plan.start, INPUT_SHAPE, self.model.output_shape[-1])
            self.model.set_weights(trained.get_weights())
        self._optimizer = _optimizer(plan, batches)
        self._optimizer.build(self.model.trainable_variables)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        self.model.compile(self._optimizer, loss)
        self.average: Weights = self.model.get_weights()
        self.steps = 0
        self.history: list[dict[str, float]] = []

    def learn(self, batch: Samples) -> float:
        """Take one step.

        Returns:
            The batch's loss.

        Raises:
            ModelError: If the loss is no longer a number.
        """
        targets = _targets(batch, self.model.output_shape[-1])
        loss = float(self.model.train_on_batch(batch.images.astype(np.float32), targets))
        if not np.isfinite(loss):
            raise ModelError(
                f"The loss became {loss} at step {self.steps}; nothing was written. Train with "
                "another seed, and look at the data if it happens again."
            )
        self.steps += 1
        keep = min(AVERAGING, (1 + self.steps) / (10 + self.steps))
        pairs = zip(self.average, self.model.get_weights(), strict=True)
        self.average = [keep * mean + (1 - keep) * now for mean, now in pairs]
        return loss

    def averaged(self) -> keras.Model:
        """Give a copy of the network with its averaged weights."""
        copy = build(self._network)
        copy.set_weights(self.average)
        return copy

    def save(self, path: Path) -> None:
        """Write the whole state, whole or not at all."""
        state: dict[str, Any] = {
            "plan": self._plan,
            "steps": self.steps,
            "history": np.array([list(row.values()) for row in self.history]),
            "columns": np.array(list(self.history[0]) if self.history else [], dtype=str),
        }
        for name, arrays in self._arrays().items():
            state |= {f"{name}_{place}": array for place, array in enumerate(arrays)}
        part = path.with_suffix(".part")
        with part.open("wb") as stream:
            np.savez(stream, **state)
        part.replace(path)

    def resume(self, path: Path) -> None:
        """Take up the state that `save` wrote.

        Raises:
            ModelError: If the file is damaged, or belongs to a run with other settings.
        """
        state = read_arrays(path)
        if str(state.get("plan")) != self._plan:
            raise ModelError(
                f"{path} is of another run ({state.get('plan')}; this one is {self._plan}); "
                "delete it to start afresh, or give that run's settings."
            )
        self._restore(state)

    def _arrays(self) -> dict[str, list[NDArray[Any]]]:
        """Give all that changes while learning; the state of dropout's generator is among it."""
        return {
            "model": [variable.numpy() for variable in self.model.variables],
            "average": self.average,
            "optimizer": [variable.numpy() for variable in self._optimizer.variables],
        }

    def _restore(self, state: dict[str, NDArray[Any]]) -> None:
        stored = {
            name: [state[f"{name}_{place}"] for place in range(len(arrays))]
            for name, arrays in self._arrays().items()
        }
        self.average = stored["average"]
        for owner, name in ((self.model, "model"), (self._optimizer, "optimizer")):
            for variable, value in zip(owner.variables, stored[name], strict=True):
                variable.assign(value)
        self.steps = int(state["steps"])
        columns = [str(name) for name in state["columns"]]
        self.history = [
            dict(zip(columns, map(float, row), strict=True)) for row in state["history"]
        ]


def _targets(batch: Samples, classes: int) -> Floats:
    labelled = np.eye(classes, dtype=np.float32)[batch.labels]
    if batch.beliefs is None:
        return labelled
    return (1 - TAUGHT) * labelled + TAUGHT * batch.beliefs


def _optimizer(plan: Plan, batches: int) -> keras.optimizers.Optimizer:
    warm_up = WARM_UP_EPOCHS * batches
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, plan.epochs * batches - warm_up),
        warmup_target=PEAK_RATE if plan.start is None else RESTART_RATE,
        warmup_steps=warm_up,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


def logits_of(model: keras.Model, images: GreyImage) -> Floats:
    """Run the float network on uint8 (N, 28, 28, 1): float32 (N, classes)."""
    parts = [
        np.asarray(model(images[start : start + 4 * BATCH].astype(np.float32)), np.float32)
        for start in range(0, len(images), 4 * BATCH)
    ]
    return np.concatenate(parts)
