"""Boxes that people have read become a labelled set, and training takes it."""

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from models.labelled import read_labelled
from pipeline.errors import ModelError
from pipeline.records import PageResult
from pipeline.review.decisions import Decision, decide
from pipeline.store.database import database_url, opened
from pipeline.store.labels import BOXES, REVIEWED, export_labels
from pipeline.store.origin import Origin
from pipeline.store.save import save
from pipeline.store.schema import fields, readings

Read = tuple[list[PageResult], Origin]


def test_decided_boxes_and_no_others(database: str, read_cards: Read, tmp_path: Path) -> None:
    """Each with the sign that the person gave it; marks are left out of the digits to learn."""
    results, origin = read_cards
    with opened(database_url(tmp_path, database), create=True) as engine:
        save(engine, results, origin)
        query = sa.select(fields.c.id, readings.c.raw).join(readings).where(readings.c.current)
        query = query.where(fields.c.name == "pin_code").order_by(fields.c.id).limit(3)
        with engine.connect() as connection:
            chosen = connection.execute(query).all()
        said = [chosen[0].raw, "9" * 6, "8X8_8#"]
        for row, raw in zip(chosen, said, strict=True):
            decide(engine, Decision(row.id, raw, None, "Ada", f"token{row.id}"))
        assert export_labels(engine, tmp_path) == 18
        before = (tmp_path / BOXES).read_bytes()
        export_labels(engine, tmp_path)
        assert (tmp_path / BOXES).read_bytes() == before
    with np.load(tmp_path / BOXES) as stored:
        assert stored["images"].shape == (18, 28, 28)
        assert stored["images"].any(axis=(1, 2)).all()
    images, labels = read_labelled(tmp_path / BOXES)
    assert len(images) == 15
    assert sorted(labels.tolist()) == sorted(int(sign) for sign in "".join(said) if sign.isdigit())
    truth = (tmp_path / REVIEWED).read_text().splitlines()
    assert truth[0] == "document,page,field,raw"
    assert {line.rpartition(",")[2] for line in truth[1:]} == set(said)


def test_a_file_that_is_no_labelled_set(tmp_path: Path) -> None:
    """Missing, damaged, or other arrays: the message says what to run."""
    (tmp_path / "damaged.npz").write_bytes(b"PK\x03\x04 no archive")
    np.savez(tmp_path / "others.npz", images=np.zeros((3, 8, 8)), labels=np.array(["1"]))
    for name in ("missing.npz", "damaged.npz", "others.npz"):
        with pytest.raises(ModelError, match=name):
            read_labelled(tmp_path / name)
