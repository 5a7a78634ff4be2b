"""Asking a provider for its keys: only where it is safe, only keys that can be trusted, and never too much."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from app.sign_in.addresses import is_safe
from app.sign_in.provider import MAX_BYTES, Provider
from windtunnel.domain.errors import UnavailableError

DISCOVERY = "/.well-known/openid-configuration"


class Website:
    """Answers each path with what the test wants: JSON, bytes, or a status with a `Location`."""

    def __init__(self) -> None:
        answers = self.answers = dict[str, Any]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = answers.get(self.path)
                if answer is None or isinstance(answer, str):
                    self.send_response(404 if answer is None else 302)
                    self.send_header("Location", answer or "/")
                    self.end_headers()
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        answers[DISCOVERY] = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}


@pytest.fixture
def website() -> Iterator[Website]:
    made = Website()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


async def kids(website: Website) -> list[str | None]:
    provider = Provider(website.url)
    try:
        return [named.kid for named in await provider.keys()]
    finally:
        await provider.close()


async def test_public_keys_for_signatures_are_taken(website: Website) -> None:
    good = {**RSAKey.generate_key(2048, {"kid": "good"}).as_dict(private=False), "use": "sig", "alg": "RS256"}
    curve = {**ECKey.generate_key("P-256", {"kid": "curve"}).as_dict(private=False), "x5c": ["not a certificate"]}
    short = {**good, "kid": "short", "n": good["n"][:170]}
    nameless = {name: value for name, value in good.items() if name != "kid"}
    shared = OctKey.generate_key(256, {"kid": "shared"}).as_dict()
    website.answers["/jwks"] = {
        "keys": [
            good,
            curve,
            nameless,
            short,
            shared,
            {**good, "kid": "encrypts", "use": "enc"},
            {**curve, "kid": "elsewhere", "crv": "P-999"},
            {"kty": "RSA", "kid": "empty"},
            {"kty": "AKP", "kid": "later"},
            "rubbish",
            None,
        ]
    }
    assert await kids(website) == ["good", "curve", None]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (DISCOVERY, None),
        (DISCOVERY, "/elsewhere"),
        (DISCOVERY, b"<html>"),
        (DISCOVERY, [1]),
        (DISCOVERY, {"issuer": "https://somebody.else", "jwks_uri": "https://somebody.else/jwks"}),
        (DISCOVERY, {}),
        (DISCOVERY, b" " * (MAX_BYTES + 1)),
        ("/jwks", None),
        ("/jwks", "/elsewhere"),
        ("/jwks", b"\xff"),
    ],
    ids=str,
)
async def test_any_other_answer_is_an_outage(website: Website, path: str, answer: Any) -> None:
    website.answers["/elsewhere"] = website.answers["/jwks"] = {"keys": []}
    assert await kids(website) == []
    website.answers[path] = answer
    with pytest.raises(UnavailableError):
        await kids(website)


@pytest.mark.parametrize("address", ["http://keys.example/jwks", "file:///etc/passwd", "", 7, None])
async def test_keys_are_not_fetched_where_anybody_could_change_them(website: Website, address: object) -> None:
    website.answers[DISCOVERY] = {"issuer": website.url, "jwks_uri": address}
    with pytest.raises(UnavailableError, match="no safe address"):
        await kids(website)


async def test_keys_that_are_no_list_are_none(website: Website) -> None:
    website.answers["/jwks"] = {"keys": "none"}
    assert await kids(website) == []


async def test_a_provider_that_is_down_is_an_outage() -> None:
    provider = Provider("http://127.0.0.1:9")
    with pytest.raises(UnavailableError):
        await provider.keys()
    await provider.close()


def test_what_is_safe() -> None:
    safe = ("https://login.example/x", "http://127.0.0.1:9/", "http://localhost", "http://[::1]:8/")
    unsafe = ("http://login.example", "http://127.0.0.1.example", "ftp://localhost", "https://", "http://[", "")
    assert [url for url in (*safe, *unsafe) if is_safe(url)] == list(safe)
