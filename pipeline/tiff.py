"""The directories of a TIFF: its pages, their sizes, and the orientation that Exif keeps in one.

Sources: TIFF 6.0, the BigTIFF addition to it, Exif 2.3.
"""

import struct
from collections.abc import Mapping
from typing import Final

from pipeline.errors import PageError
from pipeline.headers import ImageHeader, unpack

UPRIGHT: Final = 1
_NEW_SUBFILE, _WIDTH, _HEIGHT, _BITS, _ORIENTATION, _EXTRA_SAMPLES = 254, 256, 257, 258, 274, 338
_X_RESOLUTION, _Y_RESOLUTION = 282, 283
_STRETCHES: Final = (1.1, 4.0)
"""A fax's pixels are up to four times as high as wide; a scanner's are square but for rounding."""
_THUMBNAIL_OR_MASK: Final = 0b101
_MAX_PAGES: Final = 100_000


def orientation(exif: bytes) -> int:
    """Give the orientation, 1 to 8, that an Exif block asks for; upright where it says nothing."""
    if exif[:2] not in {b"II", b"MM"}:
        return UPRIGHT
    try:
        asked = _tags(exif, _first_directory(exif)).get(_ORIENTATION, UPRIGHT)
    except PageError:  # a camera's broken remark does not spoil the picture
        return UPRIGHT
    return int(asked) if 1 <= asked <= 8 else UPRIGHT


def pages(data: bytes) -> list[int]:
    """Find the directories of a TIFF's pages, thumbnails and masks left out.

    A chain that breaks off gives a last entry that `header` refuses: pages beyond it are
    lost, and somebody has to be told.

    Returns:
        Byte offsets, one a page.
    """
    found: list[int] = []
    seen: set[int] = set()
    offset = _first_directory(data)
    while offset and offset not in seen and len(seen) < _MAX_PAGES:
        seen.add(offset)
        if not _is_extra(data, offset):
            found.append(offset)
        try:
            _, _, offset = _directory(data, offset)
        except PageError:
            break
    return found


def _is_extra(data: bytes, directory: int) -> bool:
    try:
        return bool(int(_tags(data, directory).get(_NEW_SUBFILE, 0)) & _THUMBNAIL_OR_MASK)
    except PageError:
        return False


def header(data: bytes, directory: int) -> ImageHeader:
    """Read the size of the page whose directory stands at an offset.

    Raises:
        PageError: If the directory is cut off or says no size.
    """
    tags = _tags(data, directory)
    alpha = tags.get(_EXTRA_SAMPLES, 0) in {1, 2}
    return ImageHeader(
        int(tags.get(_HEIGHT, 0)),
        int(tags.get(_WIDTH, 0)),
        alpha,
        bits=int(tags.get(_BITS, 1)),
        stretch=_stretch(tags),
    )


def _stretch(tags: Mapping[int, float]) -> float:
    across, down = tags.get(_X_RESOLUTION, 0), tags.get(_Y_RESOLUTION, 0)
    if min(across, down) <= 0:
        return 1.0
    stretch = down / across if tags.get(_ORIENTATION, UPRIGHT) >= 5 else across / down
    return stretch if _STRETCHES[0] < max(stretch, 1 / stretch) <= _STRETCHES[1] else 1.0


def starting_at(data: bytes, directory: int) -> bytes:
    """Give the same TIFF with another page as its first and last.

    The decoder then reads this page alone, whatever state the others are in.
    """
    where, form = (8, "Q") if _is_big(data) else (4, "I")
    count, start, _ = _directory(data, directory)
    alone = bytearray(data)
    struct.pack_into(_byte_order(data) + form, alone, where, directory)
    struct.pack_into(form, alone, start + count * _entry_size(data), 0)
    return bytes(alone)


def _byte_order(data: bytes) -> str:
    return "<" if data[:2] == b"II" else ">"


def _is_big(data: bytes) -> bool:
    return bool(unpack(_byte_order(data) + "H", data, 2)[0] == 43)


def _entry_size(data: bytes) -> int:
    return 20 if _is_big(data) else 12


def _first_directory(data: bytes) -> int:
    order = _byte_order(data)
    return int(unpack(order + ("Q" if _is_big(data) else "I"), data, 8 if _is_big(data) else 4)[0])


def _directory(data: bytes, offset: int) -> tuple[int, int, int]:
    """Give a directory's number of entries, the first one's offset, and the next directory's."""
    order = _byte_order(data)
    count_form, offset_form = ("Q", "Q") if _is_big(data) else ("H", "I")
    (count,) = unpack(order + count_form, data, offset)
    start = offset + struct.calcsize(count_form)
    (following,) = unpack(order + offset_form, data, start + count * _entry_size(data))
    return count, start, following


def _tags(data: bytes, directory: int) -> dict[int, float]:
    count, start, _ = _directory(data, directory)
    size = _entry_size(data)
    return dict(_entry(data, start + i * size, size) for i in range(count))


def _entry(data: bytes, position: int, size: int) -> tuple[int, float]:
    """Read a tag with its first value where it is a number without sign; 0 stands for others."""
    order = _byte_order(data)
    tag, kind = unpack(order + "HH", data, position)
    form = {3: "H", 4: "I", 5: "II", 16: "Q"}.get(kind)
    if form is None:
        return tag, 0
    (count,) = unpack(order + ("Q" if size == 20 else "I"), data, position + 4)
    room = 8 if size == 20 else 4
    value = position + size - room
    if count * struct.calcsize(form) > room:
        (value,) = unpack(order + ("Q" if size == 20 else "I"), data, value)
    number, *below = unpack(order + form, data, value)
    return tag, number / (below[0] or 1) if below else number
