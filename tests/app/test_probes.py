"""Who may read the metrics, which count over all tenants."""

from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.metrics import Metrics
from app.probes import Probes
from tests.operations.world import process

TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def status(url: str, address: str, headers: Mapping[str, str], token: str | None) -> int:
    """What `/metrics` answers to a request from there."""
    async with process(url) as services:
        probes = Probes(services, Metrics(), token)
        app = Starlette(routes=[Route("/metrics", probes.metrics), Route("/healthz", probes.health)])
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            assert (await client.get("/healthz")).status_code == 200
            answer = await client.get("/metrics", headers=headers)
    assert ("windtunnel_simulations" in answer.text) == (answer.status_code == 200)
    assert answer.headers.get("WWW-Authenticate") == (None if answer.status_code == 200 else "Bearer")
    return answer.status_code


@pytest.mark.parametrize(
    ("address", "headers", "expected"),
    [
        ("127.0.0.1", {}, 200),
        ("127.1.2.3", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("192.0.2.1", {}, 401),
        ("::ffff:192.0.2.1", {}, 401),
        ("testclient", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 401),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 401),
        ("192.0.2.1", BEARER, 401),
    ],
)
async def test_without_a_token_they_are_for_this_machine(
    sqlite_url: str, address: str, headers: dict[str, str], expected: int
) -> None:
    assert await status(sqlite_url, address, headers, None) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (BEARER, 200),
        ({"Authorization": f"bearer  {TOKEN}"}, 200),
        ({**BEARER, "X-Forwarded-For": "192.0.2.9"}, 200),
        ({}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}0"}, 401),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, 401),
    ],
)
async def test_with_a_token_they_are_for_those_who_have_it(
    sqlite_url: str, headers: dict[str, str], expected: int
) -> None:
    for address in ("192.0.2.1", "127.0.0.1"):
        assert await status(sqlite_url, address, headers, TOKEN) == expected
