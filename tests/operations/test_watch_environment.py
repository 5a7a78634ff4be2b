"""Watching an environment: from wherever one asks, without gap or repeat, until nothing of it is left."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.operations.world import demo, process
from tests.storage.environment_worlds import became, gone, provisioning, ready
from tests.storage.worlds import stranger
from tests.waiting import until
from windtunnel.domain.environments import Environment, EnvironmentEvent, EnvironmentEventDraft, EnvironmentStatus
from windtunnel.domain.errors import ForbiddenError, NotFoundError, UnavailableError
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.announce import READ_THE_LOG, announce_environment, environment_channel, environment_decoder
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.resume_environment import resume_environment
from windtunnel.operations.services import Services
from windtunnel.operations.watch_environment import watch_environment
from windtunnel.storage import environment_events


async def watched(services: Services, viewer: Viewer, environment: Environment, **how: Any) -> list[EnvironmentEvent]:
    async with aclosing(watch_environment(services, viewer, environment.id, **how)) as stream:
        return [event async for event in stream]


async def told(services: Services, environment: Environment, status: EnvironmentStatus) -> EnvironmentEvent:
    """What a caretaker tells."""
    draft = EnvironmentEventDraft(status, "step", "Something was done.", 0.5)
    event = await environment_events.append(services.store, environment.tenant_id, environment.id, draft)
    await announce_environment(services.bus, environment.id, [event])
    return event


async def removed(services: Services, environment: Environment) -> None:
    """The last thing that a caretaker does, and tells."""
    event = await told(services, environment, EnvironmentStatus.DELETED)
    await gone(services.store, environment)
    assert event.seq == (await environment_events.read(services.store, environment.tenant_id, environment.id))[-1].seq


async def test_what_is_over_is_told_from_wherever_one_asks(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        await pause_environment(one, viewer, made.id)
        going = await delete_environment(one, viewer, made.id)
        await removed(one, going)
        events = await environment_events.read(one.store, viewer.tenant_id, made.id)
        assert [event.step for event in events] == ["request", "pause", "delete", "step"]
        assert await watched(one, viewer, made) == events
        assert await watched(one, viewer, made, after=2) == events[2:]
        assert await watched(one, viewer, made, after=-1) == events
        for nothing_left in (4, 5, 2**70, None):
            assert await watched(one, viewer, made, after=nothing_left) == []
        assert one.hub.followers == 0


async def test_an_environment_is_followed_to_its_end_from_several_places(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        every, new, beyond = (
            asyncio.create_task(watched(one, viewer, made, after=after)) for after in (0, None, 10**9)
        )
        await until(lambda: one.hub.followers == 3)
        await pause_environment(one, viewer, made.id)
        await resume_environment(one, viewer, made.id)
        going = await delete_environment(one, viewer, made.id)
        await told(one, going, EnvironmentStatus.DELETING)
        await removed(one, going)
        events = await environment_events.read(one.store, viewer.tenant_id, made.id)
        assert [event.seq for event in events] == [1, 2, 3, 4, 5, 6]
        assert await every == events
        assert await new == events[1:]
        assert await beyond == []
        assert one.hub.followers == 0


async def test_what_has_failed_is_followed_until_it_is_gone(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        made = await provisioning(one.store, viewer)
        following = asyncio.create_task(watched(one, viewer, made))
        await until(lambda: one.hub.followers == 1)
        await told(one, made, EnvironmentStatus.FAILED)
        failed = await became(one.store, made, "FAILED")
        await told(one, failed, EnvironmentStatus.DELETING)
        await removed(one, failed)
        assert [event.status for event in await following] == ["PROVISIONING", "FAILED", "DELETING", "DELETED"]


async def test_everybody_in_the_tenant_may_watch_and_nobody_else(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, eve = await demo(one), await stranger(one.store)
        made = await ready(one.store, viewer)
        for role in Role:
            who = replace(viewer, roles=frozenset({role}))
            async with aclosing(watch_environment(one, who, made.id)) as stream:
                assert (await anext(stream)).seq == 1
        with pytest.raises(ForbiddenError):
            await anext(watch_environment(one, replace(viewer, roles=frozenset()), made.id))
        for unknown in (made.id, "x", "", "\ud800", "\0", "x" * 10_000):
            with pytest.raises(NotFoundError):
                await anext(watch_environment(one, eve, unknown))


async def test_a_process_that_shuts_down_sends_watchers_away(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        watching = asyncio.create_task(watched(one, viewer, await ready(one.store, viewer)))
        await until(lambda: one.hub.followers == 1)
    with pytest.raises(UnavailableError):
        await watching


async def test_a_message_carries_events_exactly_unless_they_are_too_large(sqlite_url: str) -> None:
    at = datetime(2026, 11, 1, 12, 30, 15, 678_000, tzinfo=UTC)
    events = [
        EnvironmentEvent("e", seq, at + timedelta(milliseconds=seq), status, "stép", "text " * seq, seq / 3)
        for seq, status in enumerate(EnvironmentStatus, 1)
    ]
    async with process(sqlite_url) as one, one.bus.subscribe(environment_channel("e")) as message:
        await announce_environment(one.bus, "e", events)
        assert environment_decoder("e")(await message()) == events
        await announce_environment(one.bus, "e", [])  # is no message
        await announce_environment(one.bus, "e", [replace(events[0], message="x" * 70_000)])
        assert await message() == READ_THE_LOG
