"""Batches of small pages that are quickly drawn and read, and what a run leaves of them."""

from __future__ import annotations

import io
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from flows.batch import Job, equip
from pipeline.authoring.fill import Habit, write_fields
from pipeline.authoring.pen import Writer
from pipeline.inbox import find_documents
from pipeline.ingest import list_pages
from pipeline.records import GreyImage
from pipeline.store.origin import Origin
from pipeline.template import FormTemplate, load_template

SIZE = (400, 640)
MARKERS = ((30, 30), (610, 30), (610, 370), (30, 370))
SLIP = """
template: slip
version: 1
page: {width: 640, height: 400, unit: px}
align:
  markers: {shape: square, size: 24, centres: [[30, 30], [610, 30], [610, 370], [30, 370]]}
fields:
  - name: member
    boxes: {x: 120, y: 90, width: 48, height: 58, count: 6, pitch: 56}
    type: digits
  - name: amount
    boxes: {x: 120, y: 230, width: 48, height: 58, count: 5, pitch: 56}
    type: number
    empty_marks: [blank]
"""
ROSTER = "  - roster: {file: members.csv, fields: {member: number}}\n"
CSVS = ("fields.csv", "digits.csv", "pages.csv", "history.csv", "audit.csv")
CLOCKS = {"read_at", "at", "began_at", "ended_at"}
"""Columns of the database that tell when; they differ from run to run."""


def make_form(folder: Path, *, members: int = 0, more: str = "") -> Path:
    """Write the slip's template; with a list of that many members, each page belongs to one."""
    folder.mkdir(parents=True, exist_ok=True)
    text = SLIP + more
    if members:
        numbers = [f"{100_003 + 7 * number:06}" for number in range(members)]
        (folder / "members.csv").write_text("\n".join(["number", *numbers]) + "\n")
        text += "checks:\n" + ROSTER
    (folder / "template.yaml").write_text(text)
    return folder


@lru_cache(maxsize=4)
def _template(folder: Path) -> FormTemplate:
    return load_template(folder / "template.yaml")


def draw_slip(form: Path, number: int) -> GreyImage:
    """Draw a slip that somebody filled in; the same number gives the same slip."""
    template = _template(form)
    rng = np.random.default_rng(number)
    page = np.full(SIZE, 255, np.uint8)
    for x, y in MARKERS:
        page[y - 12 : y + 12, x - 12 : x + 12] = 0
    for box in (box for field in template.fields for box in field.boxes):
        corners = (int(box.left), int(box.top)), (int(box.right), int(box.bottom))
        cv2.rectangle(page, *corners, color=(60,), thickness=2)
    texts = {"member": f"{100_003 + 7 * number:06}", "amount": f"{rng.integers(1, 99_999):_>5}"}
    layer = write_fields(template, texts, Writer.random(rng), Habit.random(rng), rng)
    height, width = min(SIZE[0], layer.shape[0]), min(SIZE[1], layer.shape[1])
    ink = 1 - np.clip(layer[:height, :width], 0, 1)
    page[:height, :width] = np.minimum(page[:height, :width], (255 * ink).astype(np.uint8))
    return page


def encode(images: list[GreyImage], form: str = "JPEG") -> bytes:
    """Write pages as one file."""
    pages = [Image.fromarray(image) for image in images]
    memory = io.BytesIO()
    several = {"save_all": True, "append_images": pages[1:]} if len(pages) > 1 else {}
    pages[0].save(memory, form, **several)
    return memory.getvalue()


def breakages(form: Path) -> dict[str, bytes]:
    """Give twenty ways in which a file can be broken, each by a name with its suffix."""
    jpeg = encode([draw_slip(form, 900)])
    png = encode([draw_slip(form, 901)], "PNG")
    tiff = encode([draw_slip(form, 902), draw_slip(form, 903)], "TIFF")
    pdf = encode([draw_slip(form, 904)], "PDF")
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 255, (300, 300), np.uint8)
    return {
        "empty.jpg": b"",
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "head_only.jpg": jpeg[:20],
        "text.jpg": b"Dear Sir or Madam, please find attached",
        "zeros.jpg": bytes(5000),
        "scrambled.jpg": jpeg[:600] + rng.bytes(len(jpeg) - 600),
        "cut.png": png[: len(png) // 2],
        "checksum.png": png[:60] + b"\0\0\0\0" + png[64:],
        "signature.png": b"\x89PNG\r\n\x1a\n",
        "huge.png": _huge_png(),
        "html.png": b"<html><body>404 Not Found</body></html>",
        "cut.tif": tiff[: len(tiff) // 3],
        "loop.tif": _looping_tiff(),
        "no_pages.tif": b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0) + bytes(4),
        "cut.pdf": pdf[: len(pdf) // 2],
        "no_pages.pdf": b"%PDF-1.4\n%%EOF\n",
        "blank.png": encode([np.full(SIZE, 255, np.uint8)], "PNG"),
        "noise.png": encode([noise], "PNG"),
        "speck.png": encode([np.full((1, 1), 255, np.uint8)], "PNG"),
        "cut.webp": encode([draw_slip(form, 905)], "WEBP")[:200],
    }


def _huge_png() -> bytes:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND")


def _chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _looping_tiff() -> bytes:
    """A page whose successor is itself."""
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0) + struct.pack("<I", 8)


def fill_inbox(inbox: Path, form: Path, pages: int) -> None:
    """Fill an inbox: mostly single pages, some TIFFs of three, copies, and broken files."""
    inbox.mkdir(parents=True, exist_ok=True)
    number, file = 0, 0
    broken = list(breakages(form).items())
    while number < pages:
        count = 3 if file % 20 == 7 else 1
        images = [draw_slip(form, number + each) for each in range(count)]
        name, kind = (f"{file:05}.tif", "TIFF") if count > 1 else (f"{file:05}.jpg", "JPEG")
        (inbox / name).write_bytes(encode(images, kind))
        if file % 25 == 11:
            (inbox / f"copy-{name}").write_bytes((inbox / name).read_bytes())
        if file % 20 == 3:
            wrong, content = broken[file // 20 % len(broken)]
            (inbox / f"{file:05}-{wrong}").write_bytes(content)
        number, file = number + count, file + 1


def plan(inputs: list[Path], templates: Path) -> tuple[tuple[Job, ...], Origin]:
    """Give all pages in batches, known or not, and what they are read with."""
    documents = find_documents(inputs).documents
    equipment = equip(templates)
    origin = replace(equipment.origin, paths={one.name: one.path for one in documents})
    return equipment.jobs([page for one in documents for page in list_pages(one)]), origin


def left_by(output: Path) -> dict[str, object]:
    """Give all that a run leaves behind, but for clock times: CSVs and the database's rows."""
    found: dict[str, object] = {
        name: (output / name).read_bytes() for name in CSVS if (output / name).exists()
    }
    with sqlite3.connect(output / "results.db") as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            if table not in {"looks", "sqlite_sequence"}:
                found[table] = sorted(_rows(connection, table), key=repr)
    return found


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    timeless = [place for place, column in enumerate(cursor.description) if column[0] not in CLOCKS]
    for row in cursor:
        yield tuple(row[place] for place in timeless)


def differences(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """Name what differs between what two runs left."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
