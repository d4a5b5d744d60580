"""The shipped profile: fitted on pages with known truth, it says how often fields are right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from models.acceptance import load_profile, read_for
from models.classifier import load_classifier
from models.field_fit import calibration_error, confidences, fit_map, make_profile
from models.field_samples import FieldSample, decode_samples, measure_doubts
from models.simulated import PIECE, Order, PageSample, cut_simulated, make_samples
from pipeline.acceptance import FieldMap

TRUE = FieldMap(slope=0.7, offset=1.2, trust=0.9)
TEXTS = {
    "code_1": "12345678", "card": "7992739871", "code_2": "87654321", "identity": "1234567890",
    "code_3": "12345678", "born": "01011990", "pin_code": "560001", "signed": "05062025",
    "amount": "1123456", "account": "123456789", "count_1": "012", "count_2": "030",
    "count_3": "001", "total": "0043", "code_4": "12345678", "code_5": "12345678",
}  # fmt: skip


def sample_fields(count: int, seed: int) -> list[FieldSample]:
    """Fields that are right as often as the true map says."""
    rng = np.random.default_rng(seed)
    product = expit(rng.normal(3, 2, count))
    added = rng.choice([0.0, 1.5, 4.0], count)
    posterior = expit(logit(product) + added)
    odds = TRUE.slope * logit(product) + TRUE.offset + TRUE.trust * added
    right = rng.random(count) < expit(odds)
    rows = zip(product.tolist(), posterior.tolist(), right.tolist(), strict=True)
    return [FieldSample(n, "f", True, p, q, ok, True) for n, (p, q, ok) in enumerate(rows)]


def test_the_map_is_found_again() -> None:
    """From which fields were right, and it is calibrated on others of the kind."""
    found = fit_map(sample_fields(20000, 1))
    assert found.slope == pytest.approx(TRUE.slope, abs=0.05)
    assert found.offset == pytest.approx(TRUE.offset, abs=0.15)
    assert found.trust == pytest.approx(TRUE.trust, abs=0.1)
    others = sample_fields(20000, 2)
    right = np.array([one.right for one in others])
    assert calibration_error(confidences(others, found), right) < 0.008
    assert calibration_error(confidences(others, FieldMap()), right) > 0.02


def page(
    number: int, *, wrong: int | None = None, read: str = "", doubtful: int | None = None
) -> PageSample:
    """A page that is read for sure as written, but for one box."""
    classes = load_classifier().card.classes
    truth = "".join(TEXTS.values())
    probabilities = np.full((len(truth), len(classes)), 1e-6, np.float32)
    for place, character in enumerate(truth):
        seen = read or str((int(character) + 1) % 10)
        probabilities[place, classes.index(seen if place == wrong else character)] = 1
    doubted = np.zeros(len(truth), bool)
    if doubtful is not None:
        doubted[doubtful] = True
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    found = np.ones(len(TEXTS), bool)
    return PageSample(number, tuple(TEXTS.values()), probabilities, doubted, found)


def test_doubt_is_the_share_of_sure_boxes_that_are_wrong() -> None:
    """Of all digits, and of each mark, with one more of each kind: none of few proves nothing."""
    pages = [page(n, doubtful=3) for n in range(7)] + [
        page(7, wrong=2, read="4", doubtful=2),
        page(8, wrong=3),
    ]
    doubts = measure_doubts(pages)
    assert doubts["4"] == pytest.approx(2 / 10, abs=1e-4)
    unfound = replace(page(9, wrong=2, read="4", doubtful=2), found=np.zeros(len(TEXTS), bool))
    assert measure_doubts([*pages, unfound]) == doubts
    assert doubts["8"] == doubts["4"]
    assert doubts["_"] == doubts["X"] == 0.5
    assert set(measure_doubts([]).values()) == {0.5}


def test_a_doubt_lowers_what_a_field_is_worth() -> None:
    """That of its own field only."""
    sure, doubted = (
        {one.field: one for one in decode_samples([page(1, doubtful=3)], {"4": doubt})}
        for doubt in (0.0, 0.2)
    )
    assert sure["code_1"].product > 0.999
    assert 0.75 < doubted["code_1"].product < 0.85
    assert doubted["card"].product == pytest.approx(sure["card"].product)


def test_a_profile_promises_what_its_pages_allow() -> None:
    """A promise that the sample is too small for is not made."""
    pages = [page(n) for n in range(40)] + [page(40, wrong=0)]
    loose = make_profile(pages, "sha", max_error=0.2, level=0.9)
    strict = make_profile(pages, "sha", max_error=0.001, level=0.9)
    assert (loose.plain.promised, strict.plain.promised) == (True, False)
    assert loose.plain.wrong_at_most <= 0.2
    assert loose.checked.promised
    assert loose.checked.wrong_at_most <= 0.1
    assert loose.network == "sha"


def test_a_simulated_page_is_cut(mnist_folder: Path) -> None:
    """The same number gives the same page, its boxes in the trial form's order."""
    order = Order(mnist_folder, seed=1, half="test", level="clean", pages=1)
    first, again = cut_simulated(order, 3), cut_simulated(order, 3)
    assert first is not None
    assert again is not None
    assert first.texts == again.texts
    assert len(first.seen) == len("".join(first.texts))
    assert np.array_equal(first.seen, again.seen)


def test_what_was_made_is_kept(tmp_path: Path, mnist_folder: Path) -> None:
    """Pages in the folder are not made again, whoever made them, nor after the time is up."""
    order = Order(mnist_folder, seed=1, half="test", level="clean", pages=1)
    made = make_samples(order, tmp_path)
    assert len(made) == PIECE
    more = replace(order, first=PIECE)
    again = make_samples(more, tmp_path, minutes=0)
    assert [one.number for one in again] == [one.number for one in made]
    assert again[3].texts == made[3].texts
    assert np.array_equal(again[3].probabilities, made[3].probabilities)
    assert make_samples(replace(order, seed=2), tmp_path, minutes=0) == []


def test_the_shipped_profile_is_of_the_shipped_network() -> None:
    """After training a new network, `python -m models.field_fit` makes its profile."""
    card = load_classifier().card
    profile = read_for(card, None)
    assert profile.fitted_on != "the threshold of the model card"
    assert load_profile(card).threshold("any", "field", checked=False) < 1
