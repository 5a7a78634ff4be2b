"""Two tenants with 25 subscribers each, under load: every event is looked at, and none has crossed."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.clients import visitor
from tests.cluster.subscribers import INBOX, PLAIN_INBOX, Subscriber
from tests.processes import Api, WorkerProcess
from windtunnel.domain.scenarios import title_of

PEOPLE = 4
SUBSCRIBERS = 25
SIMULATIONS = 4
LONG_S = 300.0
PACED_S = 4.0
SIMULATE = """mutation ($input: SimulateInput!) { simulate(input: $input) {
  simulation { id } errors { code message } } }"""
READ = """query ($id: ID!) { simulation(id: $id) { status lastSeq } }"""


@dataclass
class Tenant:
    """One of the two, with everything that is theirs. `word` is in all that they write, and in nothing else."""

    word: str
    tokens: list[str] = field(default_factory=list)
    started_by: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    subscribers: list[Subscriber] = field(default_factory=list)

    def email(self, person: int) -> str:
        return f"person{person}@{self.word}.example"

    def started(self, person: int) -> set[str]:
        """The simulations of one of its people."""
        return {simulation_id for simulation_id, starter in self.started_by.items() if starter == person}

    def text(self, number: int) -> str:
        name = self.word.title()
        return (
            f"Customers of {name} email us about {name} invoices (case {number}). Each message goes to the right"
            f" {name} specialist, who looks the customer up and issues a refund. A manager signs large refunds off."
        )


@dataclass(frozen=True)
class Servers:
    """Where to ask, and the database that they share."""

    apis: list[Api]
    database_url: str


@pytest.fixture(params=["embedded", "cluster"])
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """One server on SQLite with its worker inside, or two on PostgreSQL and Redis with a worker beside them."""
    with ExitStack() as stack:
        if request.param == "embedded":
            url = request.getfixturevalue("sqlite_url")
            yield Servers([stack.enter_context(Api({"WINDTUNNEL_DATABASE_URL": url, "WINDTUNNEL_AUTH": "token"}))], url)
            return
        url = request.getfixturevalue("postgres_database_url")
        settings = {
            "WINDTUNNEL_DATABASE_URL": url,
            "WINDTUNNEL_REDIS_URL": request.getfixturevalue("redis_url"),
            "WINDTUNNEL_AUTH": "token",
        }
        apis = [stack.enter_context(Api(settings, "--no-worker")) for _ in range(2)]
        stack.enter_context(WorkerProcess(settings))
        yield Servers(apis, url)


def _sign_people_in(database_url: str, tenants: list[Tenant]) -> None:
    for tenant in tenants:
        for person in range(PEOPLE):
            who = ["--tenant", tenant.word, "--user", tenant.email(person)]
            roles = ["--role", "DEVELOPER", "--role", "AUDITOR"]
            answer = CliRunner().invoke(
                cli, ["token", "create", *who, *roles], env={"WINDTUNNEL_DATABASE_URL": database_url}
            )
            assert answer.exit_code == 0, answer.output
            tenant.tokens.append(answer.stdout.strip())


async def _simulate(client: httpx.AsyncClient, servers: Servers, tenant: Tenant, number: int, pace: float) -> str:
    """The same scenario but for the tenant's word, from the same seed, by one person after the other."""
    person = number % PEOPLE
    answer = await client.post(
        f"{servers.apis[number % len(servers.apis)].url}/graphql",
        json={
            "query": SIMULATE,
            "variables": {
                "input": {
                    "scenario": {"text": tenant.text(number)},
                    "seed": 11,
                    "pace": pace,
                    "waitFor": "ACCEPTED",
                    "idempotencyKey": f"simulation {number}",
                }
            },
        },
        headers={"authorization": f"Bearer {tenant.tokens[person]}"},
    )
    payload = answer.json()["data"]["simulate"]
    assert payload["errors"] == []
    simulation_id: str = payload["simulation"]["id"]
    tenant.started_by[simulation_id] = person
    tenant.texts[simulation_id] = tenant.text(number)
    return simulation_id


async def test_no_event_crosses_between_two_tenants_under_load(servers: Servers) -> None:
    northwind, southmoor = tenants = [Tenant("northwind"), Tenant("southmoor")]
    await asyncio.to_thread(_sign_people_in, servers.database_url, tenants)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(visitor())
        for tenant in tenants:
            tenant.subscribers = await asyncio.gather(
                *(_subscriber(stack, servers, tenant, n) for n in range(SUBSCRIBERS))
            )
        everybody = [*northwind.subscribers, *southmoor.subscribers]
        pace = 0.0  # the first run shows how long the others take
        for number in range(SIMULATIONS):
            for tenant in tenants:
                simulation_id = await _simulate(client, servers, tenant, number, pace if number % 2 else 0.0)
                for subscriber in everybody:  # the other tenant's try, too
                    await subscriber.follow(simulation_id)
            pace = pace or await _pace(southmoor.subscribers[0], simulation_id)
        async with asyncio.timeout(LONG_S):
            await _arrived(tenants)
        for tenant, other in ((northwind, southmoor), (southmoor, northwind)):
            for place, subscriber in enumerate(tenant.subscribers):
                _check_simulations(tenant, other, subscriber)
                _check_inbox(tenant, subscriber, place % PEOPLE)
                _check_words(tenant, other, subscriber)
            await _check_stored(client, servers, tenant, other)


async def _arrived(tenants: list[Tenant]) -> None:
    """Return when every stream has ended, everybody was told of the ends, and nothing else is on its way."""
    all_simulations = [simulation_id for tenant in tenants for simulation_id in tenant.texts]
    for tenant in tenants:
        for place, subscriber in enumerate(tenant.subscribers):
            await asyncio.gather(*map(subscriber.end_of, all_simulations))
            for inbox in (INBOX, PLAIN_INBOX):
                await subscriber.has(inbox, len(tenant.started(place % PEOPLE)))
    await asyncio.gather(*(subscriber.settle() for tenant in tenants for subscriber in tenant.subscribers))


async def _subscriber(stack: AsyncExitStack, servers: Servers, tenant: Tenant, place: int) -> Subscriber:
    url = servers.apis[place % len(servers.apis)].websocket_url
    return await stack.enter_async_context(Subscriber(url, tenant.tokens[place % PEOPLE]))


async def _pace(subscriber: Subscriber, simulation_id: str) -> float:
    """At which runs like this one take about PACED_S."""
    async with asyncio.timeout(LONG_S):
        await subscriber.end_of(simulation_id)
    elapsed_ms: float = subscriber.received[simulation_id][-1]["elapsedMs"]
    return elapsed_ms / 1000 / PACED_S


def _check_simulations(tenant: Tenant, other: Tenant, subscriber: Subscriber) -> None:
    """All of one's own, from the first event to the last, as every colleague has it; none of the others'."""
    assert set(subscriber.received) <= {INBOX, PLAIN_INBOX, *tenant.texts}
    for simulation_id, text in tenant.texts.items():
        told = subscriber.received[simulation_id]
        assert subscriber.ended[simulation_id] is None
        assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
        assert {event["simulationId"] for event in told} == {simulation_id}
        assert told[-1]["kind"] == "SIMULATION_FINISHED"
        (planned,) = [event for event in told if event["kind"] == "ARCHITECTURE_PLANNED"]
        scenario = planned["architecture"]["scenario"]
        assert scenario["text"] == text
        assert scenario["createdBy"]["email"] == tenant.email(tenant.started_by[simulation_id])
        assert told == tenant.subscribers[0].received[simulation_id]
    for simulation_id in other.texts:
        (error,) = subscriber.ended[simulation_id]
        assert error["extensions"]["code"] == "NOT_FOUND"
        assert not subscriber.received[simulation_id]


def _check_inbox(tenant: Tenant, subscriber: Subscriber, person: int) -> None:
    """What the person is told is about what the person started, once each, numbered without gaps."""
    told = subscriber.received[INBOX]
    mine = tenant.started(person)
    assert [each["seq"] for each in told] == list(range(1, len(mine) + 1))
    assert Counter(each["subject"]["id"] for each in told) == Counter(mine)
    for each in told:
        text = tenant.texts[each["subject"]["id"]]
        assert each["title"] == f"Simulation succeeded: {title_of(text)}"
        assert each["subject"]["scenario"]["text"] == text
        assert each["subject"]["createdBy"]["email"] == tenant.email(person)
    assert subscriber.received[PLAIN_INBOX] == [
        {name: value for name, value in each.items() if name != "subject"} for each in told
    ]
    assert not {INBOX, PLAIN_INBOX} & set(subscriber.ended)


def _check_words(tenant: Tenant, other: Tenant, subscriber: Subscriber) -> None:
    """Every single message speaks of one's own things alone."""
    foreign = [other.word, *other.texts]
    for operation, messages in subscriber.received.items():
        written = [orjson.dumps(message).decode() for message in messages]
        for each in written:
            assert not [word for word in foreign if word.lower() in each.lower()], (operation, each)
        assert not written or tenant.word in "".join(written).lower()


async def _check_stored(client: httpx.AsyncClient, servers: Servers, tenant: Tenant, other: Tenant) -> None:
    """What was followed is what is stored, for its own tenant; the other finds nothing there."""
    for simulation_id in tenant.texts:
        length = len(tenant.subscribers[0].received[simulation_id])
        for token, expected in (
            (tenant.tokens[0], {"status": "SUCCEEDED", "lastSeq": length}),
            (other.tokens[0], None),
        ):
            answer = await client.post(
                f"{servers.apis[0].url}/graphql",
                json={"query": READ, "variables": {"id": simulation_id}},
                headers={"authorization": f"Bearer {token}"},
            )
            assert answer.json()["data"]["simulation"] == expected
