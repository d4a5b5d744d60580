"""What follows learning: convert, calibrate, measure, and write a network with its card."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

from models.architectures import INPUT_SHAPE, find_network
from models.calibrate import accept_threshold, fit_temperature
from models.card import digest, write_card, write_whole
from models.classifier import LiteRTClassifier, softmax
from models.convert import to_litert
from models.dataset import Digits, Split
from models.evaluate import evaluate, gather_sets
from models.learning import Plan, logits_of
from models.negatives import MARK_SHARES, MARKS
from models.samples import CLASSES, NEGATIVE_SHARE, Samples, as_samples, make_held_out
from pipeline.records import Floats, GreyImage, Mark, ModelCard

MOST_WRONG = 0.002
"""Share of accepted boxes that may be wrong; a person keys 0.29 % of fields wrong (PMC13078370).

With half of it most fields of real forms, all of them right, would go to a person; and it could
hardly be measured, since about as many of MNIST's own labels are wrong.
"""
ILLEGIBLE_ON_FORMS = 0.02
"""Share of boxes; a guess on the high side, since few boxes of real forms are.

A smaller one reads a few more digits, and accepts more letters and fragments as digits.
"""
TYPICAL = 1000


def publish(model: keras.Model, split: Split, plan: Plan) -> ModelCard:
    """Convert, calibrate and measure a trained network, and write all that belongs to it.

    Everything is worked out before anything is written, and the card goes last.

    Args:
        model: The network as trained, before `expect_forms`.
        split: The digits; its held-out writers calibrate, its test half gives the figures.
        plan: How the network was trained, and where to write.

    Returns:
        The card.
    """
    model = expect_forms(model)
    scanned = make_held_out(split.held_out, find_network(plan.network).recipe, plan.seed)
    weights = to_litert(model, _typical(split.held_out, scanned))
    card = ModelCard(
        name=plan.network,
        sha256=digest(weights),
        input_shape=INPUT_SHAPE,
        classes=CLASSES,
        temperature=1.0,
        accept_confidence=1.0,
        figures={},
        trained_on=describe(split, plan),
    )
    card = calibrate(card, weights, scanned, as_samples(split.held_out))
    sets = {"held_out_scanned": scanned} | gather_sets(split.test, plan.data)
    figures = evaluate(LiteRTClassifier(weights, card), sets)
    figures |= evaluate(FloatClassifier(model, card), {"mnist_test_float": as_samples(split.test)})
    card = replace(card, figures=figures)
    _write(model, weights, card, plan.output)
    return card


def expect_forms(model: keras.Model) -> keras.Model:
    """Give a copy that expects illegible boxes as often as forms have them.

    Training shows them more than twice as often, so that the network learns them; left at that,
    real digits of unusual shape are called illegible.

    Source: Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a
    priori probabilities", Neural Computation 14 (2002), equation 2.4; for logits, a sum.

    Args:
        model: As trained; its last layer is dense, with a bias for each class.
    """
    taught = NEGATIVE_SHARE * MARK_SHARES[MARKS.index(Mark.ILLEGIBLE)]
    weights = model.get_weights()
    weights[-1][CLASSES.index(Mark.ILLEGIBLE)] += np.log(ILLEGIBLE_ON_FORMS / taught)
    expecting = keras.models.clone_model(model)
    expecting.set_weights(weights)
    return expecting


def describe(split: Split, plan: Plan) -> str:
    """Say in a sentence what a network was trained on."""
    known = split.training.writers.max() >= 0
    writers = [len(np.unique(half.writers)) for half in (split.training, split.held_out)]
    before = f", going on from {plan.start.name}" if plan.start else ""
    return (
        f"MNIST's training half: {len(split.training)} digits, {len(split.held_out)} others held "
        f"out ({f'{writers[0]} and {writers[1]} writers' if known else 'writers not known'}); "
        f"digits and negatives of the pen simulator; {plan.epochs} epochs, seed {plan.seed}"
        f"{before}."
    )


class FloatClassifier:
    """The network before quantisation, with the temperature of its card."""

    def __init__(self, model: keras.Model, card: ModelCard) -> None:
        self.card = card
        self._model = model

    def probabilities(self, batch: GreyImage) -> Floats:
        """Tell what each box of a batch holds; see `LiteRTClassifier.probabilities`."""
        return softmax(logits_of(self._model, batch), self.card.temperature)


def calibrate(card: ModelCard, weights: bytes, scanned: Samples, clean: Samples) -> ModelCard:
    """Give the card with its temperature and accept confidence, fitted to the int8 network.

    The temperature is that of scans. What is accepted is decided on scans and clean digits
    together, between which the boxes of real forms lie.

    Args:
        card: Of these weights; its temperature counts for nothing.
        weights: The LiteRT model.
        scanned: Degraded samples of writers that the network has not learned from.
        clean: The digits of these writers as they are.
    """
    network = LiteRTClassifier(weights, card)
    logits = [network.logits(samples.images) for samples in (scanned, clean)]
    temperature = fit_temperature(logits[0], scanned.labels)
    probabilities = softmax(np.concatenate(logits), temperature)
    labels = np.concatenate([scanned.labels, clean.labels])
    accept = accept_threshold(probabilities, labels, MOST_WRONG)
    return replace(card, temperature=round(temperature, 4), accept_confidence=round(accept, 4))


def _typical(held_out: Digits, scanned: Samples) -> GreyImage:
    """Choose what the quantiser takes its ranges from: as scanned, and clean."""
    rng = np.random.default_rng(0)
    some = rng.permutation(len(scanned))[:TYPICAL]
    clean = held_out.images[: TYPICAL // 4, ..., None]
    return np.concatenate([scanned.images[some], clean])


def _write(model: keras.Model, weights: bytes, card: ModelCard, output: Path) -> None:
    part = output / f"{card.name}.part.keras"
    model.save(part)
    part.replace(output / f"{card.name}.keras")
    write_whole(output / f"{card.name}.tflite", weights)
    write_card(card, output / f"{card.name}.json")


def draw_curve(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw loss and accuracy on held-out writers over the epochs, as PNG.

    Args:
        history: One row an epoch, as `models.train.learn` keeps it.
        path: The PNG file.
    """
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    loss, errors = figure.subplots(1, 2)
    loss.semilogy(epochs, [row["loss"] for row in history])
    loss.set(xlabel="epoch", ylabel="training loss")
    for name in ("clean", "scanned"):
        errors.semilogy(epochs, [100 * (1 - row[name]) + 1e-3 for row in history], label=name)
    errors.set(xlabel="epoch", ylabel="error on held-out writers, %")
    errors.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120)
    write_whole(path, buffer.getvalue())
