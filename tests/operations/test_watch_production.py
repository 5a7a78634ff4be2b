"""Watching production: every event once and in order, of some agents or of all; who watches is told of rollbacks."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.operations.releases_world import agent_with, claimed, live, production_events, rolled
from tests.operations.world import demo, process
from tests.storage.worlds import colleague, stranger
from tests.waiting import a_moment
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ForbiddenError, NotFoundError
from windtunnel.domain.rollbacks import ProductionEvent, ProductionEventKind
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.restoring import complete
from windtunnel.operations.services import Services
from windtunnel.operations.watch_production import watch_production
from windtunnel.storage import workflows

K = ProductionEventKind


async def first(stream: AsyncGenerator[ProductionEvent], number: int) -> list[ProductionEvent]:
    found: list[ProductionEvent] = []
    async with aclosing(stream):
        async for event in stream:
            found.append(event)
            if len(found) == number:
                break
    return found


async def until_followed(services: Services, viewer: Viewer, agent_id: str, number: int) -> None:
    """Wait until so many people follow what happens to the agent."""
    while len(await workflows.followers(services.store, viewer.tenant_id, agent_id)) < number:
        await a_moment()


async def test_all_that_happens_is_told_in_order(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent, other = [await agent_with(one, viewer, "1.0.0", "2.0.0") for _ in range(2)]
        watching = asyncio.create_task(first(watch_production(one, viewer, after=0), 5))
        await configure_production(one, viewer, [EntryRequest("MODEL", "a", None)])
        await configure_production(one, viewer, [EntryRequest("MODEL", "a", None)])  # changes nothing
        for each in (agent, other):
            await rolled(one, viewer, each)
            await complete(one, await claimed(one))
        told = await watching
        assert [event.seq for event in told] == [1, 2, 3, 4, 5]
        assert [event.kind for event in told] == [
            K.CONFIGURATION_CHANGED,
            K.ROLLBACK_STARTED,
            K.ROLLBACK_COMPLETED,
            K.ROLLBACK_STARTED,
            K.ROLLBACK_COMPLETED,
        ]
        assert told == list(await production_events(one, viewer))
        assert (told[0].agent_id, told[0].version_id) == (None, None)
        assert await first(watch_production(one, viewer, after=3), 2) == told[3:]
        filtered = await first(watch_production(one, viewer, [other.id], after=0), 3)
        assert filtered == [told[0], *told[3:]], "how production is configured concerns every agent"


async def test_from_now_on_only_what_is_new(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        await configure_production(one, viewer, [EntryRequest("MODEL", "a", None)])
        async with aclosing(watch_production(one, viewer)) as stream:
            waiting = asyncio.ensure_future(anext(stream))
            await until_followed(one, viewer, "any", 1)
            await configure_production(one, viewer, [EntryRequest("MODEL", "b", None)])
            assert (await waiting).seq == 2


async def test_who_watches_counts_as_a_workflow_of_these_agents(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        others = [await colleague(one.store, viewer, name) for name in ("Ann", "Bea", "Cid")]
        agent, other = [await agent_with(one, viewer, "1.0.0", "2.0.0") for _ in range(2)]
        streams = [
            watch_production(two, others[0], None, 0),
            watch_production(two, others[0], [agent.id], 0),
            watch_production(one, others[1], [agent.id, other.id], 0),
            watch_production(one, others[2], [other.id], 0),
        ]
        waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await until_followed(one, viewer, other.id, 3)
        await until_followed(one, viewer, agent.id, 2)
        rollback = await rolled(one, viewer, agent)
        known = [Subject(Kind.USER, person.user.id).global_id for person in others]
        assert sorted(rollback.notified) == sorted(known[:2])
        assert {others[0].user.id, others[1].user.id} <= set(rollback.told)
        told = await asyncio.gather(*waiting[:3])
        assert {event.kind for event in told} == {K.ROLLBACK_STARTED}
        waiting[3].cancel()
        await asyncio.wait([waiting[3]])
        for stream in streams:
            await stream.aclose()
        assert await workflows.followers(one.store, viewer.tenant_id, agent.id) == []


async def test_who_was_not_seen_for_a_minute_watches_no_more(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        tenant_id, person = viewer.tenant_id, viewer.user.id
        await workflows.follows(one.store, tenant_id, "dead", person)
        assert await workflows.followers(one.store, tenant_id, "a") == [person]
        one.store.clock_offset += timedelta(seconds=61)
        assert await workflows.followers(one.store, tenant_id, "a") == []
        await workflows.follows(one.store, tenant_id, "dead", person, None)
        assert await workflows.followers(one.store, tenant_id, "a") == [person]
        assert await workflows.followers(one.store, (await stranger(one.store)).tenant_id, "a") == []


async def test_unknown_agents_and_people_without_a_role_are_refused(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0")
        await live(one, viewer, agent, "2.0.0")
        for who, which in ((viewer, [agent.id, "nobody's"]), (await stranger(one.store), [agent.id])):
            with pytest.raises(NotFoundError):
                await first(watch_production(one, who, which, 0), 1)
        with pytest.raises(ForbiddenError):
            await first(watch_production(one, replace(viewer, roles=frozenset()), None, 0), 1)
