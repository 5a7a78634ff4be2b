"""Two API processes, one bucket of points in Redis; and what they do when Redis is gone."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.clients import AFRESH, ANSWER_S
from tests.processes import Api
from tests.servers import RedisServer

LIMIT = 60
QUERY = {"query": "{ viewer { roles } }"}


@pytest.fixture
def clients(postgres_database_url: str, redis_server: RedisServer) -> Iterator[list[httpx.Client]]:
    settings = {
        "WINDTUNNEL_DATABASE_URL": postgres_database_url,
        "WINDTUNNEL_REDIS_URL": redis_server.url,
        "WINDTUNNEL_RATE_LIMIT": str(LIMIT),
    }
    with ExitStack() as stack:
        apis = [stack.enter_context(Api(settings, "--no-worker")) for _ in range(2)]
        yield [stack.enter_context(httpx.Client(base_url=api.url, timeout=ANSWER_S, limits=AFRESH)) for api in apis]


def left(client: httpx.Client) -> int:
    """What remains after one more query."""
    found: int = client.post("/graphql", json=QUERY).json()["extensions"]["cost"]["remaining"]
    return found


def test_processes_spend_from_one_bucket_and_go_on_without_the_server_that_keeps_it(
    clients: list[httpx.Client], redis_server: RedisServer
) -> None:
    one, other = clients
    for _ in range(20):
        left(one)
    # An answer of Redis may be late on a busy machine; the next one is not.
    assert min(left(other) for _ in range(5)) < LIMIT - 15
    while one.post("/graphql", json=QUERY).status_code == 200:
        continue
    assert min(left(other) for _ in range(5)) < LIMIT // 2

    redis_server.kill()
    assert left(one) < LIMIT // 2  # each process remembers what was left
    assert left(other) < LIMIT // 2
    redis_server.start()
    # The new server knows of nothing spent; each process finds it by itself.
    while left(one) < LIMIT // 2:
        continue
    assert left(one) > LIMIT - 10
