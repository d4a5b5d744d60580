"""A run against its truth, field by field."""

from pathlib import Path

import pytest

from pipeline.acceptance import ProfileModel, PromiseModel
from pipeline.calibration import Target, calibrate, is_decidable
from pipeline.errors import InputFileError
from pipeline.export import export
from pipeline.records import FieldResult, Flag, PageId, PageResult, Status

TARGET = Target(max_error=0.05, confidence=0.9)


def write_run(folder: Path, fields: list[FieldResult]) -> Path:
    """Write a run of one field a page, and a truth in which all are 7."""
    pages = [
        PageResult(PageId(f"{n:03}.png", 1, ""), "card", Status.READ, "", None, (field,), ())
        for n, field in enumerate(fields)
    ]
    export(pages, folder)
    truth = folder / "truth.csv"
    rows = "".join(f"{n:03}.png,1,code,7\n" for n in range(len(fields)))
    truth.write_text("document,page,field,raw\n" + rows)
    return truth


def result(raw: str, confidence: float, *reasons: str) -> FieldResult:
    """A field as read."""
    flag = Flag.REVIEW if reasons else Flag.ACCEPTED
    return FieldResult("code", raw, raw, confidence, flag, reasons)


def test_the_threshold_stands_above_the_errors(tmp_path: Path) -> None:
    """60 right ones at 0.9, errors at 0.5: accepted from 0.9 on, and the others are counted."""
    fields = [result("7", 0.9)] * 60 + [result("1", 0.5, "low_confidence")] * 9
    fields += [result("7", 0.99, "check_failed:luhn")]
    (found,) = calibrate(tmp_path, write_run(tmp_path, fields), TARGET)
    assert found.promise.holds
    assert (found.promise.accept, found.accepted, found.review) == (0.9, 60, 10)
    assert (found.template, found.field, found.fields) == ("card", "code", 70)


def test_too_small_a_sample_promises_nothing(tmp_path: Path) -> None:
    """It says how many more it takes, and leaves acceptance as it was."""
    truth = write_run(tmp_path, [result("7", 0.9)] * 5 + [result("7", 0.4, "low_confidence")])
    (found,) = calibrate(tmp_path, truth, TARGET)
    assert not found.promise.holds
    assert found.promise.needed == 45 - 6
    assert (found.accepted, found.review) == (5, 1)


def test_an_error_that_was_accepted_is_so_no_more(tmp_path: Path) -> None:
    """However small the sample, what it proves wrong raises the threshold."""
    fields = [result("7", 0.99)] * 3 + [result("1", 0.95), result("7", 0.91)]
    (found,) = calibrate(tmp_path, write_run(tmp_path, fields), TARGET)
    assert (found.promise.accept, found.accepted, found.promise.wrong) == (0.99, 3, 0)


def test_where_the_surest_is_wrong_nothing_is_accepted(tmp_path: Path) -> None:
    """No threshold keeps a field right whose surest reading was wrong."""
    fields = [result("1", 0.99), result("7", 0.95)]
    (found,) = calibrate(tmp_path, write_run(tmp_path, fields), TARGET)
    assert (found.promise.accept, found.accepted, found.review) == (None, 0, 2)
    told = found.as_promise()
    nothing = PromiseModel(**(told.model_dump(exclude={"template", "field"}) | {"accept": 0.5}))
    model = ProfileModel(
        network="", max_error=0.05, confidence=0.9, fitted_on="", plain=nothing, checked=nothing,
        fields=(told,),
    )  # fmt: skip
    assert model.to_profile().threshold("card", "code", checked=False) > 1
    assert model.to_profile().threshold("card", "other", checked=False) == 0.5


def test_a_truth_of_other_lengths_is_refused(tmp_path: Path) -> None:
    """One character a box, or it is the truth of another field."""
    truth = write_run(tmp_path, [result("7", 0.9), result("71", 0.9)])
    with pytest.raises(InputFileError, match=r"001.png, page 1, field code: '7' has 1 character"):
        calibrate(tmp_path, truth, TARGET)


def test_a_truth_of_other_fields_is_refused(tmp_path: Path) -> None:
    """Nothing in common is a mistake, not a sample of none."""
    truth = write_run(tmp_path, [result("7", 0.9)])
    truth.write_text("document,page,field,raw\n000.png,1,other,7\n")
    with pytest.raises(InputFileError, match="no field in common"):
        calibrate(tmp_path, truth, TARGET)


@pytest.mark.parametrize(
    ("reasons", "decidable"),
    [
        ("", True),
        ("low_confidence", True),
        ("low_confidence;decided_by:sum", True),
        ("check_failed:sum;low_confidence", False),
        ("alignment", False),
    ],
)
def test_what_confidence_decides_about(reasons: str, decidable: bool) -> None:
    """With another reason a field goes to a person, whatever its confidence."""
    assert is_decidable(reasons) == decidable
