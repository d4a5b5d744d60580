"""Reviewing in a real browser, by keyboard alone: what was acknowledged is in the export."""

import csv
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.pipeline.review.conftest import QUEUE, decided, kill, serving

Visit = Callable[..., Page]
Command = Callable[..., subprocess.CompletedProcess[str]]


def shown(page: Page) -> str:
    """Wait for a field, and give its id."""
    stage = page.locator("#stage")
    expect(stage).to_have_attribute("data-shown", re.compile("."), timeout=15_000)
    return stage.get_attribute("data-shown")


def accept(page: Page) -> str:
    """Accept the field that is shown, and wait for another or none; give its id."""
    field = shown(page)
    page.keyboard.press("Enter")
    expect(page.locator("#stage")).not_to_have_attribute("data-shown", field)
    return field


def saved(page: Page, count: int) -> None:
    """Wait until the page says that so many are done."""
    expect(page.locator("#done")).to_have_text(str(count), timeout=15_000)


def raw_on(page: Page) -> str:
    """Read the signs beneath the boxes."""
    return "".join(page.locator(".item.now .box text").all_text_contents())


def told(page: Page) -> str:
    """Read what is said of the field that is shown."""
    return page.locator(".item.now .reasons").inner_text()


def test_fifty_fields_by_keyboard(
    queued: Path, address: str, visit: Visit, formdigits: Command
) -> None:
    """The whole queue with Enter; the export names the reviewer of all fifty."""
    page = visit(address + "fields")
    seen = {accept(page) for _ in range(QUEUE)}
    assert len(seen) == QUEUE
    saved(page, QUEUE)
    expect(page.locator("#empty")).to_contain_text("Nothing waits")
    run = formdigits("export", queued)
    assert run.returncode == 0
    with (queued / "fields.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["reviewer"] for row in rows].count("Ada") == QUEUE
    assert {row["flag"] for row in rows} == {"accepted"}
    assert {row["source"] for row in rows} == {"machine", "reviewed"}


def test_every_key(queued: Path, address: str, visit: Visit) -> None:
    """Digits replace, B X I mark, Esc restores, arrows move, the shift fills the field."""
    page = visit(address + "fields")
    field = int(shown(page))
    read = raw_on(page)
    page.keyboard.press("Home")
    page.keyboard.type("7bxi")
    assert raw_on(page) == "7_X#" + read[4:]
    page.keyboard.press("Backspace")
    assert raw_on(page) == "7_X" + read[3:]
    page.keyboard.press("Escape")
    assert raw_on(page) == read
    page.keyboard.press("Shift+B")
    assert raw_on(page) == "_" * len(read)
    page.keyboard.press("3")
    assert "boxes are passed" in page.locator("#say").inner_text()
    page.keyboard.press("Home")
    page.keyboard.type("4" * len(read))
    accept(page)
    saved(page, 1)
    assert decided(queued) == {field: ("4" * len(read), "Ada")}


def test_undo_and_skip(queued: Path, address: str, visit: Visit) -> None:
    """Undo brings the last field back, skip puts one behind the others."""
    page = visit(address + "fields")
    first = accept(page)
    saved(page, 1)
    page.keyboard.press("u")
    expect(page.locator("#stage")).to_have_attribute("data-shown", first)
    saved(page, 0)
    assert decided(queued) == {}
    page.keyboard.press("s")
    expect(page.locator("#stage")).not_to_have_attribute("data-shown", first)
    later = [accept(page) for _ in range(QUEUE - 1)]
    assert first not in later
    assert accept(page) == first
    saved(page, QUEUE)


def test_two_browsers(queued: Path, address: str, visit: Visit) -> None:
    """Two people work through one queue; no field is decided by both."""
    pages = [visit(address + "fields", name) for name in ("Ada", "Bela")]
    fields = [accept(page) for _ in range(QUEUE // 2 - 4) for page in pages]
    assert len(set(fields)) == len(fields)
    for page in pages:
        saved(page, len(fields) // 2)
    rows = decided(queued)
    assert {reviewer for _, reviewer in rows.values()} == {"Ada", "Bela"}
    assert len(rows) == len(fields)


def test_a_server_killed_in_the_middle(queued: Path, visit: Visit) -> None:
    """Decisions that it had not answered are sent again; nothing is lost or doubled."""
    with serving(queued) as (address, pid):
        page = visit(address + "fields")
        fields = [accept(page) for _ in range(5)]
        port = int(address.rstrip("/").rpartition(":")[2])
        kill(pid)
        fields.append(accept(page))
    expect(page.locator("#say")).to_contain_text("Not saved yet", timeout=15_000)
    with serving(queued, port=port):
        saved(page, 6)
        fields += [accept(page) for _ in range(3)]
        saved(page, 9)
    assert sorted(map(str, decided(queued))) == sorted(fields)


def test_the_digit_wall(queued: Path, address: str, visit: Visit) -> None:
    """Odd boxes are marked, the rest is sent; undo brings the screenful back."""
    page = visit(address + "wall")
    page.wait_for_selector(".tile")
    boxes = page.locator(".tile").count()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("#say")).to_contain_text(f"{boxes} boxes")
    expect(page.locator("#say")).to_contain_text("1 marked as odd")
    screen = page.locator("#wall").get_attribute("data-screen")
    page.keyboard.press("Enter")
    expect(page.locator("#wall")).not_to_have_attribute("data-screen", screen)
    done = len(decided(queued))
    page.keyboard.press("u")
    expect(page.locator("#say")).to_contain_text("Undone")
    assert done == 0 or len(decided(queued)) < done
    assert page.locator(".tile").count() == boxes


def test_the_wall_decides_fields(queued: Path, address: str, visit: Visit) -> None:
    """When all its doubted boxes were sent as right, a field is as it was read."""
    page = visit(address + "wall")
    for digit in range(10):
        page.locator(f".digit[data-reading='{digit}']").click()
        expect(page.locator("#say")).to_contain_text(f"read as {digit}")
        while page.locator(".tile").count():
            screen = page.locator("#wall").get_attribute("data-screen")
            page.keyboard.press("Enter")
            expect(page.locator("#wall")).not_to_have_attribute("data-screen", screen)
    boxes = page.locator(".digit [data-count]").all_inner_texts()
    assert set(boxes[:10]) == {"0"}
    assert len(decided(queued)) > QUEUE // 2


def test_the_second_key(queued: Path, visit: Visit) -> None:
    """Another keys blind what one has decided; where they differ, a third decides."""
    with serving(queued, "--second-key", 1) as (address, _):
        first = visit(address + "fields", "Ada")
        fields = [accept(first) for _ in range(4)]
        saved(first, 4)
        read = decided(queued)
        page = visit(address + "second", "Bela")
        for place in range(4):
            field = shown(page)
            assert raw_on(page).strip() == ""
            raw = read[int(field)][0]
            page.keyboard.type(raw if place else "0" * len(raw))
            accept(page)
        saved(page, 4)
        third = visit(address + "second", "Cleo")
        field = shown(third)
        while "Ada says" not in told(third):  # a field whose text is known came first, by chance
            third.keyboard.type(read[int(field)][0])
            accept(third)
            field = shown(third)
        third.keyboard.type(read[int(field)][0])
        accept(third)
    rows = decided(queued)
    assert sorted(map(str, rows)) == sorted(fields)
    assert sorted(who for _, who in rows.values()) == ["Ada and Bela"] * 3 + ["Cleo"]


def test_one_field_of_all_forms(queued: Path, address: str, visit: Visit) -> None:
    """From the summary to the fields of one name alone, until none of them waits."""
    page = visit(address + "summary")
    link = page.get_by_role("link", name="postal-card · pin_code")
    count = int(link.locator("xpath=../..").locator("td").nth(1).inner_text())
    link.click()
    for _ in range(count):
        shown(page)
        assert "Pin code postal-card" in page.locator(".item.now h2").inner_text()
        accept(page)
    expect(page.locator("#empty")).to_contain_text("Nothing waits")
    saved(page, count)
    page.get_by_role("link", name="All fields").click()
    shown(page)


def test_search_history_and_undo(queued: Path, address: str, visit: Visit) -> None:
    """A field found by its document is decided; the history shows it and takes it back."""
    page = visit(address + "search?text=postal-card-3")
    page.get_by_role("link", name="pin_code").click()
    field = int(accept(page))
    saved(page, 1)
    page.goto(address + "history")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("tbody")).to_contain_text("to do again")
    assert field not in decided(queued)


def test_names_are_escaped(queued: Path, address: str, visit: Visit) -> None:
    """A reviewer's name and a search are shown as text, whatever they hold."""
    page = visit(address)
    page.get_by_label("Your name").fill("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".reviewer")).to_contain_text("<img src=x onerror=alert(1)>")
    page.goto(address + "search?text=<script>alert(1)</script>")
    assert page.locator("main script").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(queued: Path, address: str, visit: Visit, scheme: str) -> None:
    """No serious violation on any page; nothing to scroll sideways at 200 % zoom."""
    page = visit(address + "fields", color_scheme=scheme)
    accept(page)
    saved(page, 1)
    for path in ("", "fields", "second", "wall", "summary", "search?text=card", "history"):
        page.goto(address + path)
        if path == "fields":
            shown(page)
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in {"serious", "critical"}] == []
        page.set_viewport_size({"width": 640, "height": 400})  # 1280x800 at 200 %
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.set_viewport_size({"width": 1280, "height": 800})
