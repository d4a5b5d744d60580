"""Serving the review pages, until Ctrl-C."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa
import uvicorn

from pipeline.errors import ExitCode, ExtractionError
from pipeline.review.app import make_app
from pipeline.review.pictures import Pictures
from pipeline.review.safety import Rules, is_loopback
from pipeline.store.database import note, opened, writing

PORT: Final = 8077


@dataclass(frozen=True, slots=True)
class Desk:
    """Where to serve what, and to whom."""

    output: Path
    url: sa.URL
    host: str = "127.0.0.1"
    port: int | None = None
    """None for the usual one or, if that is taken, any that is free."""
    reviewer: str = ""
    token: str = ""
    scans: Path | None = None
    browser: bool = True
    second_share: float = 0.0
    """Of the fields that one person decided, how many another keys again."""


class ServerError(ExtractionError):
    """The pages cannot be served there."""


class OpenToOthersError(ExtractionError):
    """Others could open the pages without a token."""

    exit_code = ExitCode.BAD_ARGUMENTS


def serve(desk: Desk, tell: Callable[[str], None]) -> None:
    """Serve the review pages until interrupted.

    Args:
        desk: Where and what.
        tell: Hears the address that is to be opened.

    Raises:
        ServerError: If the port is taken.
        OutputError: If the database cannot be used.
        OpenToOthersError: If others can reach it, and there is no token.
    """
    if not desk.token and not is_loopback(desk.host):
        raise OpenToOthersError(
            f"other machines can reach {desk.host}: give a token that they must know, "
            f"such as --token {secrets.token_urlsafe(24)}"
        )
    with opened(desk.url) as engine, _listen(desk) as listener:
        port = listener.getsockname()[1]
        with writing(engine) as connection:
            note(connection, desk.reviewer, "review", f"{desk.host}:{port}")
        app = make_app(
            engine,
            Pictures(engine, desk.scans),
            Rules(desk.host, port, desk.token),
            output=desk.output.name or str(desk.output),
            reviewer=desk.reviewer,
            second_share=desk.second_share,
        )
        name = f"[{desk.host}]" if ":" in desk.host else desk.host
        address = f"http://{name}:{port}/" + (f"?token={quote(desk.token)}" if desk.token else "")
        tell(address)
        if desk.browser:
            webbrowser.open(address)
        settings = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
        )
        with suppress(KeyboardInterrupt):  # uvicorn raises it again when it has ended in order
            uvicorn.Server(settings).run(sockets=[listener])


def _listen(desk: Desk) -> socket.socket:
    family = socket.AF_INET6 if ":" in desk.host else socket.AF_INET
    wanted = [PORT, 0] if desk.port is None else [desk.port]
    for port in wanted:
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((desk.host, port))
        except OSError as error:
            listener.close()
            if port == wanted[-1]:
                raise ServerError(
                    f"cannot serve at {desk.host}:{port} ({error.strerror}); give another --port"
                ) from error
        else:
            listener.listen()
            return listener
    raise AssertionError
