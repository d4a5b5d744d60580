"""An inbox that is read again and again: what a served or deployed run is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.notify import Notify
from flows.remote.address import is_remote
from pipeline.errors import InputFileError


@dataclass(frozen=True, slots=True)
class Inbox:
    """What is read, into what."""

    inputs: Sequence[Path]
    templates: Path
    output: Path
    name: str = ""
    """Of its deployment; if none, after the folders."""
    workers: int = 1
    database: str = ""
    """Address; if none, it is in the output."""
    notify: Notify | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further parameters of the flow `extract`."""

    @property
    def title(self) -> str:
        """Name the deployment: lower-case letters, digits, hyphens."""
        words = self.name or "-".join(_whole(self.inputs[0]).parts[-2:])
        return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "inbox"

    def parameters(self) -> dict[str, Any]:
        """Give the parameters of the flow; paths absolute, since runs start anywhere."""
        found: dict[str, Any] = {
            "inputs": [str(_whole(path)) for path in self.inputs],
            "templates": str(_whole(self.templates)),
            "output": str(_whole(self.output)),
            "workers": self.workers,
            "database": self.database,
            **self.options,
        }
        if self.notify:
            found["notify"] = self.notify.model_dump(mode="json", exclude_defaults=True)
        return found


def _whole(path: Path) -> Path:
    return path if is_remote(path) else path.resolve()


def check_folders(inputs: Sequence[Path], output: Path) -> None:
    """Refuse folders of which one would feed the other, night after night.

    Raises:
        InputFileError: If an inbox does not exist, is the output, or lies inside it, or the output
            inside an inbox.
    """
    written = _whole(output)
    for inbox in inputs:
        read = _whole(inbox)
        if not is_remote(read) and not read.exists():
            raise InputFileError(f"{inbox} does not exist; make it, or check the path")
        if read == written or written in read.parents or read in written.parents:
            raise InputFileError(
                f"{inbox} and {output} lie in one another: what is written would be read, or what "
                "arrives left out; name an output beside the inbox"
            )
