"""A PNG with its pixels stored is the same picture, to every decoder."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.headers import png_chunks
from pipeline.png import unpacked

MODES = ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"]


def picture(mode: str, size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Draw noise in which every filter of the format is worth while somewhere."""
    rng = np.random.default_rng(seed)
    levels = np.cumsum(rng.integers(-2, 3, size[::-1]), axis=rng.integers(0, 2)) % 256
    grey = Image.fromarray(levels.astype(np.uint8))
    return Image.fromarray(levels.astype(np.uint16) * 200) if mode == "I;16" else grey.convert(mode)


def packed(image: Image.Image, **options: object) -> bytes:
    """Write a picture as PNG."""
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def body_of(data: bytes) -> bytes:
    """Give what is in the chunks of pixels."""
    return b"".join(data[body] for kind, body in png_chunks(data) if kind == b"IDAT")


@pytest.mark.parametrize("mode", MODES)
@given(width=st.integers(1, 90), height=st.integers(1, 90), seed=st.integers(0, 99))
def test_the_same_picture(mode: str, width: int, height: int, seed: int) -> None:
    """Of every kind of pixels: no longer packed, and the same to two decoders."""
    image = picture(mode, (width, height), seed)
    data = packed(image, dpi=(300, 300))
    stored = unpacked(data)
    rows = zlib.decompress(body_of(data))
    assert rows in (body_of(stored), zlib.decompress(body_of(stored)))
    assert len(body_of(stored)) >= len(rows)
    again = Image.open(io.BytesIO(stored))
    assert again.info == Image.open(io.BytesIO(data)).info
    assert np.array_equal(np.asarray(again), np.asarray(image))
    decoded = (cv2.imdecode(np.frombuffer(each, np.uint8), -1) for each in (data, stored))
    assert np.array_equal(*decoded)


def test_more_than_one_block() -> None:
    """A page is larger than a block of 64 kB, and its length may be a whole number of blocks."""
    for width, height in ((1239, 877), (65534, 2)):
        image = picture("L", (width, height))
        stored = unpacked(packed(image))
        assert len(stored) > width * height
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(stored))), np.asarray(image))


def test_what_cannot_be_unpacked_is_left_as_it_is() -> None:
    """Interlaced, damaged, cut in its pixels, or without any: the decoder has the last word."""
    data = packed(picture("L", (60, 40)))
    start = data.index(b"IDAT")
    damaged = bytearray(data)
    damaged[start + 40] ^= 255
    header = data.index(b"IHDR")
    interlaced = bytearray(data)
    interlaced[header + 16] = 1
    higher = bytearray(data)
    higher[header + 8 : header + 12] = struct.pack(">I", 41)
    empty = data[: start - 4] + data[-12:]
    for each in (bytes(damaged), bytes(interlaced), bytes(higher), empty):
        assert unpacked(each) == each
