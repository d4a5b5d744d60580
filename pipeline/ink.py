"""How dark a pixel is against the paper around it."""

import cv2
import numpy as np

from pipeline.records import Floats, GreyImage


def darkness(image: GreyImage, reach: int) -> Floats:
    """Measure ink against the local paper, so that shade and tint do not count.

    Args:
        image: Grey uint8 of shape (H, W), 0 ink, 255 paper.
        reach: How far away the paper is looked for, in pixels; more than half the width of the
            widest stroke.

    Returns:
        float32 of shape (H, W): 0 where as bright as the paper nearby, 1 where black.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))
    smooth = cv2.blur(image, (3, 3))
    closed = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    paper = cv2.blur(closed, (reach, reach)).astype(np.float32)
    return np.clip(1.0 - image / np.maximum(paper, 1.0), 0.0, 1.0).astype(np.float32)
