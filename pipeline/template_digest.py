"""Which edition of a template it is: a hash of all that decides how its pages are read."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def digest_of(content: dict[str, Any], folder: Path) -> str:
    """Hash what a template says, and the files that it names.

    Comments and the order of keys do not count.

    Args:
        content: The template as parsed.
        folder: Where its files lie.

    Returns:
        A SHA-256 as hex.
    """
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode())
    for file in sorted({folder / name for name in _names(content)}):
        if file.is_file():
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _names(content: object) -> Iterator[str]:
    """Give the names of files: the reference, and the lists that checks look up."""
    if isinstance(content, list):
        for each in content:
            yield from _names(each)
    if isinstance(content, dict):
        for key, value in content.items():
            if key in {"file", "reference"} and isinstance(value, str):
                yield value
            yield from _names(value)
