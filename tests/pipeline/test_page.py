"""Reading pages: each finds its own form, and a bad one never costs another."""

import numpy as np
import pytest

from models.classifier import load_classifier
from pipeline.authoring.degrade import degrade
from pipeline.page import cut_page, read_pages
from pipeline.recognize import Classifier
from pipeline.records import Flag, GreyImage, Page, PageResult, Status
from pipeline.template import FormTemplate
from tests.pipeline.forms import (
    CLAIM,
    ORDER,
    as_page,
    hand_in,
    ink_on,
    lay,
    print_form,
    print_letter,
    scan,
)

BLANK = np.full((1400, 1000), 255, np.uint8)
CLAIMED = {"number": "205463879", "day": "04072019", "amount": "__36924"}
ORDERED = {"customer": "30264859", "pieces": "__46"}


@pytest.fixture(scope="module")
def network() -> Classifier:
    """The committed network."""
    return load_classifier()


def sheet(template: FormTemplate, texts: dict[str, str], seed: int = 3) -> GreyImage:
    """A filled page, scanned a little askew on a scanner that is not clean."""
    page = ink_on(print_form(template), hand_in(template, texts, seed=seed))
    lie, size = lay(template.size, degrees=0.8, scale=0.99, shift=(4, -6))
    rng = np.random.default_rng(seed)
    return degrade(scan(page, lie, size), {"noise": 0.5, "specks": 0.5, "jpeg": 0.3}, rng)


@pytest.fixture(scope="module")
def pages() -> list[Page]:
    """Good pages of two forms with bad ones among them."""
    return [
        as_page(sheet(ORDER, ORDERED), "a.png"),
        as_page(BLANK, "b.png"),
        as_page(sheet(CLAIM, CLAIMED), "c.pdf", 1),
        as_page(print_letter(), "c.pdf", 2),
        as_page(sheet(CLAIM, {}), "d.png"),
    ]


@pytest.fixture(scope="module")
def results(pages: list[Page], network: Classifier) -> list[PageResult]:
    """All of them read at once, with both templates."""
    return read_pages(pages, [CLAIM, ORDER], network)


def raw_of(result: PageResult) -> dict[str, str]:
    """Give what stands in each field."""
    return {one.field: one.raw for one in result.fields}


def test_results_are_in_the_order_of_the_pages(
    pages: list[Page], results: list[PageResult]
) -> None:
    """One for each page, with its identity."""
    assert [result.identity for result in results] == [page.identity for page in pages]


def test_each_page_finds_its_own_form(results: list[PageResult]) -> None:
    """Whichever template comes first; a page of neither finds none."""
    assert [one.template for one in results] == ["order", "", "claim", "", "claim"]
    wanted = [Status.READ, Status.FAILED, Status.READ, Status.FAILED, Status.READ]
    assert [one.status for one in results] == wanted


def test_what_was_written_is_read(results: list[PageResult]) -> None:
    """Nearly every box holds what the pen wrote, and a blank box never a digit."""
    order, claim = raw_of(results[0]), raw_of(results[2])
    right = []
    for raw, template, texts in ((order, ORDER, ORDERED), (claim, CLAIM, CLAIMED)):
        for spec in template.fields:
            written = texts.get(spec.name, "_" * len(spec.boxes))
            for found, wanted in zip(raw[spec.name], written, strict=True):
                right.append(found == wanted)
                assert wanted != "_" or found == "_"
    assert np.mean(right) > 0.95


def test_an_empty_form_is_read_as_empty(results: list[PageResult]) -> None:
    """Every box is surely blank; nothing asks for a person."""
    assert set("".join(raw_of(results[4]).values())) == {"_"}
    assert {one.flag for one in results[4].fields} == {Flag.ACCEPTED}


def test_every_box_and_field_has_its_row(results: list[PageResult]) -> None:
    """In the template's order, with the same characters in both tables."""
    for result, template in ((results[0], ORDER), (results[2], CLAIM)):
        assert [one.field for one in result.fields] == [spec.name for spec in template.fields]
        for one in result.fields:
            boxes = [row for row in result.boxes if row.field == one.field]
            assert [row.position for row in boxes] == list(range(len(one.raw)))
            assert "".join(row.reading for row in boxes) == one.raw
        assert result.residual_px is not None
        assert result.residual_px < 1


def test_a_failed_page_of_several_templates_has_no_rows(results: list[PageResult]) -> None:
    """Nobody knows its fields; the reason names the templates tried and says what to do."""
    for result in (results[1], results[3]):
        assert (result.fields, result.boxes, result.residual_px) == ((), (), None)
        assert "none of the 2 templates (claim, order)" in result.reason
        assert "Add its template" in result.reason


def test_a_failed_page_of_one_template_has_its_rows(network: Classifier) -> None:
    """Each field goes to a person, and is not taken for blank."""
    (result,) = read_pages([as_page(BLANK)], [CLAIM], network)
    assert (result.status, result.template) == (Status.FAILED, "claim")
    assert [one.field for one in result.fields] == [spec.name for spec in CLAIM.fields]
    for one in result.fields:
        assert (one.raw, one.value) == ("", "")
        assert (one.flag, one.reasons) == (Flag.REVIEW, ("page_failed",))


def test_company_changes_nothing(
    pages: list[Page], results: list[PageResult], network: Classifier
) -> None:
    """A page read alone gives what it gives among others, and with one template as with two."""
    assert read_pages([pages[2]], [CLAIM, ORDER], network)[0].fields == results[2].fields
    assert read_pages([pages[2]], [CLAIM], network)[0].fields == results[2].fields


def test_the_order_of_templates_does_not_matter(pages: list[Page]) -> None:
    """The best match counts, not the first."""
    for page, wanted in ((pages[0], "order"), (pages[2], "claim")):
        for templates in ([CLAIM, ORDER], [ORDER, CLAIM]):
            assert cut_page(page, templates).template.template_id == wanted


def test_no_pages_give_no_results(network: Classifier) -> None:
    """An empty batch is no error."""
    assert read_pages([], [CLAIM], network) == []
