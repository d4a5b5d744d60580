"""What the pages share while the server runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import sqlalchemy as sa
from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.engine import Engine

from pipeline.review.figures import Counts
from pipeline.review.items import Item, load_item
from pipeline.review.pictures import Pictures
from pipeline.store.schema import fields

FOLDER: Final = Path(__file__).parent
NAME_COOKIE: Final = "formdigits_name"


def make_environment() -> Environment:
    """Give the templates; everything that they are given is escaped."""
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The database, the pictures, and who works here unless he says otherwise."""

    engine: Engine
    pictures: Pictures
    counts: Counts
    environment: Environment
    output: str
    default_reviewer: str
    second_share: float
    """Of the fields that one person decided, how many another keys again."""

    def reviewer(self, request: Request) -> str:
        """Give the name that a browser has told."""
        return unquote(request.cookies.get(NAME_COOKIE, "")) or self.default_reviewer

    def item(self, field_id: int) -> Item | None:
        """Give a field as the page shows it."""
        with self.engine.connect() as connection:
            return load_item(connection, field_id, self.pictures)

    def place(self, field_id: int) -> tuple[int, str] | None:
        """Give the page and the name of a field."""
        query = sa.select(fields.c.page_id, fields.c.name).where(fields.c.id == field_id)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.page_id, row.name)

    def draw(self, item: Item) -> dict[str, Any]:
        """Give an item as a page's script takes it: its markup, and what it must know of it."""
        markup = self.environment.get_template("item.html").render(item=item)
        return {
            "id": item.field_id,
            "markup": markup,
            "raw": item.raw.ljust(len(item.boxes), " ") if not item.raw else item.raw,
            "seen": item.seen,
            "start": item.start,
        }


def state_of(request: Request) -> State:
    """Give what the pages share."""
    state: State = request.app.state.shared
    return state
