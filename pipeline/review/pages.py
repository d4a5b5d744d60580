"""The pages as they are first shown; what changes on them is fetched by their scripts."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pipeline.review import figures
from pipeline.review.desk import ALL, Share
from pipeline.review.second import SECOND, choose, errors
from pipeline.review.state import NAME_COOKIE, state_of
from pipeline.store.append import REVIEW

router: Final = APIRouter()
MOST_NAME: Final = 80
Asked = Annotated[str, Query(max_length=500)]


def render(request: Request, name: str, *, task: str = REVIEW, **values: Any) -> HTMLResponse:
    """Show a page, with how far that work is."""
    state = state_of(request)
    reviewer = state.reviewer(request)
    progress = state.counts.progress(reviewer, task)
    template = state.environment.get_template(name)
    text = template.render(
        reviewer=reviewer, progress=progress, path=request.url.path, task=task, **values
    )
    return HTMLResponse(text)


@router.get("/")
def start(request: Request) -> HTMLResponse:
    """Who is there, and three ways to work."""
    state = state_of(request)
    boxes = sum(state.counts.boxes().values())
    again = state.counts.progress(state.reviewer(request), SECOND)
    return render(request, "start.html", boxes=boxes, again=again.open, output=state.output)


@router.post("/name")
async def set_name(request: Request) -> Response:
    """Say who works here."""
    form = parse_qs((await request.body()).decode(errors="replace"))
    name = " ".join("".join(form.get("name", [])).split())[:MOST_NAME]
    answer = RedirectResponse("/", 303)
    if name and name.isprintable():
        answer.set_cookie(NAME_COOKIE, quote(name), httponly=True, samesite="strict")
    return answer


@router.get("/fields")
def field_by_field(request: Request, template: Asked = "", field: Asked = "") -> Response:
    """Field by field, least sure first; all, or those of a template or of a field of it."""
    return render(request, "fields.html", wanted=None, share=Share(template, field))


@router.get("/fields/{field_id}")
def one_field(request: Request, field_id: int) -> Response:
    """A field that somebody asked for, and the queue after it."""
    return render(request, "fields.html", wanted=field_id, share=ALL)


@router.get("/second")
def second_key(request: Request) -> Response:
    """Decided fields, keyed again blind."""
    state = state_of(request)
    choose(state.engine, state.second_share)
    return render(request, "fields.html", task=SECOND, wanted=None, share=ALL)


@router.get("/wall")
def digit_wall(request: Request) -> Response:
    """All boxes read as the same digit."""
    return render(request, "wall.html", waiting=state_of(request).counts.boxes())


@router.get("/summary")
def summary(request: Request) -> Response:
    """How far the work is, by template, field and reason."""
    engine = state_of(request).engine
    groups, known = figures.summarise(engine), errors(engine)
    return render(request, "summary.html", groups=groups, errors=known)


@router.get("/search")
def search(request: Request, text: Asked = "") -> Response:
    """Fields of a document."""
    rows = figures.search(state_of(request).engine, text) if text else []
    return render(request, "search.html", text=text, rows=rows)


@router.get("/history")
def history(request: Request, before: int | None = None) -> Response:
    """Every decision, the latest first."""
    rows = figures.history(state_of(request).engine, before)
    return render(request, "history.html", rows=rows, more=len(rows) == figures.SHOWN)


@router.get("/picture/field/{field_id}")
def field_picture(request: Request, field_id: int) -> Response:
    """The picture of a field."""
    state = state_of(request)
    found = state.place(field_id)
    if found is None:
        return Response(status_code=404)
    return Response(state.pictures.field(*found), media_type="image/png")


@router.get("/picture/page/{page_id}")
def page_picture(request: Request, page_id: int) -> Response:
    """The picture of a page."""
    state = state_of(request)
    if state.pictures.facts(page_id) is None:
        return Response(status_code=404)
    return Response(state.pictures.page(page_id), media_type="image/jpeg")
