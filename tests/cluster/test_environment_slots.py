"""Ten environments for a tenant, however many ask at once, of one API process or of two on PostgreSQL."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.clients import visitor
from tests.databases import postgres_database
from tests.processes import Api
from tests.waiting import a_moment

PROVISION = """mutation ($input: ProvisionEnvironmentInput!) { provisionEnvironment(input: $input) {
  environment { id } errors { code ... on QuotaError { limit used } } } }"""
DELETE = """mutation ($input: DeleteEnvironmentInput!) { deleteEnvironment(input: $input) {
  environment { id status } errors { code } } }"""
HAVE = "{ environments { totalCount } viewer { quotas { environments { used limit } } } }"
AT_ONCE = 24


@pytest.fixture(scope="module", params=["embedded", "cluster"])
def urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """One server on SQLite with its worker inside, or two on PostgreSQL and Redis without one."""
    directory = tmp_path_factory.mktemp("slots")
    settings = {"WINDTUNNEL_DATA_DIR": str(directory)}
    with ExitStack() as stack:
        if request.param == "cluster":
            server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres_template")
            settings["WINDTUNNEL_DATABASE_URL"] = stack.enter_context(postgres_database(server, template))
            settings["WINDTUNNEL_REDIS_URL"] = request.getfixturevalue("redis_url")
            yield [stack.enter_context(Api(settings, "--no-worker")).url for _ in range(2)]
        else:
            yield [stack.enter_context(Api(settings)).url]


async def _asked(client: httpx.AsyncClient, url: str, query: str, **given: Any) -> Any:
    answer = (await client.post(f"{url}/graphql", json={"query": query, "variables": {"input": given}})).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def test_a_key_leads_to_one_environment_and_it_is_deleted_once(urls: list[str]) -> None:
    async with visitor() as client:
        asked = {"name": "again and again", "idempotencyKey": "k"}
        answers = await asyncio.gather(*(_asked(client, urls[n % len(urls)], PROVISION, **asked) for n in range(8)))
        (environment_id,) = {each["provisionEnvironment"]["environment"]["id"] for each in answers}
        answers = await asyncio.gather(
            *(_asked(client, urls[n % len(urls)], DELETE, environmentId=environment_id) for n in range(8))
        )
        assert [each["deleteEnvironment"]["errors"] for each in answers] == [[]] * 8
        statuses = {each["deleteEnvironment"]["environment"]["status"] for each in answers}
        assert statuses <= {"DELETING", "DELETED"}
        have = await _asked(client, urls[0], HAVE)
        assert have["environments"]["totalCount"] == 1
        while len(urls) == 1 and have["viewer"]["quotas"]["environments"]["used"]:  # its worker takes it away
            await a_moment()
            have = await _asked(client, urls[0], HAVE)


async def test_of_many_who_ask_at_once_one_gets_the_last_slot(urls: list[str]) -> None:
    async with visitor() as client:
        before = await _asked(client, urls[0], HAVE)
        used = before["viewer"]["quotas"]["environments"]["used"]
        for number in range(9 - used):
            made = await _asked(client, urls[number % len(urls)], PROVISION, name=f"number {number}")
            assert made["provisionEnvironment"]["errors"] == []
        answers = await asyncio.gather(
            *(_asked(client, urls[n % len(urls)], PROVISION, name=f"at once {n}") for n in range(AT_ONCE))
        )
        got = [each["provisionEnvironment"]["environment"] for each in answers]
        refused = [each["provisionEnvironment"]["errors"] for each in answers]
        assert len([each for each in got if each]) == 1
        assert [each for each in refused if each] == [[{"code": "QUOTA_EXCEEDED", "limit": 10, "used": 10}]] * 23
        have = await _asked(client, urls[-1], HAVE)
        assert have["environments"]["totalCount"] == before["environments"]["totalCount"] + 10 - used
        assert have["viewer"]["quotas"] == {"environments": {"used": 10, "limit": 10}}
