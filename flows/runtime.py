"""How a process that reads pages treats cores and memory."""

import ctypes
import sys
from typing import Final

import cv2

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_MAPPED_BYTES: Final = 32 << 20
"""The most that glibc takes for a threshold."""
_KEPT_BYTES: Final = 256 << 20


def settle_in() -> None:
    """Leave cores to other workers, and keep the memory of a page for the next one.

    glibc hands large blocks back to the system and asks for them anew, which costs a page fault for
    every 4 kB: a twentieth of the time of a page. Source: mallopt(3).
    """
    cv2.setNumThreads(1)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:  # other C libraries have no such thing
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
