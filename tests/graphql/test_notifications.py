"""What a person is told: their own alone, each once, in order."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from app.graphql.guard import operation_guard
from app.graphql.masking import public_errors
from app.metrics import Metrics
from schema.ids import Kind, encode
from schema.root import build_schema
from tests.graphql.world import Client, told
from tests.operations.world import until
from tests.queries import counted
from tests.storage import worlds
from windtunnel.domain.entities import Subject
from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.viewers import Role
from windtunnel.operations.notify import announce_notifications, notify
from windtunnel.operations.services import Services

RAW = "01938f2c-7b1e-7abc-8def-0123456789ab"
EVERYTHING = """query ($first: Int, $after: String, $unreadOnly: Boolean) {
  viewer { unreadNotifications }
  notifications(first: $first, after: $after, unreadOnly: $unreadOnly) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id seq kind title body createdAt readAt subject { __typename id } } } }"""
FOLLOW = "subscription ($after: Int) { notificationReceived(after: $after) { id seq title subject { id } } }"


async def tell(services: Services, title: str, *people: Client, subject: Subject | None = None) -> Sequence[str]:
    """Tell people what happened; the ids of the notifications in the order of people."""
    announcement = await notify(
        services,
        people[0].signed_in.tenant_id,
        NotificationKind.SIMULATION_FINISHED,
        title=title,
        body="It took 12 events.",
        subject=subject or Subject(Kind.SIMULATION, new_id()),
        recipients=[each.signed_in.user.id for each in people],
    )
    await announce_notifications(services.bus, announcement)
    ids = {each.user_id: encode(Kind.NOTIFICATION, each.id) for each in announcement.notifications}
    return [ids[each.signed_in.user.id] for each in people]


async def received(client: Client, after: int | None = None, document: str = FOLLOW) -> AsyncGenerator[Any, None]:
    """Notifications as they come; ValueError with its code when the stream ends in an error."""
    async with aclosing(await client.schema.stream(document, {"after": after}, client.context())) as results:
        async for result in results:
            assert isinstance(result, ExecutionResult | PreExecutionError)
            for error in public_errors(result.errors or [], "test"):
                raise ValueError(str((error.extensions or {}).get("code")))
            assert result.data
            yield result.data["notificationReceived"]


@pytest.fixture
def bo(client: Client, runner: asyncio.Runner) -> Client:
    """Somebody of the same tenant, with the same roles."""
    return Client(client.services, runner.run(worlds.colleague(client.services.store, client.signed_in)))


@pytest.fixture
def eve(client: Client, runner: asyncio.Runner) -> Client:
    """Somebody of another tenant."""
    return Client(client.services, runner.run(worlds.stranger(client.services.store)))


async def seen(client: Client, **how: Any) -> Any:
    return await client.get(EVERYTHING, how)


async def mark(client: Client, **input: Any) -> Any:
    return await client.do("markNotificationsRead", "unread", input)


async def test_one_sees_ones_own_newest_first(client: Client, bo: Client, eve: Client) -> None:
    simulation = await told(client.services.store, client.signed_in)
    await tell(client.services, "First", client, subject=Subject(Kind.SIMULATION, simulation.id))
    await tell(client.services, "Second", client, bo)
    data = await seen(client)
    second, first = data["notifications"]["nodes"]
    assert [second["title"], first["title"]] == ["Second", "First"]
    assert [second["seq"], first["seq"]] == [2, 1]
    assert (first["kind"], first["body"], first["readAt"]) == ("SIMULATION_FINISHED", "It took 12 events.", None)
    assert first["subject"] == {"__typename": "Simulation", "id": encode(Kind.SIMULATION, simulation.id)}
    assert second["subject"] is None
    assert data["viewer"]["unreadNotifications"] == data["notifications"]["totalCount"] == 2
    theirs = await seen(bo)
    assert [each["title"] for each in theirs["notifications"]["nodes"]] == ["Second"]
    assert theirs["viewer"]["unreadNotifications"] == 1
    assert (await seen(eve))["notifications"]["nodes"] == []


async def test_pages_follow_each_other(client: Client) -> None:
    for number in range(5):
        await tell(client.services, f"Number {number}", client)
    first = (await seen(client, first=3))["notifications"]
    await tell(client.services, "Meanwhile", client)
    rest = (await seen(client, first=3, after=first["pageInfo"]["endCursor"]))["notifications"]
    assert [each["seq"] for each in first["nodes"] + rest["nodes"]] == [5, 4, 3, 2, 1]
    assert [first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]] == [True, False]
    await mark(client, throughSeq=4)
    unread = (await seen(client, unreadOnly=True))["notifications"]
    assert ([each["seq"] for each in unread["nodes"]], unread["totalCount"]) == ([6, 5], 2)
    assert len((await seen(client, unreadOnly=None))["notifications"]["nodes"]) == 6


async def test_what_is_marked_stays_marked(client: Client) -> None:
    ids = [(await tell(client.services, f"Number {number}", client))[0] for number in range(4)]
    assert await mark(client, ids=[ids[3]]) == {"unread": 3, "errors": []}
    before = (await seen(client))["notifications"]["nodes"]
    assert [each["readAt"] is not None for each in before] == [True, False, False, False]
    assert await mark(client, ids=[ids[3], ids[3]]) == {"unread": 3, "errors": []}
    assert (await seen(client))["notifications"]["nodes"] == before
    assert await mark(client, ids=[ids[2]], throughSeq=1) == {"unread": 1, "errors": []}
    assert await mark(client, ids=[]) == {"unread": 1, "errors": []}
    assert await mark(client, throughSeq=2**31 - 1) == {"unread": 0, "errors": []}
    assert (await seen(client))["viewer"]["unreadNotifications"] == 0


async def test_what_is_not_ones_own_cannot_be_marked(client: Client, bo: Client, eve: Client) -> None:
    mine, theirs = await tell(client.services, "Both", client, bo)
    for somebody, foreign in (
        (client, theirs),
        (eve, mine),
        (client, encode(Kind.NOTIFICATION, RAW)),
        (client, encode(Kind.SIMULATION, RAW)),
        (client, "x"),
    ):
        refused = await mark(somebody, ids=[mine, foreign] if somebody is client else [foreign])
        (error,) = refused["errors"]
        assert (error["code"], error["resourceId"]) == ("NOT_FOUND", foreign)
        assert error["path"] == ["input", "ids", "1" if somebody is client else "0"]
        assert error["message"] == "There is no notification with this id."
    assert (await seen(client))["viewer"]["unreadNotifications"] == 1
    await mark(eve, throughSeq=99)
    await mark(bo, throughSeq=99)
    assert (await seen(client))["viewer"]["unreadNotifications"] == 1


@pytest.mark.parametrize(
    ("input", "rule", "path"),
    [
        ({}, "nothing_named", ["input"]),
        ({"ids": None, "throughSeq": None}, "nothing_named", ["input"]),
        ({"throughSeq": -1}, "sequence", ["input", "throughSeq"]),
        ({"ids": [encode(Kind.NOTIFICATION, RAW)] * 101}, "too_many_ids", ["input", "ids"]),
    ],
)
async def test_a_bad_marking_is_refused(client: Client, input: Any, rule: str, path: list[str]) -> None:
    await tell(client.services, "Unread", client)
    refused = await mark(client, **input)
    (error,) = refused["errors"]
    assert (error["code"], error["rule"], error["path"]) == ("BAD_USER_INPUT", rule, path)
    assert refused["unread"] == 1


async def test_only_ones_own_is_a_node(client: Client, bo: Client, eve: Client) -> None:
    mine, theirs = await tell(client.services, "Both", client, bo)
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Notification { seq title } } }"
    for somebody, expected in ((client, [True, False]), (bo, [False, True]), (eve, [False, False])):
        with counted(client.services.store) as statements:
            data = await somebody.get(document, {"ids": [mine, theirs, encode(Kind.NOTIFICATION, RAW)]})
        assert [each is not None for each in data["nodes"]] == [*expected, False]
        assert len(statements) == 1


async def test_more_notifications_cost_no_more_statements(client: Client) -> None:
    store = client.services.store
    for number in range(4):
        scenario = await worlds.scenario(store, client.signed_in, f"Number {number}.")
        simulation = await told(store, client.signed_in, scenario.id, seed=number)
        await tell(client.services, "Over", client, subject=Subject(Kind.SIMULATION, simulation.id))
        await tell(client.services, "New", client, subject=Subject(Kind.SCENARIO, scenario.id))
    document = (
        "{ notifications { nodes { subject { __typename ... on Simulation { scenario { id } createdBy { id } }"
        " ... on Scenario { title createdBy { name } } } } } }"
    )
    with counted(store) as statements:
        data = await client.get(document)
    assert len([each for each in data["notifications"]["nodes"] if each["subject"]]) == 8
    assert len(statements) == 4, statements
    with counted(store) as statements:
        await client.get("{ viewer { unreadNotifications } notifications { nodes { title } } }")
    assert len(statements) == 2
    with counted(store) as statements:
        await client.get("{ notifications { nodes { title } } }")
    assert "COUNT" not in statements[0]


async def test_marking_costs_few_statements(client: Client) -> None:
    ids = [(await tell(client.services, f"Number {number}", client))[0] for number in range(10)]
    with counted(client.services.store) as statements:
        await client.get(
            "mutation ($ids: [ID!]) { markNotificationsRead(input: { ids: $ids }) { errors { code } } }", {"ids": ids}
        )
    assert len(statements) <= 3, statements


async def following(
    client: Client, after: int | None = None, document: str = FOLLOW
) -> tuple[AsyncGenerator[Any, None], asyncio.Task[Any]]:
    """A stream that listens by now, and its next notification to come."""
    before = client.services.hub.followers
    stream = received(client, after, document)
    coming = asyncio.create_task(next_of(stream))
    await until(lambda: client.services.hub.followers > before)
    return stream, coming


async def next_of(stream: AsyncGenerator[Any, None]) -> Any:
    return await anext(stream)


async def test_what_is_new_arrives_and_nothing_old(client: Client) -> None:
    await tell(client.services, "Old", client)
    stream, coming = await following(client)
    await tell(client.services, "New", client)
    assert (await coming)["title"] == "New"
    await tell(client.services, "Newer", client)
    assert (await anext(stream))["seq"] == 3
    await stream.aclose()
    assert client.services.hub.followers == 0


async def test_a_stream_goes_on_where_it_was_left(client: Client) -> None:
    for number in range(1, 6):
        await tell(client.services, f"Number {number}", client)
    async with aclosing(received(client, 0)) as stream:
        assert [(await anext(stream))["seq"] for _ in range(5)] == [1, 2, 3, 4, 5]
    async with aclosing(received(client, 3)) as stream:
        assert [(await anext(stream))["title"] for _ in range(2)] == ["Number 4", "Number 5"]
    stream, coming = await following(client, 6)
    await tell(client.services, "Number 6", client)
    await tell(client.services, "Number 7", client)
    assert (await coming)["seq"] == 7
    await stream.aclose()
    with pytest.raises(ValueError, match="BAD_USER_INPUT"):
        await anext(received(client, -1))


async def test_the_same_document_shows_each_their_own(client: Client, bo: Client, eve: Client) -> None:
    """Executions of simulation events are shared among those who ask the same; these must never be."""
    schema = build_schema([operation_guard(Metrics())])  # the same text is the same document, as in the server
    people = [replace(each, schema=schema) for each in (client, bo, eve)]
    # Nothing that has to be waited for: only such results could be shared.
    plain = "subscription ($after: Int) { notificationReceived(after: $after) { id seq title } }"
    streams = [await following(each, document=plain) for each in people]
    for number in range(3):
        for person in people:
            await tell(person.services, f"{number} for {person.signed_in.user.id}", person)
    for person, (stream, coming) in zip(people, streams, strict=True):
        got = [await coming, await anext(stream), await anext(stream)]
        mine = person.signed_in.user.id
        assert [(each["seq"], each["title"]) for each in got] == [(n + 1, f"{n} for {mine}") for n in range(3)]
        own = {each["id"] for each in (await seen(person))["notifications"]["nodes"]}
        assert {each["id"] for each in got} == own
        await stream.aclose()


async def test_the_subject_is_read_anew(client: Client) -> None:
    scenario = await worlds.scenario(client.services.store, client.signed_in)
    subject = Subject(Kind.SCENARIO, scenario.id)
    stream, coming = await following(client)
    await tell(client.services, "There", client, subject=subject)
    assert (await coming)["subject"] == {"id": encode(Kind.SCENARIO, scenario.id)}
    await client.do("deleteScenario", "deletedId", {"scenarioId": encode(Kind.SCENARIO, scenario.id)})
    await tell(client.services, "Gone", client, subject=subject)
    assert (await anext(stream))["subject"] is None
    await stream.aclose()


async def test_what_is_too_long_for_the_bus_is_read_from_the_store(client: Client) -> None:
    stream, coming = await following(client)
    announcement = await notify(
        client.services,
        client.signed_in.tenant_id,
        NotificationKind.SIMULATION_FINISHED,
        title="Long",
        body="x" * 100_000,
        subject=Subject(Kind.SIMULATION, RAW),
        recipients=[client.signed_in.user.id],
    )
    await announce_notifications(client.services.bus, announcement)
    assert (await coming)["title"] == "Long"
    await stream.aclose()


async def test_without_a_role_nothing_is_told_or_marked(client: Client) -> None:
    nobody = Client(client.services, replace(client.signed_in, roles=frozenset()))
    with pytest.raises(ValueError, match="FORBIDDEN"):
        await anext(received(nobody))
    document = "mutation { markNotificationsRead(input: { throughSeq: 1 }) { errors { code } } }"
    assert (await nobody.ask(document)).codes == ["FORBIDDEN"]
    auditor = Client(client.services, replace(client.signed_in, roles=frozenset({Role.AUDITOR})))
    assert (await auditor.ask(document)).data == {"markNotificationsRead": {"errors": []}}
