"""The sample admission form of an invented university."""

from __future__ import annotations

import yaml

from pipeline.authoring.sheet import BLACK, WHITE, Colour, Look, Sheet, Type

SIZE = 210.0, 297.0
TEMPLATE = """\
template: admission-form
version: 1
page: {width: 210, height: 297, unit: mm}
align:
  markers: {shape: square, size: 5, centres: [[10, 10], [200, 10], [200, 287], [10, 287]]}
fields:
  - name: application_number
    boxes: {x: 62, y: 70, width: 7, height: 8.5, count: 8, pitch: 7}
    required: true
  - name: date_of_birth
    boxes: {x: 62, y: 107, width: 7, height: 8.5, count: 8, pitch: 7}
    type: date
    format: DDMMYYYY
    required: true
    range: [1950-01-01, today]
  - name: pin_code
    boxes: {x: 62, y: 145, width: 7, height: 8.5, count: 6, pitch: 9}
    required: true
  - name: phone
    boxes: {x: 62, y: 159, width: 6.5, height: 8.5, count: 10, pitch: 6.5}
    required: true
  - name: marks_physics
    boxes: {x: 132, y: 191, width: 8, height: 8, count: 3, pitch: 8}
    type: number
    range: [0, 100]
    empty_marks: [blank, struck]
  - name: marks_chemistry
    boxes: {x: 132, y: 201, width: 8, height: 8, count: 3, pitch: 8}
    type: number
    range: [0, 100]
    empty_marks: [blank, struck]
  - name: marks_mathematics
    boxes: {x: 132, y: 211, width: 8, height: 8, count: 3, pitch: 8}
    type: number
    range: [0, 100]
    empty_marks: [blank, struck]
  - name: marks_total
    boxes: {x: 132, y: 221, width: 8, height: 8, count: 3, pitch: 8}
    type: number
    range: [0, 300]
    required: true
    empty_marks: [blank, struck]
checks:
  - sum: {parts: [marks_physics, marks_chemistry, marks_mathematics], total: marks_total}
"""

LINES = {
    "name": (64.0, 90.2, 88.0),
    "guardian": (64.0, 100.2, 88.0),
    "street": (64.0, 130.2, 120.0),
    "town": (64.0, 139.7, 120.0),
    "place": (34.0, 261.2, 40.0),
}
"""Where people write words: left end, baseline and length of the line."""
SIGNATURE = 140.0, 261.0, 46.0

_NAVY: Colour = (0.1, 0.16, 0.36)
_PALE: Colour = (0.9, 0.92, 0.95)
_GREY: Colour = (0.4, 0.4, 0.4)
_LEFT, _RIGHT = 20.0, 190.0
_LABELS = {
    "application_number": "Application number",
    "date_of_birth": "Date of birth",
    "pin_code": "PIN code",
    "phone": "Mobile phone (10 digits)",
}
_SUBJECTS = ("Physics", "Chemistry", "Mathematics", "Total")


def draw(sheet: Sheet) -> None:
    """Draw the blank form."""
    fields = {field["name"]: field["boxes"] for field in yaml.safe_load(TEMPLATE)["fields"]}
    _draw_markers(sheet)
    _draw_crest(sheet)
    _draw_heading(sheet)
    _draw_photograph(sheet)
    for name, label in _LABELS.items():
        _draw_field(sheet, label, fields[name])
    _draw_hints(sheet, fields["date_of_birth"]["y"] + 8.5)
    _draw_words(sheet)
    _draw_marks(sheet)
    for subject in _SUBJECTS:
        sheet.frames(fields[f"marks_{subject.lower()}"], BLACK, 0.25)
    _draw_declaration(sheet)
    _draw_office(sheet)


def _draw_markers(sheet: Sheet) -> None:
    for x in (7.5, SIZE[0] - 12.5):
        for y in (7.5, SIZE[1] - 12.5):
            sheet.rectangle((x, y), (5, 5), Look(frame=None, fill=(0, 0, 0)))


def _draw_crest(sheet: Sheet) -> None:
    sheet.circle((31, 30), 10.5, Look(frame=_NAVY, width=0.7))
    sheet.circle((31, 30), 9.3, Look(frame=_NAVY, width=0.2))
    shield = [(25, 24), (37, 24), (37, 31), (35.3, 34.3), (31, 37.3), (26.7, 34.3), (25, 31)]
    sheet.outline(shield, Look(frame=_NAVY, fill=_NAVY))
    sheet.outline([(27, 28.5), (31, 30), (31, 34), (27, 32.5)], Look(frame=None, fill=WHITE))
    sheet.outline([(35, 28.5), (31, 30), (31, 34), (35, 32.5)], Look(frame=None, fill=WHITE))
    sheet.rule((31, 29.8), (31, 34.2), 0.5, _NAVY)
    sheet.rule((28, 26.3), (34, 26.3), 0.6, WHITE)


def _draw_heading(sheet: Sheet) -> None:
    sheet.text((46, 27), "NANDIVARAM UNIVERSITY", Type(19, font="Times-Bold", colour=_NAVY))
    sheet.text(
        (46, 32.5), "Office of Admissions, Lake Road, Nandivaram", Type(9.5, font="Times-Roman")
    )
    title = "Application for admission to undergraduate study"
    sheet.text((46, 39.5), title, Type(10.5, font="Helvetica-Bold"))
    sheet.rule((_LEFT, 44), (150, 44), 0.5, _NAVY)
    hints = (
        "Please read the prospectus before filling in this form, and use a blue or black ballpoint",
        "pen. Write one digit in each box and do not fold the form. If you make a mistake, strike",
        "the box out clearly. Leave empty the boxes that you do not need. Forms that lack a",
        "signature or a photograph are returned unread.",
    )
    sheet.lines((_LEFT, 50), hints, Type(8.5))


def _draw_photograph(sheet: Sheet) -> None:
    sheet.rectangle((157, 20), (33, 42), Look(width=0.2))
    for number, line in enumerate(("Affix a recent", "photograph", "35 x 45 mm")):
        sheet.text((173.5, 39 + 4 * number), line, Type(7, colour=_GREY, anchor="middle"))


def _draw_field(sheet: Sheet, label: str, boxes: dict[str, float]) -> None:
    sheet.text((_LEFT, boxes["y"] + 5.4), label, Type(9.5))
    sheet.frames(boxes, BLACK, 0.25)


def _draw_hints(sheet: Sheet, foot: float) -> None:
    for number, letter in enumerate("DDMMYYYY"):
        at = 65.5 + 7 * number, foot + 3
        sheet.text(at, letter, Type(6.5, colour=_GREY, anchor="middle"))


def _draw_words(sheet: Sheet) -> None:
    labels = {
        "name": "Full name (block letters)",
        "guardian": "Parent or guardian",
        "street": "Address for letters",
    }
    for name, label in labels.items():
        sheet.text((_LEFT, LINES[name][1] - 0.2), label, Type(9.5))
    for name in ("name", "guardian", "street", "town"):
        y = LINES[name][1] + 0.8
        sheet.rule((62, y), (152 if name in ("name", "guardian") else _RIGHT, y), 0.2)


def _draw_marks(sheet: Sheet) -> None:
    sheet.rectangle((_LEFT, 174.5), (_RIGHT - _LEFT, 7), Look(frame=None, fill=_PALE))
    heading = "Marks in the qualifying examination"
    sheet.text((22, 179.3), heading, Type(10, font="Helvetica-Bold", colour=_NAVY))
    for x, words in ((22, "Subject"), (90, "Maximum"), (132, "Marks obtained")):
        sheet.text((x, 187.8), words, Type(8.5, font="Helvetica-Bold"))
    sheet.rule((_LEFT, 189.5), (_RIGHT, 189.5), 0.35)
    for number, subject in enumerate(_SUBJECTS):
        y, last = 196.3 + 10 * number, subject == "Total"
        font = "Helvetica-Bold" if last else "Helvetica"
        sheet.text((22, y), subject, Type(9.5, font=font))
        sheet.text((97, y), "300" if last else "100", Type(9.5, font=font, anchor="middle"))
        sheet.rule((_LEFT, y + 3.7), (_RIGHT, y + 3.7), 0.35 if last else 0.1)
    sheet.text(
        (_LEFT, 234),
        "Right-align the marks; write 87 as 087 or leave the first box empty.",
        Type(7),
    )


def _draw_declaration(sheet: Sheet) -> None:
    declaration = (
        "I declare that the particulars given above are true to the best of my knowledge, and that",
        "I have not been barred from any examination. I understand that my admission may be",
        "cancelled if any of them is found to be false, and that fees once paid are not refunded.",
    )
    sheet.lines((_LEFT, 241), declaration, Type(10))
    sheet.text((_LEFT, 261), "Place", Type(9))
    sheet.rule((32, 262), (80, 262))
    sheet.rule((138, 262), (_RIGHT, 262))
    sheet.text((164, 265.8), "Signature of the applicant", Type(7.5, colour=_GREY, anchor="middle"))


def _draw_office(sheet: Sheet) -> None:
    sheet.rectangle((_LEFT, 269), (_RIGHT - _LEFT, 10), Look(fill=_PALE, width=0.15))
    sheet.text((22, 273), "For office use", Type(7.5, font="Helvetica-Bold"))
    for x, words in ((22, "Received"), (66, "Verified by"), (118, "Fee receipt")):
        sheet.text((x, 277.2), words, Type(7.5))
        sheet.rule((x + 17, 277.4), (x + 39, 277.4), 0.15, BLACK)
    sheet.text((_LEFT, 286), "NU/ADM/07 (rev. 3)", Type(6.5, colour=_GREY))
    sheet.text((_RIGHT, 286), "Page 1 of 1", Type(6.5, colour=_GREY, anchor="right"))
