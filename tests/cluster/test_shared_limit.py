"""Two API processes, one bucket of points in Redis; and what they do when Redis is gone."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

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
        yield [stack.enter_context(httpx.Client(base_url=api.url, timeout=60)) for api in apis]


def test_processes_spend_from_one_bucket_and_go_on_without_the_server_that_keeps_it(
    clients: list[httpx.Client], redis_server: RedisServer
) -> None:
    answers: list[httpx.Response] = []
    while not answers or answers[-1].status_code == 200:
        answers += [client.post("/graphql", json=QUERY) for client in clients]
    # One point comes back each second, so that the test may take as many seconds as it finds points too many.
    assert LIMIT <= sum(answer.status_code == 200 for answer in answers) < 2 * LIMIT
    lefts = [answer.json()["extensions"]["cost"]["remaining"] for answer in answers]
    assert lefts[9] < LIMIT - 5  # of ten answers, five by each

    redis_server.kill()
    for client in clients:
        answer = client.post("/graphql", json=QUERY)  # each process remembers what was left
        assert answer.json()["extensions"]["cost"]["remaining"] < 10
    redis_server.start()
    # The new server knows of nothing spent; each process finds it by itself.
    while clients[0].post("/graphql", json=QUERY).json()["extensions"]["cost"]["remaining"] < 10:
        continue
    shared = clients[0].post("/graphql", json=QUERY).json()["extensions"]["cost"]["remaining"]
    assert shared >= LIMIT - 10
