"""What the pages' scripts may send; anything else is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from pipeline.review import wall
from pipeline.review.desk import Seat, Share
from pipeline.review.state import State

FieldId = Annotated[int, Field(ge=1, lt=2**31)]
Text = Annotated[str, Field(max_length=200)]
Token = Annotated[str, Field(min_length=8, max_length=40, pattern=r"^[0-9a-f]+$")]


class Message(BaseModel):
    """What every message holds: which page of which browser it comes from."""

    model_config = ConfigDict(extra="forbid")
    holder: Token

    def seat(self, request: Request, state: State) -> Seat:
        """Say who works where."""
        return Seat(state.reviewer(request), self.holder)


class Take(Message):
    """Wants further fields, of all or of some; `wanted` first."""

    count: Annotated[int, Field(ge=1, le=10)]
    have: Annotated[list[FieldId], Field(max_length=20)] = []
    wanted: FieldId | None = None
    template: Text = ""
    field: Text = ""

    @property
    def share(self) -> Share:
        """Of which part of the queue."""
        return Share(self.template, self.field)


class Decide(Message):
    """A decision about a field."""

    field: FieldId
    raw: Text
    seen: FieldId | None
    token: Token
    sure: bool = False


class Key(Message):
    """What was keyed blind."""

    field: FieldId
    raw: Text
    token: Token


class Stay(Message):
    """Somebody is still there, at that work."""

    task: Literal["review", "second"] = "review"


class Undo(Message):
    """A correction is to be undone."""

    correction: FieldId
    token: Token


class OfField(Message):
    """Is about a field."""

    field: FieldId


class TakeTiles(Message):
    """Wants a screenful of boxes."""

    reading: Annotated[str, Field(pattern=r"^[0-9_X#]$")]


class TileVerdict(BaseModel):
    """Whether a box is odd."""

    field: FieldId
    position: Annotated[int, Field(ge=0, lt=1000)]
    odd: bool = False


class SendTiles(Message):
    """A screenful, judged."""

    tiles: Annotated[list[TileVerdict], Field(max_length=500)]
    token: Token

    def verdicts(self) -> list[wall.Verdict]:
        """Give what is said about each box."""
        return [wall.Verdict(each.field, each.position, each.odd) for each in self.tiles]


class TakeBackTiles(SendTiles):
    """A screenful is to be undone."""

    made: Annotated[list[FieldId], Field(max_length=500)]
