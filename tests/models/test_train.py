"""What must hold of a training run: repeatable, resumable, and it never spoils what is there."""

import signal
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import models.evaluation.sets
from models.architectures import INPUT_SHAPE, NETWORKS, Network, build
from models.batches import BatchMaker
from models.classifier import load_classifier
from models.dataset import load_split
from models.learning import Learner, Plan, logits_of
from models.samples import CLASSES, Recipe, make_batch
from models.train import learn, train
from pipeline.errors import ModelError, OutputError


def _tiny(classes: int) -> keras.Model:
    image = keras.layers.Input(INPUT_SHAPE)
    flow = keras.layers.Rescaling(1 / 255)(image)
    flow = keras.layers.Conv2D(4, 3, strides=2, use_bias=False)(flow)
    flow = keras.layers.ReLU()(keras.layers.BatchNormalization()(flow))
    flow = keras.layers.Dropout(0.3)(keras.layers.Flatten()(flow))
    return keras.Model(image, keras.layers.Dense(classes)(flow))


@pytest.fixture(autouse=True)
def _tiny_network(monkeypatch):
    """A network that is built and converted in no time."""
    monkeypatch.setitem(NETWORKS, "tiny", Network(_tiny, CLASSES, Recipe.FORMS))


@pytest.fixture
def plan(mnist_folder: Path, tmp_path: Path) -> Plan:
    """Two epochs of one batch."""
    return Plan("tiny", epochs=2, seed=1, data=mnist_folder, output=tmp_path / "weights")


@pytest.fixture
def trained(plan: Plan, tmp_path: Path) -> Path:
    """A folder with a trained network."""
    folder = tmp_path / "teacher"
    train(replace(plan, output=folder))
    return folder


@pytest.fixture(autouse=True)
def _few_negatives(monkeypatch):
    """Some are enough to see that they are measured."""
    monkeypatch.setattr(models.evaluation.sets, "NEGATIVES", 40)


def test_training_writes_weights_that_are_the_cards(plan, simulated):
    """Float weights, int8 weights, card and curve belong together; no checkpoint is left."""
    card = train(plan)
    classifier = load_classifier("tiny", plan.output)
    assert classifier.card == card
    assert {"mnist_test", "mnist_test_float", "held_out_scanned", "negatives"} <= set(card.figures)
    assert (plan.output / "tiny-evaluation" / "index.html").is_file()
    assert "9 and 1 writers" in card.trained_on
    assert sorted(path.name for path in plan.output.iterdir()) == [
        "tiny-evaluation",
        *(f"tiny.{suffix}" for suffix in ("json", "keras", "png", "tflite")),
    ]
    images = simulated[0][..., None]
    plain = logits_of(keras.models.load_model(plan.output / "tiny.keras"), images)
    quantised = classifier.logits(images)
    assert np.abs(plain - quantised).mean() < 0.1 * plain.std()


def test_a_run_taken_up_again_ends_as_one_never_stopped(plan):
    """Weights, average and optimiser all survive the checkpoint."""
    digits = load_split(plan.data, plan.seed).training
    batches = [make_batch(digits, Recipe.FORMS, plan.seed, epoch, 0) for epoch in range(2)]
    plan.output.mkdir()
    whole, resumed = Learner(plan, 1), Learner(plan, 1)
    whole.learn(batches[0])
    whole.save(plan.checkpoint)
    resumed.resume(plan.checkpoint)
    for learner in (whole, resumed):
        learner.learn(batches[1])
    for one, other in zip(whole.average, resumed.average, strict=True):
        assert np.allclose(one, other, atol=1e-4)


def test_ctrl_c_saves_and_the_next_run_goes_on(plan, monkeypatch):
    """The step under way is finished and kept; the same call later ends the run."""
    plan.output.mkdir()
    split = load_split(plan.data, plan.seed)
    step = Learner.learn

    def interrupted(self, batch):
        signal.raise_signal(signal.SIGINT)
        return step(self, batch)

    monkeypatch.setattr(Learner, "learn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        learn(split, plan)
    monkeypatch.setattr(Learner, "learn", step)
    assert plan.checkpoint.exists()
    learner = learn(split, plan)
    assert learner.steps == 2
    assert [row["epoch"] for row in learner.history][-1] == 2


def test_a_loss_that_is_no_number_stops_and_overwrites_nothing(plan, monkeypatch):
    """The error says so, and the folder is as it was."""
    plan.output.mkdir()
    before = plan.output / "tiny.keras"
    before.write_text("an earlier network")
    broken = build("tiny")
    broken.set_weights([np.full_like(weight, np.nan) for weight in broken.get_weights()])
    monkeypatch.setattr("models.learning.build", lambda *_: broken)
    with pytest.raises(ModelError, match="loss became nan"):
        train(plan)
    assert [path.name for path in plan.output.iterdir()] == ["tiny.keras"]
    assert before.read_text() == "an earlier network"


def test_a_checkpoint_of_other_settings_is_refused(plan):
    """Another seed is another run."""
    plan.output.mkdir()
    Learner(plan, 1).save(plan.checkpoint)
    other = Plan("tiny", plan.epochs, seed=2, data=plan.data, output=plan.output)
    with pytest.raises(ModelError, match="another run"):
        Learner(other, 1).resume(plan.checkpoint)


def test_a_run_may_go_on_from_earlier_weights(plan, tmp_path):
    """It starts with those weights, and is another run than one that starts anew."""
    earlier = build("tiny")
    earlier.save(tmp_path / "earlier.keras")
    learner = Learner(replace(plan, start=tmp_path / "earlier.keras"), 1)
    for one, other in zip(learner.average, earlier.get_weights(), strict=True):
        assert np.array_equal(one, other)
    plan.output.mkdir()
    learner.save(plan.checkpoint)
    with pytest.raises(ModelError, match="another run"):
        Learner(plan, 1).resume(plan.checkpoint)


def test_teachers_share_in_what_is_learned(plan, trained, tmp_path):
    """Each batch carries what they say of its images, also when it is used again in another order.

    What they say counts in the loss.
    """
    digits = load_split(plan.data, plan.seed).training
    teacher = load_classifier("tiny", trained)
    with BatchMaker(digits, Recipe.FORMS, plan.seed, [trained / "tiny.tflite"]) as maker:
        made, again = (next(iter(maker.epoch(epoch))) for epoch in range(2))
    assert np.allclose(made.beliefs, teacher.probabilities(made.images), atol=1e-6)
    assert sorted(map(tuple, again.beliefs)) == sorted(map(tuple, made.beliefs))
    labels = dict(zip(map(tuple, made.beliefs), made.labels, strict=True))
    assert [labels[tuple(row)] for row in again.beliefs] == again.labels.tolist()
    losses = [Learner(plan, 1).learn(batch) for batch in (made, replace(made, beliefs=None))]
    assert losses[0] != losses[1]


def test_a_teacher_of_other_classes_is_refused(plan, trained):
    """A network of digits only cannot learn from one that knows marks, nor the reverse."""
    unfit = replace(plan, network="mlp", teachers=(trained / "tiny.tflite",))
    with pytest.raises(ModelError, match="same classes"):
        train(unfit)


def test_weights_of_another_network_are_no_start(plan, tmp_path):
    """The error says what they take and what was needed."""
    build("mlp").save(tmp_path / "mlp.keras")
    with pytest.raises(ModelError, match="needed are"):
        Learner(replace(plan, start=tmp_path / "mlp.keras"), 1)


def test_a_damaged_checkpoint_is_named(plan):
    """A checkpoint cut short is not taken up."""
    plan.output.mkdir()
    plan.checkpoint.write_bytes(b"PK\3\4")
    with pytest.raises(ModelError, match=plan.checkpoint.name):
        Learner(plan, 1).resume(plan.checkpoint)


def test_an_unknown_network_is_refused():
    """The error lists the networks that there are."""
    with pytest.raises(ModelError, match="digitnet"):
        build("nosuch")


def test_a_folder_that_cannot_be_made_is_an_output_error(plan, tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "weights").write_text("")
    with pytest.raises(OutputError, match="choose another folder") as caught:
        train(plan)
    assert caught.value.exit_code == 6
