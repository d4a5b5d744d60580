"""Train a network by name: learn, with a checkpoint after each epoch, until it may be published."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.architectures import find_network
from models.batches import BatchMaker
from models.classifier import load_classifier
from models.dataset import Digits, Split, load_split
from models.evaluation.charts import draw_curve
from models.learning import Learner, Plan, logits_of
from models.page_boxes import PageBoxes
from models.publish import draft, draft_folder, publish
from models.samples import Recipe, Samples, as_samples, batches_an_epoch, make_held_out
from pipeline.errors import ModelError, OutputError
from pipeline.records import ModelCard


def train(plan: Plan) -> ModelCard:
    """Train a network, convert it, and write it with its card, training curve and evaluation.

    Args:
        plan: What to train, on what, and where to write; the folder is made if need be.

    Returns:
        The card written.

    Raises:
        ModelError: If data are damaged, a teacher or the weights to start from are unfit, the loss
            is no longer a number, the folder holds the checkpoint of a run with other settings, or
            a better network of this name.
        OutputError: If the folder cannot be written.
        KeyboardInterrupt: After Ctrl-C; the same call goes on from there.
    """
    learn_draft(plan)
    card = publish(plan)
    plan.checkpoint.unlink()
    return card


def learn_draft(plan: Plan) -> None:
    """Train a network, and leave it as a draft for `publish`; args and raises as `train`."""
    split = load_split(plan.data, plan.seed, plan.also)
    _check_teachers(plan)
    try:
        plan.output.mkdir(parents=True, exist_ok=True)
        learner = learn(split, plan)
        draft(learner.averaged(), describe(split, plan), plan)
        draw_curve(learner.history, draft_folder(plan) / f"{plan.network}.png")
    except OSError as error:
        raise OutputError(
            f"{plan.output} cannot be written ({error}); choose another folder."
        ) from error


def _check_teachers(plan: Plan) -> None:
    """Refuse a teacher that tells other things apart, before the first step."""
    classes = find_network(plan.network).classes
    for path in plan.teachers:
        known = load_classifier(path.stem, path.parent).card.classes
        if known != classes:
            raise ModelError(
                f"{path} tells {known!r} apart and {plan.network} {classes!r}; name a teacher of "
                "the same classes."
            )


def learn(split: Split, plan: Plan) -> Learner:
    """Train a network, or go on where an interrupted run of the same settings stopped.

    Args:
        split: The digits; its held-out writers are only watched, its test half is not touched.
        plan: What to train; its state is kept after each epoch and on Ctrl-C.

    Returns:
        The learner, with its averaged weights and history.

    Raises:
        ModelError: If the loss is no longer a number, or the checkpoint is of another run.
        KeyboardInterrupt: After Ctrl-C, once the state is saved.
    """
    batches = batches_an_epoch(split.training)
    learner = Learner(plan, batches)
    if plan.checkpoint.exists():
        learner.resume(plan.checkpoint)
    network = find_network(plan.network)
    watch = _Watch(split.held_out, network.recipe, plan.seed)
    boxes = PageBoxes(plan.pages, network.classes, plan.seed) if plan.pages else None
    with (
        BatchMaker(split.training, network.recipe, plan.seed, plan.teachers) as maker,
        _interruptible() as stop,
        _bar() as bar,
    ):
        task = bar.add_task("", total=plan.epochs * batches, completed=learner.steps, loss=0.0)
        while learner.steps < plan.epochs * batches:
            losses = []
            for batch in maker.epoch(*divmod(learner.steps, batches)):
                whole = boxes.add_to(batch, learner.steps) if boxes else batch
                losses.append(learner.learn(whole))
                bar.update(task, advance=1, loss=np.mean(losses))
                if stop.is_set():
                    learner.save(plan.checkpoint)
                    raise KeyboardInterrupt
            row = {"epoch": learner.steps // batches, "loss": float(np.mean(losses))}
            learner.history.append(row | watch.look(learner))
            learner.save(plan.checkpoint)
            bar.console.print(_line(learner.history[-1]))
    return learner


def describe(split: Split, plan: Plan) -> str:
    """Say in a sentence what a network was trained on."""
    known = [half.take(half.writers >= 0) for half in (split.training, split.held_out)]
    others = len(split.training) - len(known[0]) if len(known[1]) else 0
    writers = " and ".join(str(len(np.unique(half.writers))) for half in known)
    before = f", going on from {plan.start.name}" if plan.start else ""
    if plan.teachers:
        before += f", taught by {' and '.join(teacher.stem for teacher in plan.teachers)}"
    if plan.pages:
        before += ", beside the boxes of simulated pages"
    more = "real cheques and reviewed boxes" if plan.also else "real cheques"
    cheques = f"{others} digits of {more}; " if others else ""
    simulated = "digits and negatives of the pen simulator; "
    forms = find_network(plan.network).recipe is Recipe.FORMS
    return (
        f"MNIST's training half: {len(split.training) - others} digits, {len(split.held_out)} "
        f"others held out ({f'{writers} writers' if len(known[1]) else 'writers not known'}); "
        f"{cheques}{simulated if forms else ''}{plan.epochs} epochs, seed {plan.seed}{before}."
    )


def _line(row: Mapping[str, float]) -> str:
    return (
        f"epoch {row['epoch']:.0f}: loss {row['loss']:.4f}, held-out writers "
        f"{100 * row['clean']:.2f} %, as scanned {100 * row['scanned']:.2f} %"
    )


class _Watch:
    """Measures the averaged network on held-out writers, as they wrote and as scanned."""

    def __init__(self, held_out: Digits, recipe: Recipe, seed: int) -> None:
        self._clean = as_samples(held_out)
        self._scanned = make_held_out(held_out, recipe, seed)

    def look(self, learner: Learner) -> dict[str, float]:
        model: keras.Model = learner.averaged()
        return {"clean": _accuracy(model, self._clean), "scanned": _accuracy(model, self._scanned)}


def _accuracy(model: keras.Model, samples: Samples) -> float:
    return float((logits_of(model, samples.images).argmax(axis=1) == samples.labels).mean())


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Let Ctrl-C set an event, so that a step is never left half done."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _bar() -> Progress:
    return Progress(
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    )
