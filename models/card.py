"""The model card: what a network is, and the proof that its weights are the ones meant."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError
from pipeline.records import ModelCard


def digest(content: bytes) -> str:
    """Give the SHA-256 of weights as the card states it."""
    return hashlib.sha256(content).hexdigest()


def read_card(path: Path) -> ModelCard:
    """Read a card.

    Raises:
        ModelError: If it is missing, damaged, or lacks an entry.
    """
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        entries = {field.name: stored[field.name] for field in fields(ModelCard)}
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing; train the network, or restore the file.") from error
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{path} is not a model card ({error}); restore the file.") from error
    except KeyError as error:
        raise ModelError(f"{path} lacks the entry {error}; restore the file.") from error
    return ModelCard(**entries | {"input_shape": tuple(entries["input_shape"])})


def write_card(card: ModelCard, path: Path) -> None:
    """Write a card as JSON, whole or not at all."""
    write_whole(path, (json.dumps(asdict(card), indent=2) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that no reader ever sees half of it."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
