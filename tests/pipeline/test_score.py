"""The figures of a run, on outputs small enough to count by hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputFileError
from pipeline.export import export
from pipeline.records import FieldResult, Flag, PageId, PageResult, Status
from pipeline.score import Score, Tally, risk_coverage_area, score

Reading = tuple[str, str, float, Flag]
ACCEPTED, REVIEW = Flag.ACCEPTED, Flag.REVIEW


def scored(folder: Path, readings: list[Reading], truth: list[tuple[str, str]]) -> Score:
    """Score fields (name, raw, confidence, flag) of one page against (name, raw)."""
    fields = tuple(FieldResult(name, raw, raw, c, flag, ()) for name, raw, c, flag in readings)
    identity = PageId("=a,b.png", 1, "")
    export([PageResult(identity, "card", Status.READ, "", None, fields, ())], folder)
    rows = "".join(f'"\'=a,b.png",1,{name},{raw}\n' for name, raw in truth)
    (folder / "truth.csv").write_text("document,page,field,raw\n" + rows)
    return score(folder, folder / "truth.csv")


def test_figures_counted_by_hand(tmp_path: Path) -> None:
    """Boxes by what truly stands there, fields whole, the accepted ones apart."""
    readings = [
        ("a", "12", 0.9, ACCEPTED),
        ("b", "1_X", 0.8, ACCEPTED),
        ("c", "77", 0.7, REVIEW),
        ("d", "5", 0.6, REVIEW),
    ]
    figures = scored(tmp_path, readings, [("a", "12"), ("b", "__X"), ("c", "71"), ("d", "5")])
    assert figures.boxes == Tally(8, 6)
    assert figures.states == {"digit": Tally(5, 4), "blank": Tally(2, 1), "struck": Tally(1, 1)}
    assert figures.fields == Tally(4, 2)
    assert (figures.accepted, figures.wrong_accepted) == (2, 1)
    assert figures.wrong_accepted_share == 0.5
    assert figures.aurc == pytest.approx((0 + 1 / 2 + 2 / 3 + 2 / 4) / 4)
    assert figures.as_dict()["accepted_share"] == 0.5


def test_missing_fields_are_wrong_and_counted(tmp_path: Path) -> None:
    """A field that the output lacks is a wrong one; a field without truth is not scored."""
    readings = [("a", "12", 0.9, ACCEPTED), ("extra", "3", 0.9, ACCEPTED)]
    figures = scored(tmp_path, readings, [("a", "12"), ("gone", "34")])
    assert figures.fields == Tally(2, 1)
    assert figures.boxes == Tally(4, 2)
    assert (figures.missing, figures.unscored) == (1, 1)


def test_a_short_reading_is_wrong_in_the_missing_boxes(tmp_path: Path) -> None:
    """Boxes are compared one by one as far as there are any."""
    assert scored(tmp_path, [("a", "1", 0.9, ACCEPTED)], [("a", "12")]).boxes == Tally(2, 1)


def test_nothing_accepted_has_no_share(tmp_path: Path) -> None:
    """No share of nothing."""
    assert scored(tmp_path, [("a", "1", 0.2, REVIEW)], [("a", "1")]).wrong_accepted_share is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("document,page,field\na,1,x\n", "has no column raw; it needs document,page,field,raw"),
        ("document,page,field,raw\nother.png,1,a,1\n", "names 1 documents that the output lacks"),
        ("document,page,field,raw\n", "names no field"),
        ('document,page,field,raw\n"=a,b.png",1,a,1\n"=a,b.png",1,a,2\n', "twice"),
        ("", "is no CSV"),
        ("\xff\xfe", "is no CSV"),
        ("document,page,field,raw\na.png,1.0,f,1\n", "a.png has page '1.0'; number pages"),
    ],
)
def test_a_wrong_truth_file(tmp_path: Path, content: str, message: str) -> None:
    """Each mistake is named, with what to do."""
    scored(tmp_path, [("a", "1", 0.9, ACCEPTED)], [("a", "1")])
    (tmp_path / "truth.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputFileError, match=message):
        score(tmp_path, tmp_path / "truth.csv")


def test_missing_files(tmp_path: Path) -> None:
    """No truth, and no output."""
    with pytest.raises(InputFileError, match=r"truth\.csv does not exist"):
        score(tmp_path, tmp_path / "truth.csv")
    (tmp_path / "truth.csv").write_text("document,page,field,raw\na,1,x,1\n")
    with pytest.raises(InputFileError, match=r"fields\.csv does not exist"):
        score(tmp_path, tmp_path / "truth.csv")


FIELDS = st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans()), min_size=1)


@given(FIELDS, st.randoms())
def test_area_does_not_depend_on_the_order_of_rows(
    fields: list[tuple[float, bool]], random
) -> None:
    """Fields of equal confidence may stand in any order."""
    confidence, right = map(np.array, zip(*fields, strict=True))
    random.shuffle(fields)
    shuffled_confidence, shuffled_right = map(np.array, zip(*fields, strict=True))
    area = risk_coverage_area(confidence.astype(float), right)
    assert area == pytest.approx(risk_coverage_area(shuffled_confidence, shuffled_right))
    assert 0 <= area <= 1


def test_area_knows_good_confidence_from_bad() -> None:
    """Errors among the least sure cost less than errors among the surest."""
    right = np.array([True, True, True, False])
    assert risk_coverage_area(np.array([0.9, 0.8, 0.7, 0.1]), right) < risk_coverage_area(
        np.array([0.1, 0.7, 0.8, 0.9]), right
    )
