"""What scanner or camera do to a page, each by its name and with a strength.

At strength 0 nothing changes, 1 is about the worst that an office sends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image

from pipeline.authoring import damage, lay
from pipeline.authoring.picture import Picture, develop, shade
from pipeline.records import Floats, GreyImage

Degradation = Callable[[Picture, float, Generator], Picture]
OnImage = Callable[[GreyImage, float, Generator], GreyImage]

_TILE = 1024
_LIGHT_GRID = 64
_DARKEST = 0.12
"""Shadows let through this much at least, however strong."""
_FAX_DPI = 204, (196, 98)
"""Across, and down in its fine and its standard mode (ITU-T T.4)."""


def degrade(image: GreyImage, strengths: Mapping[str, float], rng: Generator) -> GreyImage:
    """Apply degradations to an image, in the order given.

    Args:
        image: uint8 of shape (H, W) or (H, W, 3).
        strengths: By the name of the degradation.
        rng: The source of all variation.
    """
    return degrade_picture(Picture.of(image), strengths, rng).image


def degrade_picture(picture: Picture, strengths: Mapping[str, float], rng: Generator) -> Picture:
    """Apply degradations in the order given; the boxes stay in view, and their place known."""
    for name, strength in strengths.items():
        picture = DEGRADATIONS[name](picture, strength, rng)
    return develop(picture)


def _on_image(change: OnImage) -> Degradation:
    """Make a degradation of what changes the pixels of an image and moves none."""

    def apply(picture: Picture, strength: float, rng: Generator) -> Picture:
        if strength == 0:
            return picture
        seen = develop(picture)
        return replace(seen, image=change(seen.image, strength, rng))

    return apply


def _blur(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Blur as a lens out of focus does."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.9 * strength), np.uint8)


def _paper(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Print on real paper: off-white, slightly uneven, its blacks never quite black."""
    tint = 255 - strength * rng.uniform((4, 5, 10), (12, 14, 26))
    black = 40 * strength * rng.uniform(0.5, 1)
    level = tint if image.ndim == 3 else tint.mean(keepdims=True)
    table = black + np.arange(256)[:, None] * ((level - black) / 255)
    toned = cv2.LUT(image, np.rint(table).astype(np.uint8)[None])
    coarse = image.shape[0] // 24 + 2, image.shape[1] // 24 + 2
    mottle = 1 + 0.005 * strength * rng.standard_normal(coarse, np.float32)
    return shade(np.asarray(toned, np.uint8), mottle)


def _shadow(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Let the light fall off towards one edge, as under a lid that does not close."""
    x, y = _light_grid()
    distance = (x, 1 - x, y, 1 - y)[int(rng.integers(4))]
    fall = 0.4 * strength * np.exp(-distance / rng.uniform(0.03, 0.12))
    slope = 0.05 * strength * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1))
    return shade(image, np.maximum(1 - fall - np.abs(slope), _DARKEST).astype(np.float32))


def _light(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Light a photo badly: from one side, and with the soft shadow of a hand or a phone."""
    x, y = _light_grid()
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
    across = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    lamp = 1 - 0.35 * strength * np.clip(across + 0.5, 0, 1) ** 2
    bent = across + 0.05 * np.sin(9 * (y - x) + angle)
    dark = 0.45 * strength * rng.uniform(0.4, 1)
    shadow = 1 - dark / (1 + np.exp(-(bent - reach) / rng.uniform(0.008, 0.04)))
    return shade(image, np.maximum(lamp * shadow, _DARKEST).astype(np.float32))


def _light_grid() -> tuple[Floats, Floats]:
    """Give x (1, N) and y (N, 1) from 0 to 1 over a page."""
    steps = np.linspace(0, 1, _LIGHT_GRID, dtype=np.float32)
    return steps[None], steps[:, None]


def _noise(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Add the sensor's noise, alike in neighbouring pixels; it repeats too far off to be seen."""
    tile = rng.standard_normal((_TILE, _TILE, *image.shape[2:]), np.float32)
    grain = cv2.GaussianBlur(tile, (0, 0), 0.6) * (5.6 * strength)
    times = image.shape[0] // _TILE + 1, image.shape[1] // _TILE + 1
    coarse = np.clip(np.rint(grain), -127, 127).astype(np.int8)
    whole = np.tile(coarse, (*times, *([1] * (image.ndim - 2))))
    spread = np.ascontiguousarray(whole[: image.shape[0], : image.shape[1]])
    return np.asarray(cv2.add(image, spread, dtype=cv2.CV_8U), np.uint8)


def _specks(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Scatter dust."""
    clear = np.full(image.shape[:2], 255, np.uint8)
    count = int(rng.poisson(30 * strength * clear.size / 1e6))
    spots = rng.integers(0, image.shape[1::-1], (count, 2)).tolist()
    for spot, size in zip(spots, rng.exponential(0.7, count).tolist(), strict=True):
        cv2.circle(clear, spot, round(size), 255 * float(rng.uniform(0.3, 0.85)), thickness=-1)
    light = cv2.GaussianBlur(clear, (0, 0), 0.7)
    if image.ndim == 3:
        light = cv2.merge([light] * 3)
    return np.asarray(cv2.multiply(image, light, scale=1 / 255), np.uint8)


def _jpeg(image: GreyImage, strength: float, rng: Generator) -> GreyImage:
    """Compress as JPEG and open again; strength 1 is quality 30."""
    quality = round(np.clip(95 - 65 * strength, 5, 95))
    packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), np.uint8)


def _fax(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Send by fax: one bit a pixel, 204 dots an inch across; above 0.5 half the lines down.

    Most machines cut at a threshold that follows the paper's tone; one in four spreads the error
    (Floyd and Steinberg, 1976), as in the mode for photographs.
    """
    if strength == 0:
        return picture
    seen = develop(picture)
    dpi = _FAX_DPI[0], _FAX_DPI[1][int(strength > 0.5)]
    across_times, down_times = (new / old for new, old in zip(dpi, seen.dpi, strict=True))
    height, width = seen.size
    grey = seen.image if seen.image.ndim == 2 else cv2.cvtColor(seen.image, cv2.COLOR_RGB2GRAY)
    size = round(width * across_times), round(height * down_times)
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    bits = _dither(small) if rng.random() < 0.25 else _cut(small, rng)
    place = np.diag([across_times, down_times, 1.0]) @ seen.place
    return Picture(bits, (size[1], size[0]), seen.template, place, dpi=dpi)


def _cut(grey: GreyImage, rng: Generator) -> GreyImage:
    paper = float(np.median(grey[::7, ::7]))
    return np.where(grey < paper * rng.uniform(0.7, 0.85), np.uint8(0), np.uint8(255))


def _dither(grey: GreyImage) -> GreyImage:
    """Spread the error of each pixel, after the contrast is drawn out as faxes do."""
    paper = float(np.median(grey[::7, ::7]))
    drawn_out = np.clip((grey / paper - 0.25) / 0.65 * 255, 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(drawn_out).convert("1").convert("L"), np.uint8)


DEGRADATIONS: Mapping[str, Degradation] = {
    "holes": damage.holes,
    "stains": damage.stains,
    "corner": damage.corner,
    "scale": lay.scale,
    "crop": lay.crop,
    "bed": lay.bed,
    "skew": lay.skew,
    "shift": lay.shift,
    "perspective": lay.perspective,
    "turn": lay.turn,
    "resolution": lay.resolution,
    "paper": _on_image(_paper),
    "light": _on_image(_light),
    "shadow": _on_image(_shadow),
    "specks": _on_image(_specks),
    "blur": _on_image(_blur),
    "noise": _on_image(_noise),
    "jpeg": _on_image(_jpeg),
    "fax": _fax,
}
"""Degradations by name, in the order in which a page meets them."""
