"""How quick review is with 200,000 fields: in a browser, and with two hundred people at once.

Run with `python tests/benchmarks/bench_review.py [FOLDER] [--fields N] [--reviewers N]`. The folder
is filled if it holds no results yet.
"""

import argparse
import random
import secrets
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import sqlalchemy as sa
from playwright.sync_api import sync_playwright

from flows.batch import read_batch
from pipeline.records import Flag, PageResult
from pipeline.store.database import FILE, database_url, opened
from pipeline.store.origin import Origin
from pipeline.store.save import save
from pipeline.store.schema import corrections, fields
from tests.flows.batches import plan
from tests.pipeline.review.conftest import FLAGS, serving

FORMS = Path(__file__).parent.parent.parent / "sample_forms"
PRESSES = 150
PAUSE_MS = 250
"""Between presses: faster than a person reads a field."""
EACH = 5
"""Decisions of each simulated reviewer."""
MEASURE = """() => {
  window.delays = [];
  const stage = document.querySelector("#stage");
  addEventListener("keydown", (event) => { window.pressed = event.timeStamp; }, true);
  new MutationObserver(() => requestAnimationFrame(() => {
    const channel = new MessageChannel();  // runs after the frame is painted
    channel.port1.onmessage = () => window.delays.push(performance.now() - window.pressed);
    channel.port2.postMessage(0);
  })).observe(stage, { attributes: true, attributeFilter: ["data-shown"] });
}"""


def fill(folder: Path, count: int) -> None:
    """Save the sample forms' results under so many names that there are `count` fields."""
    jobs, origin_of_all = plan(sorted(FORMS.glob("*/scans")), FORMS)
    read = [page for job in jobs for page in read_batch(job)]
    rounds = -(-count // sum(len(page.fields) for page in read))
    rng = random.Random(1)
    pages, paths = [], {}
    for number in range(rounds):
        for page in read:
            name = f"box {number // 40:03d}/{number:05d}-{page.identity.document}"
            paths[name] = origin_of_all.paths[page.identity.document]
            pages.append(doubtful(page, name, rng))
    origin: Origin = replace(origin_of_all, paths=paths)
    with opened(database_url(folder), create=True) as engine:
        save(engine, pages, origin)


def doubtful(page: PageResult, name: str, rng: random.Random) -> PageResult:
    """Give a page another name, and flag all its fields for review."""
    doubted = tuple(
        replace(
            field,
            confidence=rng.uniform(0.2, 0.97),
            flag=Flag.REVIEW,
            reasons=("low_confidence",),
        )
        for field in page.fields
    )
    return replace(page, identity=replace(page.identity, document=name), fields=doubted)


def measure_keys(address: str) -> list[float]:
    """Press Enter many times; give the milliseconds from each to the next field's frame."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, bypass_csp=True)
        page.goto(address + "fields")
        page.wait_for_selector(".item.now")
        page.evaluate(MEASURE)
        for _ in range(PRESSES):
            page.wait_for_timeout(PAUSE_MS)
            page.keyboard.press("Enter")
        page.wait_for_timeout(2000)
        delays: list[float] = page.evaluate("window.delays")
        browser.close()
    return delays


def work(address: str, number: int, start: threading.Barrier) -> tuple[list[int], list[float]]:
    """Be one reviewer: fetch, look, decide; give the fields decided and each answer's ms."""
    done, times = [], []
    holder = secrets.token_hex(16)
    headers = {"origin": address.rstrip("/"), "cookie": f"formdigits_name=reviewer-{number}"}
    with httpx.Client(base_url=address, headers=headers, timeout=120) as client:

        def post(path: str, **body: object) -> object:
            began = time.perf_counter()
            answer = client.post(path, json={"holder": holder, **body})
            times.append(1000 * (time.perf_counter() - began))
            answer.raise_for_status()
            return answer.json() if answer.status_code == 200 else None

        start.wait()
        for _ in range(EACH):
            (item,) = post("/items", count=1)
            token = secrets.token_hex(16)
            post("/decide", field=item["id"], raw=item["raw"], seen=item["seen"], token=token)
            done.append(item["id"])
        client.post("/leave", json={"holder": holder})
    return done, times


def crowd(address: str, output: Path, count: int) -> None:
    """Let many people work at once, and look for decisions lost or doubled."""
    start = threading.Barrier(count)
    with ThreadPoolExecutor(count) as people:
        found = list(people.map(lambda number: work(address, number, start), range(count)))
    done = [field for fields_, _ in found for field in fields_]
    times = [each for _, times_ in found for each in times_]
    query = sa.select(corrections.c.field_id).join(
        fields, fields.c.correction_id == corrections.c.id
    )
    query = query.where(corrections.c.reviewer.startswith("reviewer-"))
    with opened(database_url(output)) as engine, engine.connect() as connection:
        kept = Counter(connection.execute(query).scalars())
    print(f"{count} reviewers, {len(times)} requests, no error")
    print(f"answers: median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms")
    print(f"decided {len(done)}, doubled {len(done) - len(set(done))}")
    print(f"lost {len(set(done) - set(kept))}, twice in the database {max(kept.values()) - 1}")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--fields", type=int, default=200_000)
    parser.add_argument("--reviewers", type=int, default=200)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    if not (folder / FILE).exists():
        fill(folder, arguments.fields)
    with serving(folder) as (address, _):
        delays = sorted(measure_keys(address))
        print(f"{len(delays)} key presses: median {statistics.median(delays):.1f} ms, ", end="")
        print(
            f"95th percentile {delays[int(0.95 * len(delays))]:.1f} ms, worst {delays[-1]:.1f} ms"
        )
        crowd(address, folder, arguments.reviewers)


if __name__ == "__main__":
    main()
