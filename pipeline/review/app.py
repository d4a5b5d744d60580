"""The web application: its pages, its answers, and what it says when the database fails."""

from __future__ import annotations

import base64

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.engine import Engine

from pipeline.errors import InputFileError, OutputError
from pipeline.review import actions, pages
from pipeline.review.figures import Counts
from pipeline.review.pictures import Pictures
from pipeline.review.safety import Guard, Rules
from pipeline.review.state import FOLDER, State, make_environment
from pipeline.store.database import explained


def make_app(  # noqa: PLR0913 - the parts of an application
    engine: Engine,
    pictures: Pictures,
    rules: Rules,
    *,
    output: str,
    reviewer: str,
    second_share: float = 0.0,
) -> FastAPI:
    """Make the application.

    Args:
        engine: The results database, opened.
        pictures: What draws fields and pages.
        rules: Who may speak to it.
        output: The output folder as it is shown.
        reviewer: Who works here unless he says otherwise.
        second_share: Of the fields that one person decided, how many another keys again.
    """
    app = FastAPI(title="FormDigits review", docs_url=None, redoc_url=None, openapi_url=None)
    environment = make_environment()
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    app.state.shared = State(
        engine, pictures, Counts(engine), environment, output, reviewer, second_share
    )
    app.include_router(pages.router)
    app.include_router(actions.router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"))
    app.add_middleware(Guard, rules=rules)
    app.add_exception_handler(sa.exc.DatabaseError, _tell_database)
    app.add_exception_handler(InputFileError, _tell_picture)
    return app


def _tell_database(request: Request, error: Exception) -> Response:
    """Say what is wrong with the database; the page keeps the decision and tries again."""
    url = request.app.state.shared.engine.url
    try:
        with explained(url):
            raise error
    except OutputError as explanation:
        return JSONResponse({"problem": str(explanation)}, 503)


def _tell_picture(_request: Request, error: Exception) -> Response:
    return JSONResponse({"problem": str(error)}, 404)
