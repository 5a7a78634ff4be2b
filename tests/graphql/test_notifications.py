"""What a person is told: their own alone, each once, in order."""

from typing import Any

import pytest

from schema.ids import Kind, encode
from tests.graphql.inboxes import RAW, mark, seen, tell
from tests.graphql.world import Client, told
from tests.queries import counted
from tests.storage import worlds
from windtunnel.domain.entities import Subject


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
    for somebody, foreign, hint in (
        (client, theirs, ""),
        (eve, mine, ""),
        (client, encode(Kind.NOTIFICATION, RAW), ""),
        (client, encode(Kind.SIMULATION, RAW), ": it is the id of another kind, Simulation"),
        (client, "x", ": ids are what answers have as `id`"),
    ):
        refused = await mark(somebody, ids=[mine, foreign] if somebody is client else [foreign])
        (error,) = refused["errors"]
        assert (error["code"], error["resourceId"]) == ("NOT_FOUND", foreign)
        assert error["path"] == ["input", "ids", "1" if somebody is client else "0"]
        assert error["message"] == f"There is no notification with this id{hint}."
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
    assert len(statements) <= 5, statements
