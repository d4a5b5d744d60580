"""A page on its way through scanner or camera, with the place of its boxes known at each step.

Moves are collected and the page resampled once, when it is next looked at: resampling is what
costs, and doing it step by step would blur a page as no scanner does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from pipeline.geometry import Matrix, corners, local_scale, transform, translation
from pipeline.records import Box, Floats, GreyImage, Points
from pipeline.template import FormTemplate

DPI = 300
"""Pages are filled at this resolution."""
_CLEAR = 0.004
"""Boxes stay this far inside of the picture, as a share of its longer side."""
_SHIFT_BITS = 4
_SHADE_GRID = 8


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A page as seen so far; `develop` resamples what has been moved since."""

    image: GreyImage
    """uint8 of shape (H, W), or (H, W, 3) as RGB."""
    size: tuple[int, int]
    """(height, width) of what `develop` gives."""
    template: FormTemplate | None = None
    """Whose boxes are kept in view; None where nothing must be."""
    place: Matrix = field(default_factory=lambda: np.eye(3))
    """(3, 3), template pixels to pixels of `image`."""
    pose: Matrix = field(default_factory=lambda: np.eye(3))
    """(3, 3), pixels of `image` to those of what `develop` gives."""
    outline: Points | None = None
    """Corners (N, 2) of the paper in pixels of `image`, where it is not the whole of it."""
    holes: tuple[Points, ...] = ()
    """Outlines of holes in the paper, likewise."""
    ground: GreyImage | None = None
    """What lies under the page, of any size, with as many channels; None for more paper."""
    lost: frozenset[int] = frozenset()
    """Which of the template's markers cannot be seen."""
    dpi: tuple[float, float] = (DPI, DPI)
    """Dots an inch of the glass, across and down; those of the page differ by its print's scale."""

    @classmethod
    def of(cls, image: GreyImage, template: FormTemplate | None = None) -> Picture:
        """Begin with an image at the template's own size."""
        return cls(image, (image.shape[0], image.shape[1]), template)


def boxes_of(template: FormTemplate | None) -> list[Box]:
    """List all boxes of a template."""
    return [] if template is None else [box for spec in template.fields for box in spec.boxes]


def box_corners(picture: Picture) -> Points:
    """Give the corners of all boxes as (N, 4, 2), in pixels of what `develop` gives."""
    boxes = boxes_of(picture.template)
    points = np.concatenate([corners(box) for box in boxes]) if boxes else np.empty((0, 2))
    return transform(picture.pose @ picture.place, points).reshape(-1, 4, 2)


def move(picture: Picture, matrix: Matrix, size: Sequence[float] | None = None) -> Picture:
    """Move the page under the scanner, and let it see more where boxes would leave its view.

    Args:
        picture: The page so far.
        matrix: (3, 3), from what `develop` gives now to what it is to give.
        size: (height, width) then; None for no change.
    """
    height, width = (round(length) for length in size or picture.size)
    moved = replace(picture, pose=matrix @ picture.pose, size=(height, width))
    points = box_corners(moved).reshape(-1, 2)
    if not points.size:
        return moved
    clear = _CLEAR * max(height, width)
    low = np.floor(np.minimum(points.min(axis=0) - clear, 0))
    high = np.ceil(np.maximum(points.max(axis=0) + clear, (width, height)))
    wider, taller = (high - low).astype(int).tolist()
    return replace(moved, pose=translation(*-low) @ moved.pose, size=(taller, wider))


def develop(picture: Picture) -> Picture:
    """Resample the page where it has been moved to, on what lies under it."""
    if is_flat(picture) and picture.outline is None and not picture.holes:
        return picture
    page = _resample(picture)
    if picture.ground is not None:
        page = _lay(page, _paper_mask(picture), picture.ground)
    return replace(
        picture,
        image=page,
        place=picture.pose @ picture.place,
        pose=np.eye(3),
        outline=None,
        holes=(),
        ground=None,
    )


def is_flat(picture: Picture) -> bool:
    """Tell whether nothing has been moved since the page was last looked at."""
    unmoved = bool(np.array_equal(picture.pose, np.eye(3)))
    return unmoved and picture.size == picture.image.shape[:2]


def _resample(picture: Picture) -> GreyImage:
    """Sample finely and average where pixels are lost, as a sensor does."""
    height, width = picture.size
    middle = picture.image.shape[1] / 2, picture.image.shape[0] / 2
    finer = max(1, math.floor(1 / local_scale(picture.pose, middle) + 0.5))
    matrix = np.diag([finer, finer, 1.0]) @ picture.pose
    fine = cv2.warpPerspective(
        picture.image,
        translation(-0.5, -0.5) @ matrix @ translation(0.5, 0.5),
        dsize=(width * finer, height * finer),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_corner_colour(picture.image),
    )
    if finer == 1:
        return np.asarray(fine, np.uint8)
    return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _corner_colour(image: GreyImage) -> list[float]:
    corner = image[:8, :8]
    colour = np.median(corner.reshape(-1, *image.shape[2:]), axis=0)
    return [float(level) for level in np.atleast_1d(colour)]


def _paper_mask(picture: Picture) -> GreyImage:
    """Give where there is paper: uint8 of shape `size`, 255 or 0."""
    height, width = picture.image.shape[:2]
    outline = picture.outline
    if outline is None:
        outline = corners(Box(0, 0, width, height))
    mask = np.zeros(picture.size, np.uint8)
    _fill(mask, transform(picture.pose, outline), 255)
    for hole in picture.holes:
        _fill(mask, transform(picture.pose, hole), 0)
    return mask


def _fill(mask: GreyImage, outline: Points, level: int) -> None:
    points = np.rint((outline - 0.5) * (1 << _SHIFT_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [points], level, shift=_SHIFT_BITS)


def _lay(page: GreyImage, mask: GreyImage, ground: GreyImage) -> GreyImage:
    """Put paper on its ground, on which its edges throw a thin shadow."""
    height, width = mask.shape
    size = width // _SHADE_GRID + 1, height // _SHADE_GRID + 1
    near = cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    light = 1 - 0.4 * cv2.GaussianBlur(near, (0, 0), 1.0)
    under = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
    below = shade(np.asarray(under, np.uint8), np.asarray(light, np.float32))
    return np.asarray(cv2.copyTo(page, mask, below), np.uint8)


def shade(image: GreyImage, light: Floats) -> GreyImage:
    """Darken an image by the light that falls on it, given as coarsely as it varies.

    Args:
        image: uint8 of shape (H, W) or (H, W, 3).
        light: float32 of any shape (h, w), 1 where nothing changes.
    """
    whole = cv2.resize(light, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if image.ndim == 3:
        whole = cv2.merge([whole] * 3)
    return np.asarray(cv2.multiply(image, whole, dtype=cv2.CV_8U), np.uint8)
