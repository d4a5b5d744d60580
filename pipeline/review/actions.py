"""What the pages' scripts ask for and send, as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from pipeline.review import desk, wall
from pipeline.review.decisions import (
    ConflictError,
    Decision,
    UnfitError,
    UnlikelyError,
    decide,
    undo,
)
from pipeline.review.desk import Seat
from pipeline.review.pictures import tile
from pipeline.review.state import State, state_of

router: Final = APIRouter()
Key = Annotated[int, Field(ge=1, lt=2**31)]
Token = Annotated[str, Field(min_length=8, max_length=40, pattern=r"^[0-9a-f]+$")]


class Message(BaseModel):
    """What every message holds: which page of which browser it comes from."""

    model_config = ConfigDict(extra="forbid")
    holder: Token

    def seat(self, request: Request, state: State) -> Seat:
        """Say who works where."""
        return Seat(state.reviewer(request), self.holder)


class Take(Message):
    """Wants further fields; `wanted` first."""

    count: Annotated[int, Field(ge=1, le=10)]
    have: Annotated[list[Key], Field(max_length=20)] = []
    wanted: Key | None = None


class Decide(Message):
    """A decision about a field."""

    field: Key
    raw: Annotated[str, Field(max_length=200)]
    seen: Key | None
    token: Token
    sure: bool = False


class Undo(Message):
    """A correction is to be undone."""

    correction: Key
    token: Token


class OfField(Message):
    """Is about a field."""

    field: Key


class TakeTiles(Message):
    """Wants a screenful of boxes."""

    reading: Annotated[str, Field(pattern=r"^[0-9_X#]$")]


class TileVerdict(BaseModel):
    """Whether a box is odd."""

    field: Key
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

    made: Annotated[list[Key], Field(max_length=500)]


@router.post("/items")
def take_items(request: Request, message: Take) -> list[dict[str, Any]]:
    """Lease further fields."""
    state = state_of(request)
    seat = message.seat(request, state)
    found = []
    if message.wanted is not None:
        desk.take_one(state.engine, seat, message.wanted)
        found.append(message.wanted)
    have = [*message.have, *found]
    found += desk.take(state.engine, seat, message.count - len(found), have=have)
    items = (state.item(field_id) for field_id in found)
    return [state.draw(item) for item in items if item is not None]


@router.post("/decide")
def decide_field(request: Request, message: Decide) -> Response:
    """Write down a decision."""
    state = state_of(request)
    try:
        key = decide(
            state.engine,
            Decision(
                field_id=message.field,
                raw=message.raw,
                seen=message.seen,
                reviewer=state.reviewer(request),
                token=message.token,
                sure=message.sure,
            ),
        )
    except UnfitError as error:
        return JSONResponse({"problem": str(error)}, 422)
    except UnlikelyError as error:
        return JSONResponse({"unlikely": str(error)}, 422)
    except ConflictError as error:
        return _conflict(error)
    return JSONResponse({"correction": key})


def _conflict(error: ConflictError) -> Response:
    if error.current is None:
        return JSONResponse({"problem": "the decision was undone by somebody meanwhile"}, 409)
    by, raw = error.current.reviewer, error.current.raw
    return JSONResponse({"problem": f"{by} has decided it as {raw} meanwhile; that stands"}, 409)


@router.post("/undo")
def undo_decision(request: Request, message: Undo) -> Response:
    """Bring back what stood there before, and give the field to whoever asked."""
    state = state_of(request)
    seat = message.seat(request, state)
    try:
        field_id = undo(state.engine, message.correction, seat.reviewer, message.token)
    except UnfitError as error:
        return JSONResponse({"problem": str(error)}, 422)
    except ConflictError as error:
        return _conflict(error)
    desk.take_one(state.engine, seat, field_id)
    item = state.item(field_id)
    return JSONResponse({"item": state.draw(item) if item else None})


@router.post("/skip")
def skip_field(request: Request, message: OfField) -> Response:
    """Leave a field for later."""
    state = state_of(request)
    desk.skip(state.engine, message.seat(request, state), message.field)
    return Response(status_code=204)


@router.post("/stay")
def stay(request: Request, message: Message) -> dict[str, Any]:
    """Keep what a page holds, and tell it how far the work is."""
    state = state_of(request)
    seat = message.seat(request, state)
    desk.stay(state.engine, seat)
    progress = state.counts.progress(seat.reviewer)
    return {
        "open": progress.open,
        "done": progress.done,
        "perHour": progress.per_hour,
        "minutesLeft": progress.minutes_left,
    }


@router.post("/leave")
def leave(request: Request, message: Message) -> Response:
    """Give back what a page holds."""
    state = state_of(request)
    desk.leave(state.engine, message.seat(request, state))
    return Response(status_code=204)


@router.post("/wall/take")
def take_tiles(request: Request, message: TakeTiles) -> dict[str, Any]:
    """Lease a screenful of boxes."""
    state = state_of(request)
    tiles = wall.take_tiles(state.engine, message.seat(request, state), message.reading)
    markup = state.environment.get_template("tiles.html").render(tiles=tiles, png=tile)
    return {
        "markup": markup,
        "tiles": [{"field": each.field_id, "position": each.position} for each in tiles],
    }


@router.post("/wall/send")
def send_tiles(request: Request, message: SendTiles) -> dict[str, Any]:
    """Write down a screenful."""
    state = state_of(request)
    seat = message.seat(request, state)
    made = wall.send(state.engine, seat, message.verdicts(), message.token)
    return {"made": made}


@router.post("/wall/undo")
def undo_tiles(request: Request, message: TakeBackTiles) -> Response:
    """Undo a screenful."""
    state = state_of(request)
    seat = message.seat(request, state)
    wall.take_back(state.engine, seat, message.verdicts(), message.made, message.token)
    return Response(status_code=204)
