"""The sample postcard, with coloured boxes for the PIN code."""

from __future__ import annotations

import yaml

from pipeline.authoring.sheet import Colour, Look, Sheet, Type

SIZE = 148.0, 105.0
TEMPLATE = """\
template: postal-card
version: 1
page: {width: 148, height: 105, unit: mm}
align:
  reference: blank.png
fields:
  - name: pin_code
    boxes: {x: 82, y: 86, width: 7.5, height: 10, count: 6, pitch: 9.8}
    required: true
"""

LINES = {
    "name": (79.0, 49.2, 60.0),
    "street": (79.0, 59.2, 60.0),
    "town": (79.0, 69.2, 60.0),
    "state": (79.0, 79.2, 60.0),
    "sender_1": (12.0, 37.5, 52.0),
    "sender_2": (12.0, 46.5, 52.0),
    "sender_3": (12.0, 55.5, 52.0),
}
"""Where people write words: left end, baseline and length of the line."""
SIGNATURE = 30.0, 76.0, 32.0

_RED: Colour = (0.76, 0.2, 0.14)
_BROWN: Colour = (0.36, 0.24, 0.16)
_CARD: Colour = (0.985, 0.965, 0.915)

_FLAME = ((0, 14.4), (0.7, 16), (1.5, 17.5), (1.8, 19), (1.3, 20.2), (0.5, 20.7))


def draw(sheet: Sheet) -> None:
    """Draw the blank card."""
    fields = yaml.safe_load(TEMPLATE)["fields"]
    sheet.rectangle((0, 0), SIZE, Look(frame=None, fill=_CARD))
    sheet.text((10, 14), "POST CARD", Type(15, font="Times-Bold", colour=_BROWN))
    sheet.text((10, 19), "The address only to be written on the right", Type(6.5, colour=_BROWN))
    sheet.rule((72, 10), (72, 97), 0.3, _BROWN)
    _draw_stamp(sheet)
    sheet.text((79, 41.5), "To", Type(8, font="Times-Italic", colour=_BROWN))
    for name in ("name", "street", "town", "state"):
        y = LINES[name][1] + 0.8
        sheet.rule((77, y), (140, y), 0.15, _BROWN)
    sheet.frames(fields[0]["boxes"], _RED, 0.55)
    sheet.text((79.8, 92), "PIN", Type(7, font="Helvetica-Bold", colour=_RED, anchor="right"))
    sheet.text((10, 97), "Print and post, Cauvery Stationers", Type(5, colour=_BROWN))


def _draw_stamp(sheet: Sheet) -> None:
    sheet.rectangle((117, 9), (23, 28), Look(frame=_RED, width=0.35))
    sheet.rectangle((118.2, 10.2), (20.6, 25.6), Look(frame=_RED, width=0.15))
    _draw_lamp(sheet)
    sheet.text(
        (128.5, 33.8), "50 PAISE", Type(6.5, font="Times-Bold", colour=_RED, anchor="middle")
    )


def _draw_lamp(sheet: Sheet) -> None:
    sheet.circle((128.5, 20.5), 7.2, Look(frame=_RED, width=0.25))
    bowl = [(123, 21.5), (134, 21.5), (132, 24.3), (129.4, 25.2), (127.6, 25.2), (125, 24.3)]
    sheet.outline(bowl, Look(frame=None, fill=_RED))
    flame = [(128.5 + x, y) for x, y in _FLAME] + [(128.5 - x, y) for x, y in reversed(_FLAME)]
    sheet.outline(flame, Look(frame=_RED, width=0.35))
    sheet.rule((125.5, 26.5), (131.5, 26.5), 0.5, _RED)
