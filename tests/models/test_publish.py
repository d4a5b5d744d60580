"""What must hold of publishing: nothing twice, nothing by halves, and nothing for a worse network.

All of it with `mlp`, which knows digits only; `test_train` publishes one that knows marks.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import models.evaluation.sets
from models.architectures import build
from models.classifier import load_classifier
from models.dataset import load_split
from models.held_out import held_out_sets
from models.learning import Plan
from models.publish import adopt, draft_folder, install, publish
from models.replacing import refuse_worse
from models.samples import DIGITS
from pipeline.errors import ModelError


@pytest.fixture(autouse=True)
def _few_negatives(monkeypatch):
    """Some are enough to see that they are measured."""
    monkeypatch.setattr(models.evaluation.sets, "NEGATIVES", 40)


@pytest.fixture
def plan(mnist_folder: Path, tmp_path: Path) -> Plan:
    """A network of digits."""
    return Plan("mlp", epochs=1, seed=1, data=mnist_folder, output=tmp_path / "published")


@pytest.fixture
def trained(plan: Plan, tmp_path: Path) -> Path:
    """Weights that read most of the digits."""
    model, digits = build("mlp"), load_split(plan.data, plan.seed).training
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(digits.images[..., None], digits.labels, epochs=25, verbose=0)
    model.save(tmp_path / "trained.keras")
    return tmp_path / "trained.keras"


def put(weights: Path, plan: Plan):
    """Publish these weights."""
    adopt(weights, plan)
    return publish(plan)


def contents(folder: Path) -> dict[str, str]:
    """All files below a folder, by their hashes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_publishing_what_was_published_changes_nothing(plan, trained, tmp_path):
    """Weights stay as trained; calibration is fitted anew, never on top of itself."""
    first = put(trained, plan)
    again = replace(plan, output=tmp_path / "again")
    assert put(plan.output / "mlp.keras", again) == first
    before, after = (
        keras.models.load_model(folder / "mlp.keras").get_weights()
        for folder in (plan.output, again.output)
    )
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))
    assert not draft_folder(plan).exists()


def test_a_network_of_digits_is_published_with_all_that_belongs_to_it(plan, trained):
    """Card, int8 weights and page; marks are measured by how often they pass as digits."""
    card = put(trained, plan)
    classifier = load_classifier("mlp", plan.output)
    assert classifier.card == card
    assert card.classes == DIGITS
    assert card.biases == (0,) * 10
    assert card.figures["held_out"]["accuracy"] > 0.7
    assert card.figures["negatives"]["accuracy"] == 0
    (plan.output / "installed").mkdir()
    assert install(plan, plan.output / "installed") == card
    assert load_classifier("mlp", plan.output / "installed").card == card
    assert "negatives" in (plan.output / "mlp-evaluation/index.html").read_text()


def test_a_worse_network_is_refused_and_changes_nothing(plan, trained, tmp_path):
    """The error says by how much it is worse; it is left as a draft, and no test set was shown."""
    put(trained, plan)
    before = contents(plan.output)
    build("mlp").save(tmp_path / "untrained.keras")
    with pytest.raises(ModelError, match=r"mlp in .* stays: of 30 samples"):
        put(tmp_path / "untrained.keras", plan)
    draft = draft_folder(plan)
    assert sorted(contents(draft)) == ["mlp.json", "mlp.keras", "mlp.tflite"]
    assert load_classifier("mlp", draft).card.figures == {}
    after = contents(plan.output)
    assert {name: after[name] for name in after if not name.startswith(draft.name)} == before
    held_out = held_out_sets(plan)
    refuse_worse("mlp", held_out, new=plan.output, old=plan.output)
    refuse_worse("mlp", held_out, new=plan.output, old=draft)
    refuse_worse("mlp", held_out, new=draft, old=tmp_path / "nothing")


def _another_input() -> keras.Model:
    image = keras.layers.Input((32, 32, 1))
    return keras.Model(image, keras.layers.Dense(10)(keras.layers.Flatten()(image)))


def _no_numbers() -> keras.Model:
    model = build("mlp")
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_another_input, r"takes \(32, 32, 1\)"),
        (lambda: build("digitnet"), "gives 13 classes"),
        (_no_numbers, "no numbers"),
    ],
)
def test_weights_that_do_not_fit_are_refused(plan, tmp_path, make, message):
    """Another input shape, other classes, NaN: said before anything is written."""
    make().save(tmp_path / "odd.keras")
    with pytest.raises(ModelError, match=message):
        adopt(tmp_path / "odd.keras", plan)
    assert not plan.output.exists()


@pytest.mark.parametrize("content", [None, b"", b"PK\3\4 half a file"])
def test_weights_that_cannot_be_read_are_named(plan, tmp_path, content):
    """Missing, empty, or cut short."""
    path = tmp_path / "broken.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.keras"):
        adopt(path, plan)
    assert not plan.output.exists()
