"""What must hold of the page: it needs nothing but itself, and shows every error it counts."""

import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from models.classifier import load_classifier
from models.evaluation.charts import draw_curve
from models.evaluation.figures import Outcome, look_at
from models.evaluation.page import MOST_SHOWN, PAGE, tile_misread, write_page
from models.samples import Samples
from pipeline.errors import OutputError


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Keep text."""
        self.text += " " + data


@pytest.fixture(scope="module")
def classifier():
    """The committed network."""
    return load_classifier()


@pytest.fixture(scope="module")
def outcome(classifier, simulated):
    """Drawn digits, one in six with the label of another: these count as misread."""
    labels = simulated[1].copy()
    labels[::6] = (labels[::6] + 1) % 10
    return look_at(classifier, Samples(simulated[0][..., None], labels))


@pytest.fixture(scope="module")
def folder(classifier, outcome, tmp_path_factory):
    """A page of two sets, the second with a place for each sample that only a browser could run."""
    few = slice(0, 12)
    places = tuple(f"<script>{number}</script>" for number in range(12))
    forms = Outcome(
        outcome.images[few], outcome.labels[few], outcome.probabilities[few], places, unread=3
    )
    path = tmp_path_factory.mktemp("evaluation") / "page"
    write_page({"mnist_test": outcome, "forms": forms}, classifier.card, path)
    return path


@pytest.fixture(scope="module")
def page(folder):
    """Its text."""
    return (folder / PAGE).read_text(encoding="utf-8")


def test_the_page_needs_nothing_from_elsewhere(page):
    """No address in it leads out, and its pictures are inside."""
    assert not re.search(r"https?://|//cdn|@import|<script|<link", page)
    for tag, attributes in Reader(page).tags:
        for name in ("src", "srcset", "href"):
            address = attributes.get(name) or "#"
            assert address.startswith(("data:image/png;base64,", "#")), (tag, address[:40])


def test_every_picture_lies_beside_it_too(folder):
    """Confusions, reliability, risk and gallery of each set, light and dark, as PNGs."""
    for name in ("mnist_test", "forms"):
        for kind in ("confusion", "reliability", "risk-coverage"):
            for suffix in ("", "-dark"):
                assert cv2.imread(str(folder / f"{name}-{kind}{suffix}.png")).shape[1] > 800
        assert (folder / f"{name}-misread.png").is_file()
    assert not list(folder.glob("*.part"))


def test_figures_and_errors_are_told(page, outcome):
    """Both sets with their figures, boxes not read, and what is not shown for lack of room."""
    text = " ".join(Reader(page).text.split())
    wrong = int((outcome.read != outcome.labels).sum())
    assert wrong > MOST_SHOWN
    assert f"Misread: the {MOST_SHOWN} surest of {wrong}" in text
    assert f"{100 - wrong / 6:.2f}" in text
    assert "3 boxes are on pages or in fields that could not be read" in text
    assert "Boxes of forms" in text


def test_texts_from_outside_are_not_run(page):
    """File and field names are shown as they are."""
    assert "&lt;script&gt;0&lt;/script&gt;" in page


def test_the_gallery_shows_the_surest_errors_first(outcome):
    """The first tile is the misread sample of the highest confidence, dark on light."""
    wrong = np.flatnonzero(outcome.read != outcome.labels)
    surest = wrong[outcome.probabilities[wrong].max(axis=1).argmax()]
    assert np.array_equal(tile_misread(outcome)[:28, :28], 255 - outcome.images[surest, ..., 0])


def test_a_set_without_errors_is_shown_and_always_the_same(classifier, outcome, tmp_path):
    """All right, and nothing at all in some classes; nothing depends on the clock."""
    right = np.flatnonzero(outcome.read == outcome.labels)[:5]
    few = Outcome(outcome.images[right], outcome.labels[right], outcome.probabilities[right])
    one, other = (
        write_page({"usps_test": few}, classifier.card, tmp_path / name).read_text(encoding="utf-8")
        for name in "ab"
    )
    assert "None." in Reader(one).text
    assert one == other


def test_a_folder_that_cannot_be_made_is_an_output_error(classifier, outcome, tmp_path):
    """A file stands where the folder should be; nothing is written."""
    (tmp_path / "page").write_text("")
    with pytest.raises(OutputError, match="--output"):
        write_page({"x": outcome}, classifier.card, tmp_path / "page")
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_the_training_curve_is_a_picture(tmp_path):
    """One epoch is enough for it."""
    path = tmp_path / "curve.png"
    draw_curve([{"epoch": 1, "loss": 0.5, "clean": 0.9, "scanned": 0.8}], path)
    assert path.read_bytes().startswith(b"\x89PNG")
