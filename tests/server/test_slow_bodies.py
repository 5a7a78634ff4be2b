"""Bodies that stall: they are answered when their time is over, and the connection ends."""

import json
import socket
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from app import requests
from app.guards import Guards
from app.limiting.limiter import Limiter
from app.metrics import Metrics
from app.rest import Rest
from tests.server.visitors import entrance
from tests.server.world import Serving
from windtunnel.operations.services import Services

HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.0)


def problem(port: int, path: bytes) -> dict[str, Any]:
    """What a stalled body is told, once the server has closed the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(HEAD % path)
        while received := connection.recv(65536):
            answer += received
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head.lower()
    told: dict[str, Any] = json.loads(body)
    return told


def test_a_graphql_body_that_stalls_times_out(serving: Serving) -> None:
    message = "The body did not arrive within 0 seconds."
    assert problem(serving.port, b"/graphql") == {"errors": [{"message": message, "extensions": {"code": "TIMEOUT"}}]}


def test_a_rest_body_that_stalls_times_out() -> None:
    services = cast("Services", None)  # never reached
    rest = Rest(services, entrance(), Metrics(), Limiter())
    routes = [Route("/simulate", rest.simulate, methods=["POST"])]
    with Serving(Starlette(routes=routes, middleware=[Middleware(Guards, loopback_only=True)])) as serving:
        told = problem(serving.port, b"/simulate")
    assert told == {"error": {"code": "TIMEOUT", "message": "The body did not arrive within 0 seconds."}}
