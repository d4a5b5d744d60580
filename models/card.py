"""The model card: what a network is, and the proof that its weights are the ones meant."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError
from pipeline.records import ModelCard


def digest(content: bytes) -> str:
    """Give the SHA-256 of weights as the card states it."""
    return hashlib.sha256(content).hexdigest()


def read_card(path: Path) -> ModelCard:
    """Read a card; entries with a default may be missing, as in cards of earlier versions.

    Raises:
        ModelError: If it is missing, damaged, or lacks an entry.
    """
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        entries: dict[str, Any] = {
            field.name: _frozen(stored[field.name])
            for field in fields(ModelCard)
            if field.default is MISSING or field.name in stored
        }
        return ModelCard(**entries)
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing; train the network, or restore the file.") from error
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{path} is not a model card ({error}); restore the file.") from error
    except KeyError as error:
        raise ModelError(f"{path} lacks the entry {error}; restore the file.") from error


def _frozen(entry: object) -> object:
    return tuple(entry) if isinstance(entry, list) else entry


def card_bytes(card: ModelCard) -> bytes:
    """Give a card as JSON."""
    return (json.dumps(asdict(card), indent=2) + "\n").encode()
