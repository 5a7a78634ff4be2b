"""Whose word counts about where a request comes from."""

import httpx
import pytest

from app.limiting.buckets import Buckets
from app.limiting.limiter import Limiter
from tests.limiting.clock import Clock
from tests.server.world import Serving, World, tiny_app

HELLO = {"query": "{ hello }"}


def serving(*proxies: str) -> Serving:
    return Serving(tiny_app(World(), strict=True, limiter=Limiter(Buckets(2, Clock()))), proxies)


def statuses(server: Serving) -> list[int]:
    """Of strangers who each say that they come from somewhere else."""
    asked = (httpx.post(server.url, json=HELLO, headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(4))
    return [response.status_code for response in asked]


def test_nobody_chooses_an_address_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with serving() as server:
        assert statuses(server) == [200, 200, 429, 429]


def test_another_proxy_is_not_believed() -> None:
    with serving("10.1.0.0/16", "192.0.2.1") as server:
        assert statuses(server) == [200, 200, 429, 429]


@pytest.mark.parametrize("proxy", ["127.0.0.1", "127.0.0.0/8"])
def test_a_trusted_proxy_is_believed(proxy: str) -> None:
    with serving("10.1.0.0/16", proxy) as server:
        assert statuses(server) == [200] * 4
