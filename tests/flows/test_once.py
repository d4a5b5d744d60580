"""Each document is read once: known by its bytes, whatever its name, its times, or the clock."""

import csv
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import looking
from flows.batch import Rules, Summary
from flows.direct import extract_directly
from flows.order import Handling, Order, Reread
from flows.round import begun
from flows.workers import Workers
from pipeline.errors import InputFileError
from pipeline.export import prepare_output
from tests.flows.batches import CSVS, draw_slip, encode, make_form

Slips = Callable[..., None]
OTHER = "  - {name: extra, boxes: [[440, 90, 48, 58]], type: digits}\n"


@pytest.fixture(scope="session")
def form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slip's template."""
    return make_form(tmp_path_factory.mktemp("form"))


@pytest.fixture(scope="session")
def slips(form: Path) -> list[bytes]:
    """Six slips, each another document."""
    return [encode([draw_slip(form, number)]) for number in range(6)]


@pytest.fixture
def inbox(tmp_path: Path, slips: list[bytes]) -> Path:
    """An inbox with three slips."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, content in zip("abc", slips, strict=False):
        (folder / f"{name}.jpg").write_bytes(content)
    return folder


def extract(inbox: Path, form: Path, output: Path, **handling: object) -> Summary:
    """Read what is new in the inbox."""
    prepare_output(output)
    chosen = Handling(**{"settle_s": 0.0, **handling})
    return extract_directly([inbox], form, output, handling=chosen)


def pages(output: Path) -> dict[str, tuple[str, str]]:
    """Give status and reason of each document."""
    with (output / "pages.csv").open(newline="") as file:
        return {row["document"]: (row["status"], row["reason"]) for row in csv.DictReader(file)}


def tables(output: Path) -> list[bytes]:
    """Give the bytes of the three CSVs."""
    return [(output / name).read_bytes() for name in CSVS[:3]]


def test_a_second_run_reads_nothing(inbox: Path, form: Path, tmp_path: Path) -> None:
    """And leaves every file as it was."""
    out = tmp_path / "out"
    assert extract(inbox, form, out).pages == 3
    before = {name: (out / name).stat().st_mtime_ns for name in CSVS[:4]}
    again = extract(inbox, form, out)
    assert (again.pages, again.known) == (0, 3)
    assert {name: (out / name).stat().st_mtime_ns for name in CSVS[:4]} == before


def test_night_after_night_or_at_once(
    inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]
) -> None:
    """What comes later is read alone, and the CSVs are those of one run over all."""
    late = inbox / "aa.jpg"
    extract(inbox, form, tmp_path / "nights")
    late.write_bytes(slips[3])
    assert extract(inbox, form, tmp_path / "nights").pages == 1
    extract(inbox, form, tmp_path / "once")
    assert tables(tmp_path / "nights") == tables(tmp_path / "once")


def test_a_document_that_left_keeps_its_rows(inbox: Path, form: Path, tmp_path: Path) -> None:
    """Whoever moves or deletes files after reading loses nothing; an empty inbox is no error."""
    out = tmp_path / "out"
    extract(inbox, form, out)
    before = tables(out)
    for path in inbox.iterdir():
        path.unlink()
    assert extract(inbox, form, out).pages == 0
    assert tables(out) == before


def test_copies_point_at_the_first(inbox: Path, form: Path, tmp_path: Path) -> None:
    """By name within a run; in a later run at what was read already."""
    out = tmp_path / "out"
    (inbox / "B.jpg").write_bytes((inbox / "b.jpg").read_bytes())
    summary = extract(inbox, form, out)
    assert (summary.pages, summary.duplicates) == (3, 1)
    assert pages(out)["b.jpg"] == ("duplicate", "the same bytes as B.jpg")
    (inbox / "0.jpg").write_bytes((inbox / "c.jpg").read_bytes())
    extract(inbox, form, out)
    assert pages(out)["0.jpg"] == ("duplicate", "the same bytes as c.jpg")
    assert pages(out)["c.jpg"] == ("read", "")
    assert extract(inbox, form, out).known == 5


def test_a_copy_takes_over(inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]) -> None:
    """When other bytes come under the name of the first, its copy is read in its place."""
    out = tmp_path / "out"
    (inbox / "d.jpg").write_bytes((inbox / "a.jpg").read_bytes())
    extract(inbox, form, out)
    assert pages(out)["d.jpg"][0] == "duplicate"
    (inbox / "a.jpg").write_bytes(slips[4])
    assert extract(inbox, form, out).pages == 2
    assert pages(out)["a.jpg"] == pages(out)["d.jpg"] == ("read", "")


def test_changed_bytes_never_pass(
    inbox: Path, form: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same length and with the time of before, in a file whose hash is remembered."""
    monkeypatch.setattr(looking, "RACY_S", 0.0)
    out = tmp_path / "out"
    path = inbox / "a.jpg"
    extract(inbox, form, out)
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[-300] ^= 255
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert extract(inbox, form, out).pages == 1


def test_hashes_of_the_future_are_not_believed(
    inbox: Path, form: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was set back proves nothing: the files are hashed again, and known."""
    monkeypatch.setattr(looking, "RACY_S", -1e9)
    out = tmp_path / "out"
    extract(inbox, form, out)
    order = Order([inbox], form, out)
    with begun(order) as this:
        now = time.time()
        names = [str((inbox / name).resolve()) for name in ("a.jpg", "b.jpg", "c.jpg")]
        assert len(looking.load_looks(this.engine, names, now)) == 3
        assert looking.load_looks(this.engine, names, now - 3600) == {}


def test_files_of_the_future_are_read(inbox: Path, form: Path, tmp_path: Path) -> None:
    """A scanner whose clock is ahead does not keep its files waiting."""
    for path in inbox.iterdir():
        os.utime(path, (time.time() + 86_400,) * 2)
    assert extract(inbox, form, tmp_path / "out", settle_s=5.0).pages == 3


def test_all_again(inbox: Path, form: Path, tmp_path: Path) -> None:
    """Asked to, a run reads everything again, and comes to the same."""
    out = tmp_path / "out"
    extract(inbox, form, out)
    before = tables(out)
    assert extract(inbox, form, out, reread=Reread.ALL).pages == 3
    assert tables(out) == before


def test_a_changed_template_reads_again_what_it_touches(
    inbox: Path, form: Path, tmp_path: Path
) -> None:
    """Only if asked; a comment changes nothing, another field does."""
    out, forms = tmp_path / "out", make_form(tmp_path / "forms")
    extract(inbox, forms, out)
    make_form(forms, more="# a remark\n")
    assert extract(inbox, forms, out).stale == 0
    make_form(forms, more=OTHER)
    left = extract(inbox, forms, out)
    assert (left.pages, left.stale) == (0, 3)
    assert extract(inbox, forms, out, reread=Reread.CHANGED).pages == 3
    again = extract(inbox, forms, out, reread=Reread.CHANGED)
    assert (again.pages, again.stale) == (0, 0)


def test_a_new_template_reads_again_what_none_fitted(
    inbox: Path, form: Path, sample_forms: Path, tmp_path: Path
) -> None:
    """And no page that its template has read."""
    card = sample_forms / "postal-card"
    out, forms = tmp_path / "out", tmp_path / "forms"
    make_form(forms / "slip")
    (inbox / "card.jpg").write_bytes((card / "scans/postal-card-1.jpg").read_bytes())
    extract(inbox, forms, out)
    assert pages(out)["card.jpg"][0] == "failed"
    (forms / "card").mkdir()
    for name in ("template.yaml", "blank.png"):
        (forms / "card" / name).write_bytes((card / name).read_bytes())
    assert extract(inbox, forms, out, reread=Reread.CHANGED).pages == 1
    assert pages(out)["card.jpg"][0] == "read"


def test_half_written_files_wait(
    inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]
) -> None:
    """Those with a name for it, and those that were changed a moment ago."""
    out = tmp_path / "out"
    for name in ("d.jpg.part", "~$e.pdf", "f.tmp", ".g.jpg.x7Rq2L", "h.jpg.crdownload", "h.jpg"):
        (inbox / name).write_bytes(slips[3][:1000])
    summary = extract(inbox, form, out)
    assert (summary.pages, summary.waiting, summary.passed_over) == (3, 6, 0)
    (inbox / "new.jpg").write_bytes(slips[4])
    left = extract(inbox, form, out, settle_s=3600.0)
    assert (left.pages, left.known) == (0, 0)
    assert left.waiting == 10
    assert extract(inbox, form, out, settle_s=1.0).pages == 1


def test_a_file_that_changes_between_two_looks_waits(
    inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]
) -> None:
    """Nothing is kept of it, and the next run reads it."""
    out = tmp_path / "out"
    prepare_output(out)
    with begun(Order([inbox], form, out, handling=Handling(settle_s=0))) as this:
        (inbox / "b.jpg").write_bytes(slips[5])
        with Workers(1) as workers:
            for batch in workers.read_all(this.jobs):
                this.keep(batch)
        summary = this.finish()
    assert (summary.pages, summary.waiting) == (2, 1)
    assert "b.jpg" not in pages(out)
    assert extract(inbox, form, out).pages == 1


def test_an_inbox_that_vanishes(inbox: Path, form: Path, tmp_path: Path) -> None:
    """The run says so, keeps what it read, and no page is called failed for it."""
    out = tmp_path / "out"
    prepare_output(out)
    order = Order([inbox], form, out, handling=Handling(settle_s=0))
    with (
        pytest.raises(InputFileError, match="is its drive still there"),
        begun(order) as this,
        Workers(1) as workers,
    ):
        inbox.rename(tmp_path / "away")
        for batch in workers.read_all(this.jobs):
            this.keep(batch)
    with pytest.raises(InputFileError, match="does not exist"):
        extract(inbox, form, out)
    (tmp_path / "away").rename(inbox)
    assert extract(inbox, form, out).failed == 0


def test_a_file_that_cannot_be_read_is_tried_again(inbox: Path, form: Path, tmp_path: Path) -> None:
    """Its failure is no knowledge of it; what was read before stands meanwhile."""
    out = tmp_path / "out"
    wrong = inbox / "d.jpg"
    wrong.symlink_to("/proc/self/mem")  # reading it is an input/output error
    extract(inbox, form, out)
    assert pages(out)["d.jpg"][0] == "failed"
    wrong.unlink()
    wrong.write_bytes((inbox / "a.jpg").read_bytes() + b"another")
    assert extract(inbox, form, out).pages == 1
    assert pages(out)["d.jpg"] == ("read", "")
    wrong.unlink()
    wrong.symlink_to("/proc/self/mem")
    assert extract(inbox, form, out).waiting == 1
    assert pages(out)["d.jpg"] == ("read", "")


def test_names_that_are_no_text(inbox: Path, form: Path, tmp_path: Path) -> None:
    """A file whose name is no UTF-8 is read once like others, and moved."""
    out = tmp_path / "out"
    odd = os.fsencode(inbox) + b"/odd\xff.jpg"
    (inbox / "a.jpg").rename(Path(os.fsdecode(odd)))
    assert extract(inbox, form, out).pages == 3
    assert pages(out)["odd\\xff.jpg"] == ("read", "")
    again = extract(inbox, form, out, move=True)
    assert (again.pages, again.known, again.moved) == (0, 3, 3)


def test_a_file_that_vanishes(inbox: Path, form: Path, tmp_path: Path) -> None:
    """Somebody took it away before it was read: it is no failed page, and is read when it comes."""
    out = tmp_path / "out"
    prepare_output(out)
    with begun(Order([inbox], form, out, handling=Handling(settle_s=0))) as this:
        (inbox / "b.jpg").rename(tmp_path / "b.jpg")
        with Workers(1) as workers:
            for batch in workers.read_all(this.jobs):
                this.keep(batch)
        summary = this.finish()
    assert (summary.pages, summary.failed, summary.waiting) == (2, 0, 1)
    (tmp_path / "b.jpg").rename(inbox / "b.jpg")
    assert extract(inbox, form, out).pages == 1


def test_two_inboxes_of_one_output(
    inbox: Path, form: Path, tmp_path: Path, slips: list[bytes]
) -> None:
    """Files of one name in two folders are two documents, whichever is read first."""
    out, other = tmp_path / "out", tmp_path / "other"
    other.mkdir()
    (other / "a.jpg").write_bytes(slips[4])
    extract(inbox, form, out)
    extract(other, form, out)
    assert set(pages(out)) == {"a.jpg", "a~2.jpg", "b.jpg", "c.jpg"}
    assert extract(inbox, form, out).known == 3
    assert extract(other, form, out).known == 1
    assert len(pages(out)) == 4


@pytest.mark.parametrize("place", ["out/in", "out", "in/out"])
def test_inbox_and_output_in_one_another(
    form: Path, tmp_path: Path, slips: list[bytes], place: str
) -> None:
    """What is written is never read, night after night."""
    inbox = tmp_path / ("out/in" if place == "out/in" else "out" if place == "out" else "in")
    out = tmp_path / ("in/out" if place == "in/out" else "out")
    out.mkdir(parents=True)
    inbox.mkdir(exist_ok=True)
    (inbox / "a.jpg").write_bytes(slips[0])
    assert extract(inbox, form, out, move=True).pages == 1
    (inbox / "b.jpg").write_bytes(slips[1])
    assert extract(inbox, form, out, move=True).pages == 1
    assert set(pages(out)) == {"a.jpg", "b.jpg"}


def test_a_roster_over_several_nights(tmp_path: Path) -> None:
    """Pages that come one by one get the entries that they get all at once; none is given twice."""
    form = make_form(tmp_path / "form", members=8)
    inbox = tmp_path / "in"
    inbox.mkdir()
    for number in (2, 1, 0, 3):
        (inbox / f"{number}.jpg").write_bytes(encode([draw_slip(form, number)]))
        extract(inbox, form, tmp_path / "nights")
    twin = encode([draw_slip(form, 1)], "PNG")  # claims an entry that another page has
    (inbox / "0-twin.png").write_bytes(twin)
    extract(inbox, form, tmp_path / "nights")
    extract(inbox, form, tmp_path / "once")
    assert tables(tmp_path / "nights") == tables(tmp_path / "once")
    members = [
        row["raw"]
        for row in csv.DictReader((tmp_path / "nights/fields.csv").open())
        if row["field"] == "member" and "check_failed" not in row["reasons"]
    ]
    assert len(members) == len(set(members)) >= 4


def test_rules_of_the_day(inbox: Path, form: Path, tmp_path: Path) -> None:
    """An unfinished run goes on with the day on which it began, not with that of its restart."""
    out = tmp_path / "out"
    prepare_output(out)
    order = Order([inbox], form, out, handling=Handling(settle_s=0))
    with begun(order) as this, Workers(1) as workers:
        today = this.today
        this.keep(next(iter(workers.read_all(this.jobs))))
        this.commit()
    with begun(order) as this:
        assert (this.today, this.pages) == (today, 0)
    explicit = Order([inbox], form, out, rules=Rules(today=today.replace(year=2020)))
    with begun(explicit) as this:
        assert this.pages == 3
