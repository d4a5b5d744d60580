"""The sample cheque of an invented bank."""

from __future__ import annotations

import math

import yaml

from pipeline.authoring.sheet import Colour, Look, Sheet, Type

SIZE = 203.0, 93.0
TEMPLATE = """\
template: bank-cheque
version: 1
page: {width: 203, height: 93, unit: mm}    # found by the page's edges and the printed boxes
fields:
  - name: date
    boxes: {x: 149, y: 8, width: 5.8, height: 7, count: 8, pitch: 5.8}
    type: date
    format: DDMMYYYY
    required: true
    range: [2000-01-01, today]
  - name: amount
    boxes: {x: 146, y: 34, width: 6, height: 8, count: 8, pitch: 6}
    type: number
    required: true
    empty_marks: [blank, struck]
  - name: cheque_number
    boxes: {x: 146, y: 47, width: 6, height: 7, count: 6, pitch: 7.4}
    required: true
"""

LINES = {
    "payee": (22.0, 27.2, 150.0),
    "words": (30.0, 36.2, 100.0),
    "words_2": (12.0, 45.2, 110.0),
}
"""Where people write words: left end, baseline and length of the line."""
SIGNATURE = 150.0, 70.0, 40.0

_INK: Colour = (0.12, 0.2, 0.34)
_GREEN: Colour = (0.05, 0.36, 0.33)
_TINT: Colour = (0.9, 0.955, 0.94)
_WAVE: Colour = (0.78, 0.9, 0.875)


def draw(sheet: Sheet) -> None:
    """Draw the blank cheque."""
    fields = {field["name"]: field["boxes"] for field in yaml.safe_load(TEMPLATE)["fields"]}
    sheet.rectangle((0, 0), SIZE, Look(frame=None, fill=_TINT))
    _draw_waves(sheet)
    _draw_rosette(sheet)
    _draw_bank(sheet)
    _draw_rules(sheet)
    for boxes in fields.values():
        sheet.frames(boxes, _INK, 0.22)
    for number, letter in enumerate("DDMMYYYY"):
        sheet.text((151.9 + 5.8 * number, 17.6), letter, Type(5.5, colour=_INK, anchor="middle"))
    sheet.text((145, 13), "Date", Type(7, colour=_INK, anchor="right"))
    sheet.text((143.5, 39.5), "Rs", Type(11, font="Helvetica-Bold", colour=_INK, anchor="right"))
    sheet.text((144.5, 51.6), "Cheque no.", Type(6.5, colour=_INK, anchor="right"))
    _draw_foot(sheet)


def _draw_waves(sheet: Sheet) -> None:
    """Draw the security pattern: fine waves that drift against each other."""
    for number in range(31):
        y = 1.5 + 2.6 * number
        spots = [
            (x / 2, y + 1.1 * math.sin(x / 9 + number * 0.55) + 0.5 * math.sin(x / 23))
            for x in range(int(2 * SIZE[0]) + 1)
        ]
        sheet.outline(spots, Look(frame=_WAVE, width=0.12), closed=False)


def _draw_rosette(sheet: Sheet) -> None:
    for turn in range(3):
        spots = []
        for step in range(361):
            angle = math.radians(step)
            radius = 14 + 4 * math.cos(9 * angle + turn * 2.1)
            spots.append((96 + 1.5 * radius * math.cos(angle), 50 + radius * math.sin(angle)))
        sheet.outline(spots, Look(frame=_WAVE, width=0.2))


def _draw_bank(sheet: Sheet) -> None:
    for number in range(3):
        left = 10 + 3 * number
        sheet.outline(
            [(left, 15), (left + 4, 6), (left + 6.4, 6), (left + 2.4, 15)],
            Look(frame=None, fill=_GREEN),
        )
    sheet.text((25, 11), "KAVERI COMMERCIAL BANK", Type(13, font="Helvetica-Bold", colour=_GREEN))
    sheet.text(
        (25, 15), "Temple Street branch, Mayurapuram. IFSC KVCB0001047", Type(6.5, colour=_INK)
    )
    valid = "Valid for three months from the date of issue"
    sheet.text((195, 5), valid, Type(5, colour=_INK, anchor="right"))


def _draw_rules(sheet: Sheet) -> None:
    sheet.text((10, 27), "Pay", Type(9, colour=_INK))
    sheet.rule((20, 28.2), (178, 28.2), 0.2, _INK)
    sheet.text((195, 27), "or bearer", Type(8, colour=_INK, anchor="right"))
    sheet.text((10, 36), "Rupees", Type(9, colour=_INK))
    sheet.rule((28, 37.2), (136, 37.2), 0.2, _INK)
    sheet.rule((10, 46.2), (124, 46.2), 0.2, _INK)


def _draw_foot(sheet: Sheet) -> None:
    sheet.rectangle((10, 54), (74, 8.5), Look(frame=_INK, width=0.2))
    sheet.rule((24, 54), (24, 62.5), 0.2, _INK)
    sheet.text((12, 59.3), "A/c no.", Type(7.5, colour=_INK))
    sheet.text((28, 59.6), "10470 20031 886", Type(10, font="Courier-Bold", colour=_INK))
    sheet.text((10, 69), "CURRENT ACCOUNT", Type(6.5, colour=_INK))
    sheet.text(
        (10, 72), "Payable at par at all branches of the bank in India", Type(5.5, colour=_INK)
    )
    sheet.text((170, 75.5), "Please sign above", Type(6.5, colour=_INK, anchor="middle"))
    # The clear band of real cheques, in which machines read the magnetic line.
    sheet.rectangle((0, 78), (SIZE[0], 15), Look(frame=None, fill=(0.975, 0.985, 0.98)))
    _draw_magnetic_line(sheet)


def _draw_magnetic_line(sheet: Sheet) -> None:
    sheet.text((70, 87.5), "600047012", Type(13, font="Courier-Bold"))
    sheet.text((106, 87.5), "200318", Type(13, font="Courier-Bold"))
    sheet.text((133, 87.5), "29", Type(13, font="Courier-Bold"))
    for x in (65.5, 96.5, 127.5):
        sheet.rectangle((x, 84.6), (0.9, 3), Look(frame=None, fill=(0.1, 0.1, 0.1)))
        sheet.rectangle((x + 1.6, 84.6), (1.1, 1.1), Look(frame=None, fill=(0.1, 0.1, 0.1)))
        sheet.rectangle((x + 1.6, 86.5), (1.1, 1.1), Look(frame=None, fill=(0.1, 0.1, 0.1)))
