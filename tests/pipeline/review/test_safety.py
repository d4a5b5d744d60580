"""Who is answered: own pages only, on this machine, or with the token."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.review.app import make_app
from pipeline.review.pictures import Pictures
from pipeline.review.safety import COOKIE, HEADERS, Rules, is_loopback
from pipeline.review.server import Desk, OpenToOthersError, serve
from pipeline.store import database
from pipeline.store.database import database_url, opened
from tests.pipeline.review.conftest import decided

PORT = 8077
HOME = f"http://127.0.0.1:{PORT}"
HOLDER = "ab" * 8


def client_of(output: Path, **rules: str) -> Iterator[TestClient]:
    """Speak to the application as a browser on that machine would."""
    with opened(database_url(output)) as engine:
        app = make_app(
            engine,
            Pictures(engine),
            Rules(rules.get("host", "127.0.0.1"), PORT, rules.get("token", "")),
            output="results",
            reviewer="Ada",
        )
        yield TestClient(app, base_url=HOME, headers={"origin": HOME}, follow_redirects=False)


@pytest.fixture
def client(queued: Path) -> Iterator[TestClient]:
    """A browser on the server's own page."""
    yield from client_of(queued)


@pytest.fixture
def outside(queued: Path) -> Iterator[TestClient]:
    """A browser before a server that others can reach."""
    yield from client_of(queued, host="192.0.2.7", token="right token")


def items(client: TestClient, **headers: str) -> int:
    """Ask for a field; give the status."""
    body = {"holder": HOLDER, "count": 1}
    return client.post("/items", json=body, headers=headers).status_code


def test_own_pages_are_answered(client: TestClient) -> None:
    """With every header that keeps browsers in bounds."""
    answer = client.get("/")
    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert items(client) == 200


@pytest.mark.parametrize("host", [f"evil.example:{PORT}", "127.0.0.1:1", "evil.example", "", "a:b"])
def test_rebound_names_are_refused(client: TestClient, host: str) -> None:
    """A name that somebody else lets point at this machine is not answered."""
    assert client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
def test_other_sites_change_nothing(client: TestClient, origin: str) -> None:
    """Their origin is refused, and none is too."""
    assert items(client, origin=origin) == 403


def test_other_sites_get_no_pictures(client: TestClient) -> None:
    """Embedded elsewhere they are refused; a link from elsewhere may be followed."""
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.get("/picture/page/1", headers=embedded).status_code == 403
    visited = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=visited).status_code == 200


def test_others_need_the_token(outside: TestClient) -> None:
    """Wrong and missing are refused; the right one becomes a cookie and leaves the address."""
    assert outside.get("/").status_code == 401
    assert outside.get("/?token=wrong").status_code == 401
    assert items(outside) == 401
    answer = outside.get("/search", params={"token": "right token", "text": "card"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/search?text=card")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert outside.cookies[COOKIE]
    assert outside.get("/").status_code == 200


def test_without_a_token_only_this_machine(queued: Path) -> None:
    """Binding to an address that others can reach is refused, with a token to take."""
    everybody = Desk(queued, database_url(queued), host="0.0.0.0", browser=False)
    with pytest.raises(OpenToOthersError, match="--token") as caught:
        serve(everybody, tell=lambda _: None)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback_addresses(host: str, loopback: bool) -> None:
    """Which addresses only this machine can reach."""
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    "path",
    [
        "/picture/field/../../etc/passwd",
        "/picture/field/%2e%2e%2fpasswd",
        "/picture/page/999999",
        "/picture/field/999999",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/fields/x",
    ],
)
def test_no_path_reaches_the_files(client: TestClient, path: str) -> None:
    """Pictures are known by number only."""
    assert client.get(path).status_code in {404, 422}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"holder": HOLDER, "field": 1, "raw": "1" * 300, "seen": None, "token": HOLDER},
        {"holder": HOLDER, "field": -1, "raw": "1", "seen": None, "token": HOLDER},
        {"holder": HOLDER, "field": 1, "raw": "1", "seen": None, "token": "x y"},
        {"holder": HOLDER, "field": 2**40, "raw": "1", "seen": None, "token": HOLDER},
    ],
)
def test_odd_messages_are_refused(queued: Path, client: TestClient, body: object) -> None:
    """What is no decision changes nothing."""
    assert client.post("/decide", json=body).status_code == 422
    assert decided(queued) == {}


def test_a_picture_that_is_gone(read_cards, client: TestClient) -> None:
    """Where the scan was deleted, the boxes as the network saw them are shown, and what to do."""
    pictures = client.app.state.shared.pictures
    here = client.get("/picture/field/1").content
    pictures._scans = Path("/nowhere")
    pictures._decoded._kept.clear()
    gone = client.get("/picture/field/1")
    assert gone.status_code == 200
    assert gone.content != here
    drawn = client.post("/items", json={"holder": HOLDER, "count": 1}).json()[0]
    assert "is no longer at /nowhere" in drawn["markup"]
    body = {"field": drawn["id"], "raw": drawn["raw"], "seen": None, "token": HOLDER}
    assert client.post("/decide", json={"holder": HOLDER, **body}).status_code == 200


def test_a_locked_database_is_told(queued: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program writes for long, the page hears it; its decision is taken after."""
    monkeypatch.setattr(database, "PATIENCE_S", 0.1)
    client = next(speaking := client_of(queued))
    drawn = client.post("/items", json={"holder": HOLDER, "count": 1}).json()[0]
    body = {"holder": HOLDER, "field": drawn["id"], "raw": drawn["raw"], "seen": None}
    other = sqlite3.connect(queued / "results.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = client.post("/decide", json={**body, "token": HOLDER})
    assert answer.status_code == 503
    assert "another program holds" in answer.json()["problem"]
    other.execute("ROLLBACK")
    other.close()
    assert client.post("/decide", json={**body, "token": HOLDER}).status_code == 200
    speaking.close()
    assert len(decided(queued)) == 1
