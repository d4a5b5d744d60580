"""What can be told only when all pages of a run are there: rosters, audits, drift; and filing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from flows.batch import Summary
from pipeline.audit import draw_audit, keep_audit
from pipeline.drift import keep_history
from pipeline.export import export
from pipeline.records import PageResult, Status
from pipeline.store import runs, spool
from pipeline.store.database import Database, note, now, writing
from pipeline.store.load import load_filed, load_results
from pipeline.store.origin import Filed, Origin
from pipeline.store.runs import Run, State
from pipeline.store.save import save_pages

CHUNK: Final = 200
Key = tuple[str, int]
"""Document and page."""
Assigned = Mapping[Key, Filed]
"""Pages as their roster has settled them."""


def settle(engine: Database, run: Run, origin: Origin, output: Path, audit_share: float) -> Summary:
    """File all that a run has read, and write the CSVs.

    A run that was killed meanwhile goes on where it was: each step is written down when it is done,
    and comes to the same when it is done twice.

    Args:
        engine: The results.
        run: The run, sealed.
        origin: What was read, and with what.
        output: The folder of history, audit and CSVs.
        audit_share: Share of the accepted fields that people check all the same.

    Returns:
        What became of the run.

    Raises:
        ExtractionError: If something cannot be written; the next run goes on from there.
    """
    state = runs.state_of(engine, run)
    if state in {State.SEALED, State.FILING}:
        assigned = _assign(engine, run, origin)
        if state == State.SEALED:
            _write_down(engine, run, assigned, output, audit_share)
            with writing(engine) as connection:
                runs.set_state(connection, run, State.FILING)
        _file(engine, run, assigned, origin, audit_share)
    if state != State.DONE:
        export(load_results(engine), output)
        with writing(engine) as connection:
            runs.set_state(connection, run, State.DONE, ended_at=now())
    return Summary(**runs.counts_of(engine, run))


def _assign(engine: Database, run: Run, origin: Origin) -> Assigned:
    """Give each page of a form with a roster its entry: pages of this run and of all before it.

    So it does not matter in which run a page came, and no entry is given twice.
    """
    rosters = {one.sha256 for one in origin.templates if one.roster}
    if not rosters or origin.profile is None:
        return {}
    from pipeline.roster import assign_rosters  # noqa: PLC0415 - loads SciPy

    found: dict[Key, Filed] = {}
    names: set[str] = set()
    for some in spool.stream(engine, run):
        names |= {each.result.identity.document for each in some.values()}
        found |= {_key(each): each for each in some.values() if each.template_sha256 in rosters}
    before = {
        _key(each): each
        for each in load_filed(engine, rosters)
        if each.result.identity.document not in names
    }
    pages = dict(sorted((before | found).items()))
    taken = [each.result for each in pages.values()]
    results = assign_rosters(taken, origin.templates, origin.profile)
    return {
        key: replace(each, result=result)
        for (key, each), result in zip(pages.items(), results, strict=True)
        if key in found or each.result != result
    }


def _key(filed: Filed) -> Key:
    return filed.result.identity.document, filed.result.identity.number


def _final(engine: Database, run: Run, assigned: Assigned) -> Iterator[dict[int, Filed]]:
    """Give a run's pages as they are final, by their place in the spool, some at a time."""
    for some in spool.stream(engine, run):
        yield {key: assigned.get(_key(each), each) for key, each in some.items()}


def _write_down(
    engine: Database, run: Run, assigned: Assigned, output: Path, audit_share: float
) -> None:
    """Compare a run with earlier ones, and draw who is audited."""

    def results() -> Iterator[PageResult]:
        for some in _final(engine, run, assigned):
            yield from (each.result for each in some.values())

    keep_history((one for one in results() if one.status is not Status.DUPLICATE), output)
    if audit_share:
        documents = {one.identity.document for one in results()}
        keep_audit(draw_audit(results(), audit_share), documents, output)


def _file(
    engine: Database, run: Run, assigned: Assigned, origin: Origin, audit_share: float
) -> None:
    """Put pages into their tables, in their order, and out of the spool."""
    filed: set[Key] = set()
    for some in _final(engine, run, assigned):
        filed |= {_key(each) for each in some.values()}
        results = [each.result for each in some.values()]
        drawn = draw_audit(results, audit_share) if audit_share else []
        audited = replace(origin, audited=frozenset(one.key for one in drawn))
        with writing(engine) as connection:
            save_pages(connection, list(some.values()), audited)
            spool.forget(connection, list(some))
            runs.add_counts(connection, run, asdict(Summary().plus(results)))
    others = [each for key, each in assigned.items() if key not in filed]
    for start in range(0, len(others), CHUNK):
        with writing(engine) as connection:
            save_pages(connection, others[start : start + CHUNK], origin)
    with writing(engine) as connection:
        runs.set_state(connection, run, State.FILED)
        note(connection, "formdigits", "extract", f"run {run.id}, {origin.card.name}")
