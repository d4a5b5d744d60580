"""Hearing what the C libraries behind OpenCV say about a damaged picture.

libjpeg and libtiff make up pixels for what they cannot read, return success, and report the damage
on the process's standard error only. So that stream is listened to while they decode.
"""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

_STDERR: Final = 2
_ONE_AT_A_TIME = threading.Lock()
_DAMAGE = re.compile(r"TIFF_Error|TIFF_Warning (?:Fax|JPEGLib)|Corrupt JPEG|Premature end of JPEG")
_LIBRARY = re.compile(
    r"\[ *(?:ERROR|WARN|INFO):\d+@|libpng|JPEG|OpenCV|TensorFlow Lite|^[IW]\d{4} [\d:]+\.|"
    r"absl::InitializeLog|cuda|^To enable the following|^fully_quantize: |^\s*$"
)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what is said about damage inside the `with`; it is complete once that is left.

    Keeps the libraries' remarks out of the terminal; whatever else was written is passed on.

    Yields:
        A list that receives the complaints, one a line.
    """
    complaints: list[str] = []
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as heard:
        terminal = _redirect(heard)
        try:
            yield complaints
        finally:
            os.dup2(terminal, _STDERR)
            os.close(terminal)
            complaints += _sort_out(heard)


def _redirect(target: BinaryIO) -> int:
    terminal = os.dup(_STDERR)
    os.dup2(target.fileno(), _STDERR)
    return terminal


def _sort_out(heard: BinaryIO) -> list[str]:
    heard.seek(0)
    lines = heard.read().decode(errors="replace").splitlines(keepends=True)
    for line in lines:
        if not _LIBRARY.search(line):
            sys.stderr.write(line)
    return [line.strip() for line in lines if _DAMAGE.search(line)]
