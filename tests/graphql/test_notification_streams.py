"""What a person is told as it happens: their own alone, each once, in order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from app.graphql.guard import operation_guard
from app.metrics import Metrics
from schema.ids import Kind, encode
from schema.root import build_schema
from tests.graphql.inboxes import FOLLOW, RAW, received, seen, tell
from tests.graphql.world import Client
from tests.storage import worlds
from tests.waiting import until
from windtunnel.domain.entities import Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.viewers import Role
from windtunnel.operations.notify import announce_notifications, notify


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
    with pytest.raises(ValueError, match="UNAUTHENTICATED"):
        await anext(received(nobody))
    document = "mutation { markNotificationsRead(input: { throughSeq: 1 }) { errors { code } } }"
    assert (await nobody.ask(document)).codes == ["UNAUTHENTICATED"]
    auditor = Client(client.services, replace(client.signed_in, roles=frozenset({Role.AUDITOR})))
    assert (await auditor.ask(document)).data == {"markNotificationsRead": {"errors": []}}
