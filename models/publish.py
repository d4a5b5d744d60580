"""What follows learning, step by step in a draft folder: convert, calibrate, measure, put in place.

A network's own files change only in the last step, and only for one that is no worse.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from models.architectures import INPUT_SHAPE, find_network
from models.calibrate import accept_threshold, fit_calibration, weigh_as_forms
from models.card import card_bytes, digest, read_card
from models.classifier import WEIGHTS, load_classifier, softmax
from models.convert import load_trained, to_litert
from models.dataset import load_mnist
from models.evaluation.figures import evaluate, look_at, measure
from models.evaluation.page import write_page
from models.evaluation.sets import gather_sets
from models.held_out import DRAWN, choose_typical, held_out_sets
from models.learning import Plan, logits_of
from models.replacing import refuse_worse
from models.samples import as_samples
from pipeline.errors import OutputError
from pipeline.records import Floats, GreyImage, ModelCard
from pipeline.tables import write_whole

MOST_WRONG = 0.002
"""Share of accepted boxes that may be wrong; a person keys 0.29 % of fields wrong (PMC13078370).

With half of it most fields of real forms, all of them right, would go to a person; and it could
hardly be measured, since about as many of MNIST's own labels are wrong.
"""
SUFFIXES = ("keras", "tflite", "png", "json")


def draft_folder(plan: Plan) -> Path:
    """Name the folder where a network is made ready."""
    return plan.output / f"{plan.network}.draft"


def draft(model: keras.Model, trained_on: str, plan: Plan) -> None:
    """Put trained weights into a fresh draft folder, for `publish` to go on with.

    Args:
        model: The network as trained; its weights are never changed after this.
        trained_on: What the card is to say.
        plan: How it was trained.

    Raises:
        OutputError: If the folder cannot be written.
    """
    folder = draft_folder(plan)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        model.save(folder / f"{plan.network}.keras")
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error}); choose another folder."
        ) from error
    classes = find_network(plan.network).classes
    card = ModelCard(plan.network, "", INPUT_SHAPE, classes, 1.0, 1.0, {}, trained_on)
    _write_card(card, plan)


def adopt(weights: Path, plan: Plan) -> None:
    """Draft weights that were trained before, instead of training.

    Args:
        weights: A `.keras` file; what the card beside it says of its training is kept.
        plan: What is to become of it.

    Raises:
        ModelError: If the file is missing or damaged, or not of the plan's network.
        OutputError: If the draft cannot be written.
    """
    model = load_trained(weights, INPUT_SHAPE, len(find_network(plan.network).classes))
    beside = weights.with_suffix(".json")
    known = beside.exists()
    draft(model, read_card(beside).trained_on if known else f"Not known: {weights.name}.", plan)


def publish(plan: Plan) -> ModelCard:
    """Make a network of drafted weights, and put it in place.

    Args:
        plan: Its `output` is where `NETWORK.keras`, `.tflite`, `.json`, `.png` and
            `NETWORK-evaluation` go.

    Returns:
        The card.

    Raises:
        ModelError: If the network is worse than the one in place, which then stays.
        OutputError: If the folder cannot be written.
    """
    convert(plan)
    calibrate(plan)
    compare(plan)
    measure_draft(plan)
    return put_in_place(plan)


def convert(plan: Plan) -> None:
    """Make the draft's int8 network."""
    file = draft_folder(plan) / plan.network
    card = read_card(file.with_suffix(".json"))
    model = load_trained(file.with_suffix(".keras"), card.input_shape, len(card.classes))
    weights = to_litert(model, choose_typical(held_out_sets(plan)))
    write_whole({file.with_suffix(".tflite"): weights})
    _write_card(replace(card, sha256=digest(weights)), plan)


def calibrate(plan: Plan) -> None:
    """Fit the draft's calibration and accept confidence: to the int8 network, which will read.

    Both are fitted on held-out writers' digits as scanned and as they are, between which the boxes
    of real forms lie; simulated pages have too few marks to tell their biases by. What is accepted
    is decided with marks as frequent as they were drawn: more of them than forms have.
    """
    network = load_classifier(plan.network, draft_folder(plan))
    sets = [samples for name, samples in held_out_sets(plan).items() if name in DRAWN]
    logits = np.concatenate([network.logits(samples.images) for samples in sets])
    labels = np.concatenate([samples.labels for samples in sets])
    classes = network.card.classes
    found = fit_calibration(logits, labels, weigh_as_forms(labels, classes), classes)
    probabilities = softmax(logits, found.temperature, found.biases)
    accept = round(accept_threshold(probabilities, labels, MOST_WRONG), 4)
    card = replace(
        network.card,
        temperature=found.temperature,
        biases=found.biases,
        accept_confidence=accept,
    )
    _write_card(card, plan)


def compare(plan: Plan) -> None:
    """Refuse a draft that is worse than the network in its place, before it sees a test set.

    Raises:
        ModelError: If it is.
    """
    held_out = held_out_sets(plan)
    refuse_worse(plan.network, held_out, new=draft_folder(plan), old=plan.output)


def measure_draft(plan: Plan) -> None:
    """Measure the draft, on held-out writers and on all that the data folder has to test with."""
    folder = draft_folder(plan)
    network = load_classifier(plan.network, folder)
    test = load_mnist(plan.data)[1]
    sets = gather_sets(test, plan.data) | held_out_sets(plan)
    outcomes = {name: look_at(network, samples) for name, samples in sets.items()}
    accept = network.card.accept_confidence
    figures = {name: measure(outcome, accept) for name, outcome in outcomes.items()}
    plain = FloatClassifier(keras.models.load_model(folder / f"{plan.network}.keras"), network.card)
    figures |= evaluate(plain, {"mnist_test_float": as_samples(test)})
    card = replace(network.card, figures=figures)
    write_page(outcomes, card, folder / evaluation_folder(plan).name)
    _write_card(card, plan)


def put_in_place(plan: Plan) -> ModelCard:
    """Let the draft take the place of the network in the plan's output, with its evaluation.

    Returns:
        The card.

    Raises:
        OutputError: If the folder cannot be written; then nothing has changed.
    """
    source = draft_folder(plan)
    card = _copy(plan.network, source, plan.output)
    evaluation = evaluation_folder(plan)
    shutil.rmtree(evaluation, ignore_errors=True)
    (source / evaluation.name).rename(evaluation)
    shutil.rmtree(source)
    return card


def install(plan: Plan, weights: Path = WEIGHTS) -> ModelCard:
    """Let the network in the plan's output read from now on, in place of the one that does.

    Args:
        plan: Whose network it is.
        weights: The folder that reading takes its network from.

    Returns:
        The card.

    Raises:
        ModelError: If it is worse; then nothing has changed.
        OutputError: If it cannot be written; likewise.
    """
    refuse_worse(plan.network, held_out_sets(plan), new=plan.output, old=weights)
    return _copy(plan.network, plan.output, weights)


def evaluation_folder(plan: Plan) -> Path:
    """Name the folder of the page that shows how well the network reads."""
    return plan.output / f"{plan.network}-evaluation"


def _copy(name: str, source: Path, folder: Path) -> ModelCard:
    files = [source / f"{name}.{suffix}" for suffix in SUFFIXES]
    write_whole({folder / file.name: file.read_bytes() for file in files if file.exists()})
    return read_card(folder / f"{name}.json")


class FloatClassifier:
    """The network before quantisation, calibrated by its card."""

    def __init__(self, model: keras.Model, card: ModelCard) -> None:
        self.card = card
        self._model = model

    def probabilities(self, batch: GreyImage) -> Floats:
        """Tell what each box of a batch holds; see `LiteRTClassifier.probabilities`."""
        return softmax(logits_of(self._model, batch), self.card.temperature, self.card.biases)


def _write_card(card: ModelCard, plan: Plan) -> None:
    write_whole({draft_folder(plan) / f"{plan.network}.json": card_bytes(card)})
