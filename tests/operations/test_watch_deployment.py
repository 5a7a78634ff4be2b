"""Watching a deployment: from wherever one asks, without gap or repeat, until it is live or over."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.operations.pipeline_world import approved, became, registered, submitted, told
from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from tests.waiting import until
from windtunnel.domain.deployments import Deployment, DeploymentEvent
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ForbiddenError, NotFoundError, UnavailableError
from windtunnel.domain.reviews import QueueChange, QueueEvent
from windtunnel.domain.rollbacks import ProductionEvent, ProductionEventKind
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.announce import READ_THE_LOG
from windtunnel.operations.pipeline_logs import (
    announce_deployment,
    announce_production,
    announce_queue,
    deployment_channel,
    deployment_log,
    production_channel,
    production_log,
    queue_channel,
    queue_log,
)
from windtunnel.operations.services import Services
from windtunnel.operations.watch_deployment import watch_deployment
from windtunnel.operations.withdraw_deployment import withdraw_deployment


async def watched(services: Services, viewer: Viewer, made: Deployment, **how: Any) -> list[DeploymentEvent]:
    async with aclosing(watch_deployment(services, viewer, made.id, **how)) as stream:
        return [event async for event in stream]


async def going(services: Services, made: Deployment, *statuses: S) -> Deployment:
    """What workers do, and tell."""
    for status in statuses:
        made = await became(services, made, status)
        await announce_deployment(services.bus, (await told(services, made))[-1])
    return made


async def test_what_is_over_is_told_from_wherever_one_asks(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await submitted(one, viewer)
        await became(one, made, S.VALIDATING, S.INVALID)
        events = await told(one, made)
        assert [event.status for event in events] == [S.SUBMITTED, S.VALIDATING, S.INVALID]
        assert await watched(one, viewer, made) == events
        assert await watched(one, viewer, made, after=2) == events[2:]
        assert await watched(one, viewer, made, after=-1) == events
        for nothing_left in (3, 4, 2**70, None):
            assert await watched(one, viewer, made, after=nothing_left) == []
        assert one.hub.followers == 0


async def test_it_is_followed_to_its_end_from_several_places(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await submitted(one, viewer)
        every, new, beyond = (asyncio.create_task(watched(one, viewer, made, after=at)) for at in (0, None, 10**9))
        await until(lambda: one.hub.followers == 3)
        await going(one, made, S.VALIDATING)
        await withdraw_deployment(one, viewer, made.id)
        events = await told(one, made)
        assert [event.status for event in events] == [S.SUBMITTED, S.VALIDATING, S.WITHDRAWN]
        assert await every == events
        assert await new == events[1:]
        assert await beyond == []
        assert one.hub.followers == 0


async def test_it_goes_on_after_a_failed_attempt_and_ends_once_it_is_live(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await approved(one, viewer, await registered(one, viewer))
        following = asyncio.create_task(watched(one, viewer, made))
        await until(lambda: one.hub.followers == 1)
        await going(one, made, S.DEPLOYING, S.DEPLOY_FAILED, S.DEPLOYING, S.LIVE)
        events = await told(one, made)
        assert await following == events == await watched(one, viewer, made)
        assert [event.status for event in events][-4:] == [S.DEPLOYING, S.DEPLOY_FAILED, S.DEPLOYING, S.LIVE]


async def test_whoever_has_heard_that_it_is_live_is_told_how_it_ends(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await became(one, await approved(one, viewer), S.DEPLOYING, S.LIVE)
        live = len(await told(one, made))
        following = asyncio.create_task(watched(one, viewer, made, after=live))
        await until(lambda: one.hub.followers == 1)
        await going(one, made, S.ROLLED_BACK)
        (end,) = await following
        assert (end.status, end.seq) == (S.ROLLED_BACK, live + 1)
        assert await watched(one, viewer, made) == await told(one, made)


async def test_everybody_in_the_tenant_may_watch_and_nobody_else(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, eve = await demo(one), await stranger(one.store)
        made = await submitted(one, viewer)
        for role in Role:
            async with aclosing(watch_deployment(one, replace(viewer, roles=frozenset({role})), made.id)) as stream:
                assert (await anext(stream)).seq == 1
        with pytest.raises(ForbiddenError):
            await anext(watch_deployment(one, replace(viewer, roles=frozenset()), made.id))
        for unknown in (made.id, "x", "", "\ud800", "\0", "x" * 10_000):
            with pytest.raises(NotFoundError):
                await anext(watch_deployment(one, eve, unknown))


async def test_a_process_that_shuts_down_sends_watchers_away(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        watching = asyncio.create_task(watched(one, viewer, await submitted(one, viewer)))
        await until(lambda: one.hub.followers == 1)
    with pytest.raises(UnavailableError):
        await watching


async def test_messages_carry_exactly_what_is_stored_unless_it_is_too_large(sqlite_url: str) -> None:
    at = datetime(2026, 11, 1, 12, 30, 15, 678_000, tzinfo=UTC)
    event = DeploymentEvent("d", 3, at, S.LIVE, "stép", "text", None, 1 / 3)
    move = QueueEvent(7, at + timedelta(milliseconds=1), QueueChange.CLAIMED, "r")
    fact = ProductionEvent(9, at, ProductionEventKind.ROLLBACK_STARTED, "a", "v", None)
    async with process(sqlite_url) as one:
        async with one.bus.subscribe(deployment_channel("d")) as message:
            await announce_deployment(one.bus, event)
            assert deployment_log(one.store, "t", "d").decode(await message()) == [event]
            await announce_deployment(one.bus, replace(event, message="x" * 70_000))
            assert await message() == READ_THE_LOG
        async with one.bus.subscribe(queue_channel("t")) as message:
            await announce_queue(one.bus, "t", move)
            assert queue_log(one.store, "t").decode(await message()) == [move]
        async with one.bus.subscribe(production_channel("t")) as message:
            await announce_production(one.bus, "t", fact)
            assert production_log(one.store, "t").decode(await message()) == [fact]
