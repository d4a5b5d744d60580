"""What is found on a page once, whatever forms it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

from pipeline.cells import find_cells
from pipeline.edges import find_outline, measure_skew
from pipeline.features import Features, detect_features
from pipeline.matching import PageRows, read_rows
from pipeline.records import GreyImage, Page, Points
from pipeline.template import FormTemplate


class Sketch:
    """A page on its way to its form; each part is worked out when first asked for."""

    def __init__(
        self, page: Page, templates: Sequence[FormTemplate], *, by_tone: bool = False
    ) -> None:
        """Take a page for one of some forms: their boxes say how large cells are.

        Args:
            page: The page.
            templates: The forms.
            by_tone: Whether their frames may be other than dark lines.
        """
        self.page, self.by_tone = page, by_tone
        self._box_px = _box_px(page.image, templates)

    @property
    def image(self) -> GreyImage:
        """The grey scan of shape (H, W)."""
        return self.page.image

    @cached_property
    def rows(self) -> PageRows:
        """Its printed cells, in rows."""
        return read_rows(find_cells(self.image, self._box_px, by_tone=self.by_tone))

    @cached_property
    def features(self) -> Features:
        """Its local features."""
        return detect_features(self.image)

    @cached_property
    def outline(self) -> Points | None:
        """The corners of its paper, where that stands out from a darker ground."""
        return find_outline(self.image)

    @cached_property
    def skew(self) -> float:
        """How far it is turned, in degrees, clockwise."""
        return measure_skew(self.image)


def _box_px(image: GreyImage, templates: Sequence[FormTemplate]) -> tuple[float, float]:
    """The smallest and the largest side of a box on a scan that shows a page edge to edge."""
    sides = [max(image.shape) * side for template in templates for side in _sides(template)]
    return min(sides), max(sides)


@lru_cache(maxsize=512)
def _sides(template: FormTemplate) -> tuple[float, float]:
    """The smallest and the largest side of a box, as a share of the page's longer side."""
    boxes = [box for field in template.fields for box in field.boxes]
    least = min(min(box.width, box.height) for box in boxes)
    most = max(max(box.width, box.height) for box in boxes)
    return least / max(template.size), most / max(template.size)
