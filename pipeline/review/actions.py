"""What the pages' scripts ask for and send, as JSON."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from pipeline.review import desk, second, wall
from pipeline.review.decisions import (
    ConflictError,
    Decision,
    UnfitError,
    UnlikelyError,
    decide,
    undo,
)
from pipeline.review.messages import (
    Decide,
    Key,
    Message,
    OfField,
    SendTiles,
    Stay,
    Take,
    TakeBackTiles,
    TakeTiles,
    Undo,
)
from pipeline.review.pictures import tile
from pipeline.review.state import state_of

router: Final = APIRouter()


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
    rest = message.count - len(found)
    found += desk.take(state.engine, seat, rest, have=have, share=message.share)
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


@router.post("/second/items")
def take_blind(request: Request, message: Take) -> list[dict[str, Any]]:
    """Lease fields to be keyed blind."""
    state = state_of(request)
    found = second.take(state.engine, message.seat(request, state), message.count, message.have)
    items = (state.item(field_id) for field_id in found)
    return [state.draw(second.blind(item, state.engine)) for item in items if item is not None]


@router.post("/second/key")
def key_field(request: Request, message: Key) -> Response:
    """Write down what was keyed blind."""
    state = state_of(request)
    seat = message.seat(request, state)
    try:
        second.key(state.engine, second.Keying(message.field, message.raw, seat, message.token))
    except UnfitError as error:
        return JSONResponse({"problem": str(error)}, 422)
    except ConflictError:
        return JSONResponse({"problem": "somebody has decided it meanwhile; that stands"}, 409)
    return JSONResponse({})


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
def stay(request: Request, message: Stay) -> dict[str, Any]:
    """Keep what a page holds, and tell it how far the work is."""
    state = state_of(request)
    seat = message.seat(request, state)
    desk.stay(state.engine, seat)
    progress = state.counts.progress(seat.reviewer, message.task)
    return {
        "open": progress.open,
        "done": progress.done,
        "perHour": progress.per_hour,
        "left": progress.left,
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
