"""Writes a scan into the kinds of file that scanners write."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from pipeline.authoring.simulate import SimulatedPage
from pipeline.records import GreyImage

Colours = Literal["colour", "grey", "grey16", "bilevel"]

# A PDF carries the time of its making; the same scan must give the same file.
_EPOCH = time.gmtime(0)
_JPEG_QUALITY = 80
_INK_BELOW = 165
_TIFF_PACKING: dict[str, dict[str, Any]] = {
    "1": {"compression": "group4"},
    "L": {"compression": "jpeg", "quality": _JPEG_QUALITY},
    "RGB": {"compression": "jpeg", "quality": _JPEG_QUALITY},
}


def save_scan(image: GreyImage, path: Path, colours: Colours, dpi: int | tuple[int, int]) -> None:
    """Write a scan as JPEG, PNG, TIFF or PDF, by the path's suffix.

    Args:
        image: uint8 of shape (H, W, 3) as RGB, or (H, W).
        path: Where to; .jpg, .png, .tif or .pdf.
        colours: What the scanner was set to; grey16 has sixteen levels.
        dpi: Written into the file; across and down, where they differ.
    """
    picture = _convert(Image.fromarray(image), colours)
    resolution = (dpi, dpi) if isinstance(dpi, int) else dpi
    match path.suffix:
        case ".jpg":
            picture.save(path, quality=_JPEG_QUALITY, dpi=resolution, optimize=True)
        case ".png":
            picture.save(path, dpi=resolution, optimize=True)
        case ".tif":
            picture.save(path, dpi=resolution, **_TIFF_PACKING[picture.mode])
        case ".pdf":
            picture.save(path, dpi=resolution, creationDate=_EPOCH, modDate=_EPOCH)
        case suffix:
            raise ValueError(f"no scan is written as {suffix}")


def save_page(page: SimulatedPage, folder: Path, name: str) -> Path:
    """Write a simulated page as its scanner would: a fax as TIFF of one bit, the rest as JPEG.

    Args:
        page: The page.
        folder: Where to.
        name: That of the file, without a suffix.
    """
    image, (across, down) = page.picture.image, page.picture.dpi
    is_fax = bool(page.strengths.get("fax"))
    colours: Colours = "bilevel" if is_fax else "colour" if image.ndim == 3 else "grey"
    path = folder / f"{name}{'.tif' if is_fax else '.jpg'}"
    save_scan(image, path, colours, (round(across), round(down)))
    return path


def _convert(picture: Image.Image, colours: Colours) -> Image.Image:
    if colours == "colour":
        return picture
    grey = picture.convert("L")
    if colours == "bilevel":
        return grey.point(lambda level: 255 * (level >= _INK_BELOW)).convert("1")
    if colours == "grey16":
        return grey.point(lambda level: 17 * round(level / 17))
    return grey
