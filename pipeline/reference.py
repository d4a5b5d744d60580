"""Whether a template's boxes are where its reference image shows them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.errors import TemplateError
from pipeline.frames import view_fields
from pipeline.geometry import Matrix, as_edges, scaling
from pipeline.printed import read_reference
from pipeline.records import GreyImage
from pipeline.template import FieldSpec, FormTemplate

BOX_PX = 48
"""Strip pixels to the height of a box."""
REACH = 0.45
"""How far off frames are looked for, as a share of the height of a box."""
MOST_OFF = 0.08
"""How far off they may be, likewise: reading finds frames that are farther off, but less surely."""
LEAST_SEEN = 0.7
"""The share of a field's frame lines that must be seen."""
FORMAT = 0.02
"""How far the format of the reference may be from the page's, as a share."""


def check_reference(template: FormTemplate) -> list[str]:
    """Compare a template's boxes with the frames on its reference image.

    Args:
        template: A template; without a reference there is nothing to compare.

    Returns:
        What is wrong, a line a field; nothing where all boxes are where they should be.

    Raises:
        TemplateError: If the reference cannot be read, or is not of the page's format.
    """
    if template.reference is None:
        return []
    image = read_reference(template.reference)
    height, width = template.size
    scale = np.array(image.shape) / (height, width)
    if abs(scale[1] / scale[0] - 1) > FORMAT:
        raise TemplateError(
            f"{template.reference}: found {image.shape[1]} x {image.shape[0]} px, which is not the "
            f"format of page width {width:g}, height {height:g}; needs an image of the whole page."
        )
    to_image = scaling(scale[1], scale[0])
    # Other lines may be printed near by: boxes that have frames in their place need no others.
    near = _measure(image, to_image, template.fields, MOST_OFF)
    wide = _measure(image, to_image, template.fields, REACH)
    complaints = []
    for index, field in enumerate(template.fields):
        most = MOST_OFF * min(field.boxes[0].width, field.boxes[0].height)
        if _is_within(near[index], most):
            continue
        shift = wide[index] or near[index]
        if shift is None:
            complaints.append(
                f"field {field.name!r}: found no frames at or near its boxes on the reference; "
                "correct its boxes"
            )
        elif not _is_within(shift, most):
            complaints.append(
                f"field {field.name!r}: its boxes are printed {_say(*shift)} of where the template "
                "has them; move them there"
            )
    return complaints


def _is_within(shift: tuple[float, float] | None, most: float) -> bool:
    return shift is not None and max(map(abs, shift)) <= most


def _measure(
    image: GreyImage, to_image: Matrix, fields: Sequence[FieldSpec], reach: float
) -> list[tuple[float, float] | None]:
    """How far x, y each field's frames are from its boxes; None where none were seen."""
    boxes = [field.boxes for field in fields]
    view = view_fields(image, to_image, boxes, reach=reach, box_px=BOX_PX)
    offsets = view.printed() - np.concatenate([as_edges(each) for each in boxes])
    middles = (offsets[:, :2] + offsets[:, 2:]) / 2
    shifts: list[tuple[float, float] | None] = []
    for index, support in enumerate(view.frames.support.tolist()):
        x, y = np.median(middles[view.strips.groups.of_box == index], axis=0).tolist()
        shifts.append((x, y) if support >= LEAST_SEEN else None)
    return shifts


def _say(x: float, y: float) -> str:
    """A distance in template pixels, in words."""
    across = f"{abs(x):.0f} px to the {'right' if x > 0 else 'left'}" if abs(x) >= 0.5 else ""
    down = f"{abs(y):.0f} px {'below' if y > 0 else 'above'}" if abs(y) >= 0.5 else ""
    return " and ".join(part for part in (across, down) if part)
