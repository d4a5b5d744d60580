"""From a file's bytes to grey pages, one decoder a format."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray

from pipeline import headers, tiff
from pipeline.complaints import listening
from pipeline.errors import PageError
from pipeline.geometry import reduce
from pipeline.headers import ImageHeader
from pipeline.png import unpacked
from pipeline.records import GreyImage

MAX_PIXELS: Final = 200_000_000
"""A3 at 900 dpi; a decoder asks for about four bytes a pixel."""
MIN_SIDE_PX: Final = 32
PDF_DPI: Final = 300
_POINTS_AN_INCH: Final = 72
_JPEG_REDUCTIONS: Final = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


@dataclass(frozen=True, slots=True)
class Decoder:
    """How one format is told by its first bytes, its pages counted, and one of them decoded.

    A page, counted from 1, is decoded to grey, and reduced by a whole factor as long as that
    leaves its longer side this many pixels.
    """

    recognises: Callable[[bytes], bool]
    decode: Callable[[bytes, int, int], GreyImage]
    count: Callable[[bytes], int] | None = None
    """None where a file is always one page."""


def refuse_size(height: float, width: float) -> None:
    """See that a page of this size can be decoded, and can hold a form.

    Args:
        height: Height in pixels.
        width: Width in pixels.

    Raises:
        PageError: If it is too large or too small.
    """
    size = f"{width:.0f} x {height:.0f} pixels"
    if height * width > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise PageError(f"{size} are too many (limit: {limit} million); scan it at 300 dpi")
    if min(height, width) < MIN_SIDE_PX:
        raise PageError(f"{size} are too few to hold a form; scan it at 300 dpi")


def _decode_png(data: bytes, _number: int, side_px: int) -> GreyImage:
    header = headers.png_header(data)
    refuse_size(header.height, header.width)
    return _decode(unpacked(data), header, side_px)


def _decode_jpeg(data: bytes, _number: int, side_px: int) -> GreyImage:
    header = headers.jpeg_header(data)
    factor = _reduction((header.height, header.width), side_px)
    # The format's own way: what is not wanted is left out of the inverse transform.
    grey = max((each, flag) for each, flag in _JPEG_REDUCTIONS.items() if each <= factor)[1]
    return _decode(data, header, 0, grey)


def _decode_bmp(data: bytes, _number: int, side_px: int) -> GreyImage:
    return _decode(data, headers.bmp_header(data), side_px)


def _decode_webp(data: bytes, _number: int, side_px: int) -> GreyImage:
    return _decode(data, headers.webp_header(data), side_px)


def _decode_tiff(data: bytes, number: int, side_px: int) -> GreyImage:
    pages = tiff.pages(data)
    if number > len(pages):
        raise PageError(headers.DAMAGED)
    directory = pages[number - 1]
    header = tiff.header(data, directory)
    if header.bits > 16:
        raise PageError(f"{header.bits} bits a sample; save it with 8")
    return _decode(tiff.starting_at(data, directory), header, side_px)


def _count_tiff(data: bytes) -> int:
    return len(tiff.pages(data))


def _reduction(shape: tuple[int, ...], side_px: int) -> int:
    """By how much a page may be reduced, 1 or more."""
    return max(1, max(shape) // side_px) if side_px else 1


def _decode(
    data: bytes, header: ImageHeader, side_px: int, grey: int = cv2.IMREAD_GRAYSCALE
) -> GreyImage:
    refuse_size(header.height, header.width)
    with listening() as complaints:
        flags = cv2.IMREAD_UNCHANGED if header.alpha else grey
        image = _try(np.frombuffer(data, np.uint8), flags)
    if image is None and complaints and "not configured" in complaints[0]:
        raise PageError("its compression is not supported; save it with LZW or as PNG")
    if image is None or complaints:
        raise PageError(headers.DAMAGED)
    if header.alpha:
        image = _on_paper(image, tiff.orientation(header.exif))
    square = _with_square_pixels(np.asarray(image, np.uint8), header.stretch)
    return reduce(square, _reduction(square.shape, side_px))


def _with_square_pixels(image: GreyImage, stretch: float) -> GreyImage:
    """Enlarge the side along which pixels are long: faxes are coarser down the page than across."""
    if stretch == 1:
        return image
    x, y = max(1 / stretch, 1.0), max(stretch, 1.0)
    refuse_size(image.shape[0] * y, image.shape[1] * x)
    return np.asarray(cv2.resize(image, None, fx=x, fy=y, interpolation=cv2.INTER_LINEAR), np.uint8)


def _try(data: NDArray[np.uint8], flags: int) -> NDArray[Any] | None:
    try:
        return cv2.imdecode(data, flags)
    except cv2.error as error:
        raise PageError(headers.DAMAGED) from error


def _on_paper(image: NDArray[Any], orientation: int) -> GreyImage:
    """Lay a picture with an alpha channel on white paper, upright.

    Args:
        image: uint8 or uint16 of shape (H, W) or (H, W, channels) as decoded unchanged, the fourth
            channel alpha.
        orientation: As in Exif; obeyed here since decoding unchanged leaves it to the caller.

    Returns:
        Grey uint8 of shape (H, W) or, turned, (W, H).
    """
    if image.dtype == np.uint16:
        image = image // 257
    image = image.astype(np.uint8, copy=False)
    if image.ndim == 3:
        image = _composite(image)
    return np.ascontiguousarray(_upright(image, orientation))


def _composite(image: NDArray[np.uint8]) -> GreyImage:
    grey = np.asarray(cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY), np.uint8)
    if image.shape[2] < 4:
        return grey
    alpha = image[..., 3]
    return np.asarray(cv2.multiply(grey, alpha, scale=1 / 255) + (255 - alpha), np.uint8)


def _upright(image: GreyImage, orientation: int) -> GreyImage:
    if orientation >= 5:  # 5 to 8 are 1 to 4 with rows and columns exchanged
        image = image.T
    turned = {1: "", 2: "x", 3: "xy", 4: "y", 5: "", 6: "x", 7: "xy", 8: "y"}[orientation]
    rows = slice(None, None, -1 if "y" in turned else 1)
    columns = slice(None, None, -1 if "x" in turned else 1)
    return image[rows, columns]


def _decode_pdf(data: bytes, number: int, side_px: int) -> GreyImage:
    with _open_pdf(data) as pdf:
        try:
            page = pdf[number - 1]
            scale = PDF_DPI / _POINTS_AN_INCH
            refuse_size(page.get_height() * scale, page.get_width() * scale)
            image = page.render(scale=scale, grayscale=True).to_numpy()
        except pypdfium2.PdfiumError as error:
            raise PageError(headers.DAMAGED) from error
        grey = np.array(image, np.uint8).reshape(image.shape[:2])
        return reduce(grey, _reduction(grey.shape, side_px))


def _count_pdf(data: bytes) -> int:
    with _open_pdf(data) as pdf:
        return len(pdf)


def _open_pdf(data: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise PageError("the PDF is encrypted; save it without a password") from error
        raise PageError(headers.DAMAGED) from error


def _starts(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


_PNG = Decoder(_starts(b"\x89PNG\r\n\x1a\n"), _decode_png)
_JPEG = Decoder(_starts(b"\xff\xd8\xff"), _decode_jpeg)
_BMP = Decoder(_starts(b"BM"), _decode_bmp)
_WEBP = Decoder(lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", _decode_webp)
_TIFF = Decoder(_starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _decode_tiff, _count_tiff)
# PDF readers allow other bytes before the signature, and scanners' software writes some.
_PDF = Decoder(lambda head: b"%PDF-" in head, _decode_pdf, _count_pdf)

DECODERS: Final[dict[str, Decoder]] = {
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": _BMP,
    ".webp": _WEBP,
    ".pdf": _PDF,
}
