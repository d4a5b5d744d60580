"""Who may speak to the review server, and what browsers are told to allow.

A web page on the same machine can send requests to 127.0.0.1, directly or under a name of its own
that it lets point there (DNS rebinding). So: the Host must be one that this server answers to, what
changes something must come from its own pages, and off the machine a token is needed.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "formdigits_token"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
MOST_BYTES: Final = 1 << 20


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Rules:
    """Where the server listens, and the token that it wants to see, if any."""

    host: str
    port: int
    token: str = ""

    def answers_to(self, host: str) -> bool:
        """Tell whether a Host header names this server.

        Off this machine it has many names and addresses, all of which need the token; a page that
        gives itself one of them has no token.
        """
        if self.token:
            return True
        name = urlsplit(f"//{host}").hostname or ""
        return is_loopback(name) and (urlsplit(f"//{host}").port or 80) == self.port


class Guard:
    """Middleware that turns away what the rules do not allow, and sets the headers."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        answer = self._refuse(Request(scope))
        await (answer or self._app)(scope, receive, send_safely)

    def _refuse(self, request: Request) -> Response | None:
        try:
            known = self._rules.answers_to(request.headers.get("host", ""))
        except ValueError:  # a port that is no number
            known = False
        if not known:
            return PlainTextResponse("this server does not answer to that name", 403)
        if request.method not in {"GET", "HEAD"} and not _is_own(request):
            return PlainTextResponse("requests from other sites are refused", 403)
        if request.headers.get("sec-fetch-site") == "cross-site" and not _is_visit(request):
            return PlainTextResponse("requests from other sites are refused", 403)
        if request.method == "POST" and not _is_small(request):
            return PlainTextResponse("too much", 413)
        return self._ask_token(request) if self._rules.token else None

    def _ask_token(self, request: Request) -> Response | None:
        given = request.query_params.get("token", "")
        if given and self._is_right(given):
            rest = [item for item in request.query_params.multi_items() if item[0] != "token"]
            path = request.url.path + (f"?{urlencode(rest)}" if rest else "")
            answer = RedirectResponse(path, 303)
            answer.set_cookie(COOKIE, given, httponly=True, samesite="strict")
            return answer
        if self._is_right(request.cookies.get(COOKIE, "")):
            return None
        return PlainTextResponse("open the address that review printed, with its token", 401)

    def _is_right(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._rules.token.encode())


def _is_own(request: Request) -> bool:
    """Tell whether a request comes from one of this server's own pages."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def _is_small(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return length.isdecimal() and int(length) <= MOST_BYTES


def _is_visit(request: Request) -> bool:
    """Tell whether somebody follows a link to here, which shows him a page and changes nothing."""
    return request.headers.get("sec-fetch-mode") == "navigate" and request.method == "GET"
