"""A blank sheet to draw a form on, written as a vector PDF and as the PNG that it prints to.

Lengths are in millimetres from the top left; sizes of type in points; colours as RGB, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pypdfium2
from PIL import Image
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from pipeline.records import GreyImage

Colour = tuple[float, float, float]
Spot = tuple[float, float]

BLACK: Colour = (0.1, 0.1, 0.1)
WHITE: Colour = (1.0, 1.0, 1.0)
DPI = 300


@dataclass(frozen=True, slots=True)
class Type:
    """How words are set; the anchor is the end of the line that stands at its spot."""

    size: float
    font: str = "Helvetica"
    colour: Colour = BLACK
    anchor: Literal["left", "middle", "right"] = "left"


@dataclass(frozen=True, slots=True)
class Look:
    """How a shape is drawn; None leaves its frame or its inside out."""

    frame: Colour | None = BLACK
    fill: Colour | None = None
    width: float = 0.25


class Sheet:
    """One page that is drawn on, then saved."""

    def __init__(self, path: Path, width: float, height: float, title: str) -> None:
        self._height = height
        # Without `invariant` the file carries the time of its making.
        self._canvas = Canvas(str(path), pagesize=(width * mm, height * mm), invariant=1)
        self._canvas.setTitle(title)

    def save(self) -> None:
        """Write the PDF."""
        self._canvas.showPage()
        self._canvas.save()

    def text(self, at: Spot, words: str, setting: Type) -> None:
        """Set one line of type with its baseline at a spot."""
        self._canvas.setFillColorRGB(*setting.colour)
        self._canvas.setFont(setting.font, setting.size)
        draw = {
            "left": self._canvas.drawString,
            "middle": self._canvas.drawCentredString,
            "right": self._canvas.drawRightString,
        }[setting.anchor]
        draw(at[0] * mm, (self._height - at[1]) * mm, words)

    def lines(self, at: Spot, words: Sequence[str], setting: Type) -> None:
        """Set several lines of type, the first with its baseline at a spot."""
        step = setting.size * 1.3 * 25.4 / 72
        for number, line in enumerate(words):
            self.text((at[0], at[1] + number * step), line, setting)

    def rule(self, start: Spot, end: Spot, width: float = 0.2, colour: Colour = BLACK) -> None:
        """Draw a straight line."""
        self._canvas.setStrokeColorRGB(*colour)
        self._canvas.setLineWidth(width * mm)
        flip = self._height
        self._canvas.line(start[0] * mm, (flip - start[1]) * mm, end[0] * mm, (flip - end[1]) * mm)

    def rectangle(self, at: Spot, size: Spot, look: Look) -> None:
        """Draw a rectangle, its top left at a spot."""
        foot = self._height - at[1] - size[1]
        stroke, fill = self._dip(look)
        self._canvas.rect(
            at[0] * mm, foot * mm, size[0] * mm, size[1] * mm, stroke=stroke, fill=fill
        )

    def outline(self, spots: Sequence[Spot], look: Look, *, closed: bool = True) -> None:
        """Draw a line through spots."""
        path = self._canvas.beginPath()
        path.moveTo(spots[0][0] * mm, (self._height - spots[0][1]) * mm)
        for x, y in spots[1:]:
            path.lineTo(x * mm, (self._height - y) * mm)
        if closed:
            path.close()
        stroke, fill = self._dip(look)
        self._canvas.drawPath(path, stroke=stroke, fill=fill)

    def circle(self, centre: Spot, radius: float, look: Look) -> None:
        """Draw a circle."""
        stroke, fill = self._dip(look)
        x, y = centre[0] * mm, (self._height - centre[1]) * mm
        self._canvas.circle(x, y, radius * mm, stroke=stroke, fill=fill)

    def frames(self, boxes: Mapping[str, float], colour: Colour, width: float) -> None:
        """Draw the boxes of a template's field; their edges are the middle of the frames' lines.

        Args:
            boxes: As under `boxes` in template.yaml, in millimetres: x, y, width, height, count
                and pitch.
            colour: Of the frames.
            width: Of the frames' lines.
        """
        for number in range(int(boxes["count"])):
            at = boxes["x"] + number * boxes["pitch"], boxes["y"]
            self.rectangle(at, (boxes["width"], boxes["height"]), Look(colour, WHITE, width))

    def _dip(self, look: Look) -> tuple[int, int]:
        """Set the colours; returns whether to draw the frame, and whether to fill."""
        self._canvas.setLineWidth(look.width * mm)
        if look.frame is not None:
            self._canvas.setStrokeColorRGB(*look.frame)
        if look.fill is not None:
            self._canvas.setFillColorRGB(*look.fill)
        return int(look.frame is not None), int(look.fill is not None)


def print_page(path: Path) -> GreyImage:
    """Render the first page of a PDF at 300 dpi.

    Returns:
        uint8 of shape (H, W, 3), RGB.
    """
    with pypdfium2.PdfDocument(path) as document:
        bitmap = document[0].render(scale=DPI / 72, rev_byteorder=True)
        return np.array(bitmap.to_numpy()[:, :, :3])


def save_png(page: GreyImage, path: Path, colours: int = 64) -> None:
    """Write a printed page as a small PNG with a palette."""
    image = Image.fromarray(page).quantize(colours, dither=Image.Dither.NONE)
    image.save(path, dpi=(DPI, DPI), optimize=True)
