"""Files that arrive while they are read, some broken, some half written: all are accounted for."""

import csv
from pathlib import Path

from flows.direct import extract_directly
from flows.order import Handling
from pipeline.export import prepare_output
from tests.flows.arriving import deliver, make_arrivals
from tests.flows.batches import CSVS, make_form

FILES = 48


def test_all_are_accounted_for(tmp_path: Path) -> None:
    """Read in rounds while they come, they give the CSVs of one run over the whole inbox."""
    form = make_form(tmp_path / "form")
    arrivals = make_arrivals(form, FILES, broken_every=3)
    inbox, out = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    handling = Handling(settle_s=0)
    prepare_output(out)
    for number, _ in enumerate(deliver(arrivals, inbox, seed=1, pause_s=0)):
        if number % 20 == 10:
            extract_directly([inbox], form, out, handling=handling)
    extract_directly([inbox], form, out, handling=handling)
    rest = tmp_path / "rest"
    for name, content in arrivals.all.items():
        (rest / name).parent.mkdir(parents=True, exist_ok=True)
        (rest / name).write_bytes(content)
    prepare_output(tmp_path / "once")
    extract_directly([rest], form, tmp_path / "once", handling=handling)
    for name in CSVS[:3]:
        assert (out / name).read_bytes() == (tmp_path / "once" / name).read_bytes()
    with (out / "pages.csv").open(newline="") as file:
        status = {row["document"]: row["status"] for row in csv.DictReader(file)}
    assert set(status) == set(arrivals.all)
    assert {status[name] for name in arrivals.broken} == {"failed"}
    assert {status[name] for name in arrivals.good} == {"read"}
