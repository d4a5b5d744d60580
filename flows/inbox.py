"""An inbox that is read again and again: what a served or deployed run is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.notify import Notify
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

    @property
    def title(self) -> str:
        """Name the deployment: lower-case letters, digits, hyphens."""
        words = self.name or "-".join(self.inputs[0].resolve().parts[-2:])
        return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "inbox"

    def parameters(self) -> dict[str, Any]:
        """Give the parameters of the flow; paths absolute, since runs start anywhere."""
        found: dict[str, Any] = {
            "inputs": [str(path.resolve()) for path in self.inputs],
            "templates": str(self.templates.resolve()),
            "output": str(self.output.resolve()),
            "workers": self.workers,
            "database": self.database,
        }
        if self.notify:
            found["notify"] = self.notify.model_dump(mode="json", exclude_defaults=True)
        return found


def check_folders(inputs: Sequence[Path], output: Path) -> None:
    """Refuse folders of which one would feed the other, night after night.

    Raises:
        InputFileError: If an inbox does not exist, is the output, or lies inside it, or the output
            inside an inbox.
    """
    written = output.resolve()
    for inbox in inputs:
        read = inbox.resolve()
        if not read.exists():
            raise InputFileError(f"{inbox} does not exist; make it, or check the path")
        if read == written or written in read.parents or read in written.parents:
            raise InputFileError(
                f"{inbox} and {output} lie in one another: what is written would be read, or what "
                "arrives left out; name an output beside the inbox"
            )
