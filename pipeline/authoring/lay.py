"""How a page comes to lie under scanner or camera; each function moves it and resamples nothing.

Strength 0 changes nothing, 1 is about the worst that an office sends; more is allowed.
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator

from pipeline.authoring.picture import Picture, move
from pipeline.geometry import Matrix, corners, scaling, transform, translation
from pipeline.records import Box, GreyImage

LID = 228
_DESK_GRID = 24


def scale(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Print at 94 to 104 % of the size; what a larger print loses is margin, never a box."""
    times = 1 + strength * rng.uniform(-0.06, 0.04)
    return move(picture, _about_middle(picture, scaling(times, times)))


def shift(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Move the page by up to 0.8 % of its width, and stretch it by up to 0.6 % each way."""
    stretch = 1 + 0.006 * strength * rng.uniform(-1, 1, 2)
    by = 0.008 * strength * picture.size[1] * rng.uniform(-1, 1, 2)
    return move(picture, translation(*by) @ _about_middle(picture, scaling(*stretch)))


def crop(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Cut up to 4 % of the width off each side, as far as no box is cut."""
    most = min(0.04 * strength, 0.3) * picture.size[1]
    left, top, right, bottom = (rng.uniform(0, 1, 4) * most).tolist()
    height, width = picture.size
    return move(picture, translation(-left, -top), (height - top - bottom, width - left - right))


def bed(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Lay the page on a larger scanner bed, under whose white lid its edge throws a thin shadow."""
    margin = round(0.05 * strength * picture.size[1])
    if margin == 0:
        return picture
    sides = np.rint(rng.uniform(0.5, 1, 4) * margin).astype(int)
    top, bottom, left, right = sides.tolist()
    height, width = picture.size
    lid = np.full((2, 2, *picture.image.shape[2:]), LID, np.uint8)
    laid = replace(picture, ground=lid)
    return move(laid, translation(left, top), (height + top + bottom, width + left + right))


def skew(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Turn the page by up to 2 degrees about its middle, never by less than half of that."""
    angle = 2 * strength * rng.uniform(0.5, 1) * rng.choice([-1, 1])
    return move(picture, _about_middle(picture, _rotation(float(angle))))


def turn(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Feed the page sideways or upside down: turned by 90, 180 or 270 degrees."""
    if strength == 0:
        return picture
    height, width = picture.size
    quarters = int(rng.integers(1, 4))
    size = picture.size if quarters == 2 else (width, height)
    about = translation(size[1] / 2, size[0] / 2) @ _rotation(90.0 * quarters)
    return move(picture, about @ translation(-width / 2, -height / 2), size)


def resolution(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Scan with fewer pixels: strength 0.5 is 200 dpi, 1 is 150, 2 is 100."""
    times = 1 / (1 + strength)
    height, width = picture.size
    dpi = picture.dpi[0] * times, picture.dpi[1] * times
    return move(replace(picture, dpi=dpi), scaling(times, times), (height * times, width * times))


def perspective(picture: Picture, strength: float, rng: Generator) -> Picture:
    """Take a photo from up to 30 degrees off (never above 45, nor below half of it), over a desk.

    A pinhole camera, its focal length that of a phone: about as long as the picture's diagonal.
    """
    if strength == 0:
        return picture
    height, width = picture.size
    tilt = math.radians(min(30 * strength, 45)) * rng.uniform(0.5, 1)
    axis = rng.uniform(0, 2 * math.pi)
    away = cv2.Rodrigues(tilt * np.array([math.cos(axis), math.sin(axis), 0.0]))[0]
    focal = math.hypot(height, width) * rng.uniform(0.9, 1.2)
    flat = np.column_stack([away[:, 0], away[:, 1], [0.0, 0.0, focal]])
    camera = np.diag([focal, focal, 1.0]) @ flat @ translation(-width / 2, -height / 2)
    camera = _rotation(float(rng.uniform(-6, 6) * min(strength, 1))) @ camera
    seen = transform(camera, corners(Box(0, 0, width, height)))
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = rng.uniform(0.02, 0.09, 4) * width
    into_view = translation(margin[0] - low[0], margin[1] - low[1])
    wide, tall = (high - low) + margin[:2] + margin[2:]
    ground = _desk(picture.image.shape[2:], rng)
    return move(replace(picture, ground=ground), into_view @ camera, (tall, wide))


def _desk(channels: tuple[int, ...], rng: Generator) -> GreyImage:
    """Draw what lies under a page: a table top, plain or with its grain, darker than paper."""
    tone = rng.uniform(35, 150) * rng.uniform((0.9, 0.8, 0.65), (1.1, 1.0, 1.0))
    coarse = rng.normal(0, 1, (_DESK_GRID, _DESK_GRID)).astype(np.float32)
    grain = rng.normal(0, 1, (40 * _DESK_GRID, 2)).astype(np.float32)
    size = 40 * _DESK_GRID, 40 * _DESK_GRID
    clouds = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    lines = cv2.GaussianBlur(cv2.resize(grain, size), (0, 0), 1.5) * rng.uniform(0, 1.5)
    relief = 1 + 0.05 * clouds + 0.08 * (lines if rng.random() < 0.5 else lines.T)
    if not channels:
        return np.asarray(np.clip(relief * tone.mean(), 0, 255), np.uint8)
    return np.asarray(np.clip(relief[:, :, None] * tone, 0, 255), np.uint8)


def _about_middle(picture: Picture, matrix: Matrix) -> Matrix:
    x, y = picture.size[1] / 2, picture.size[0] / 2
    return translation(x, y) @ matrix @ translation(-x, -y)


def _rotation(degrees: float) -> Matrix:
    """Turn counterclockwise about the origin, as cv2 counts angles."""
    turned = cv2.getRotationMatrix2D((0.0, 0.0), degrees, 1.0)
    return np.vstack([turned, [0.0, 0.0, 1.0]])
