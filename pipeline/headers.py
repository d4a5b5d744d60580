"""What an image file says about itself, read from its header before anything is decoded.

A decoder allocates what a header announces, so the announced size is looked at first. Sources:
PNG (W3C 2003), JPEG (ITU T.81 annex B), BMP (BITMAPINFOHEADER), WebP (RFC 9649).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.errors import PageError

CUT_OFF: Final = "the file is cut off; copy it again, or scan the page again"
DAMAGED: Final = "the file is damaged; copy it again, or scan the page again"


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Size in pixels as stored, whether there is an alpha channel, and the Exif block."""

    height: int
    width: int
    alpha: bool = False
    exif: bytes = b""
    bits: int = 8
    stretch: float = 1.0
    """How much higher than wide a pixel is, once the page is upright."""


def png_header(data: bytes) -> ImageHeader:
    """Read a PNG's header, and follow its chunks to the last.

    Raises:
        PageError: If a chunk is cut off or missing.
    """
    wanted = {b"IHDR", b"tRNS", b"eXIf"}
    found = {kind: data[body] for kind, body in png_chunks(data) if kind in wanted}
    if len(found.get(b"IHDR", b"")) != 13:
        raise PageError(DAMAGED)
    width, height, _, colour = struct.unpack_from(">IIBB", found[b"IHDR"])
    alpha = colour in {4, 6} or b"tRNS" in found
    return ImageHeader(height, width, alpha, found.get(b"eXIf", b""))


def png_chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """Give the kind of each chunk of a PNG, and where its body is.

    Raises:
        PageError: If a chunk is cut off.
    """
    position, kind = 8, b""
    while kind != b"IEND":
        length, kind = unpack(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise PageError(CUT_OFF)
        yield kind, slice(position + 8, end - 4)
        position = end


def jpeg_header(data: bytes) -> ImageHeader:
    """Read a JPEG's frame header, and see that its end is there.

    A decoder fills the missing rest of a cut JPEG with grey and says nothing.

    Raises:
        PageError: If there is no frame header before the pixels, or no end after them.
    """
    height = width = 0
    for marker, start in _jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = unpack(">HH", data, start + 3)
        # Pixel data escapes 0xFF, so that this pair can only be the end-of-image marker.
        if marker == 0xDA and data.rfind(b"\xff\xd9", start) < 0:
            raise PageError(CUT_OFF)
    return ImageHeader(height, width)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Give each marker up to the first scan, and where its length field stands."""
    position, marker = 2, 0
    while marker != 0xDA:
        prefix, marker = unpack(">BB", data, position)
        if prefix != 0xFF:
            raise PageError(DAMAGED)
        position += 1
        if marker == 0xFF:  # a fill byte
            continue
        position += 1
        yield marker, position
        position += unpack(">H", data, position)[0]


def bmp_header(data: bytes) -> ImageHeader:
    """Read a BMP's size; a negative height means that its rows run downwards.

    Raises:
        PageError: If the header is cut off.
    """
    if unpack("<I", data, 14)[0] == 12:
        width, height = unpack("<HH", data, 18)
    else:
        width, height = unpack("<ii", data, 18)
    return ImageHeader(abs(height), abs(width))


def webp_header(data: bytes) -> ImageHeader:
    """Read the size of a simple, lossless or extended WebP.

    Raises:
        PageError: If the file is shorter than it says, or no picture stands in it.
    """
    if unpack("<I", data, 4)[0] + 8 > len(data):
        raise PageError(CUT_OFF)
    chunk = data[12:16]
    if chunk == b"VP8X":
        flags, width, height = unpack("<B3x3s3s", data, 20)
        return ImageHeader(
            height=int.from_bytes(height, "little") + 1,
            width=int.from_bytes(width, "little") + 1,
            alpha=bool(flags & 0x10),
            exif=_webp_exif(data),
        )
    if chunk == b"VP8L":
        bits = unpack("<I", data, 21)[0]
        return ImageHeader((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1, bool(bits >> 28 & 1))
    width, height = unpack("<HH", data, 26)
    return ImageHeader(height & 0x3FFF, width & 0x3FFF)


def _webp_exif(data: bytes) -> bytes:
    position = 12
    while position + 8 <= len(data):
        kind, length = unpack("<4sI", data, position)
        if kind == b"EXIF":
            return data[position + 8 : position + 8 + length].removeprefix(b"Exif\0\0")
        position += 8 + length + length % 2
    return b""


def unpack(form: str, data: bytes, position: int) -> tuple:  # type: ignore[type-arg]
    """Read numbers as `struct.unpack_from` does.

    Raises:
        PageError: If the data end before.
    """
    try:
        return struct.unpack_from(form, data, position)
    except (struct.error, OverflowError) as error:
        raise PageError(CUT_OFF) from error
