"""Warnings before the end, and the end: told once, however many look."""

import asyncio
from datetime import timedelta

import pytest

from tests.operations.care import asked, entries, now, ready, tend_all, told
from tests.operations.inboxes import inbox
from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations.expiring import come_due, expire, give_up, lose, warn
from windtunnel.operations.extend_environment import extend_environment
from windtunnel.operations.services import Services
from windtunnel.storage import environment_times
from windtunnel.storage.environment_times import Due, DueEnvironment

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def turn(services: Services, environment: Environment, before_expiry: timedelta) -> None:
    store = services.store
    store.clock_offset = timedelta(0)
    store.clock_offset = environment.expires_at - before_expiry - await store.now()


async def warnings(services: Services) -> list[str]:
    told = await inbox(services, await demo(services))
    return [each.title for each in told if each.kind is NotificationKind.ENVIRONMENT_EXPIRING]


async def test_people_are_warned_a_day_and_an_hour_before(database_url: str) -> None:
    async with process(database_url) as services:
        environment = await ready(services, "mine", 3 * DAY)
        for before_expiry, titles in (
            (DAY + HOUR, []),
            (DAY - HOUR, ["Less than 24 hours left: mine"]),
            (2 * HOUR, ["Less than 24 hours left: mine"]),
            (HOUR / 2, ["Less than one hour left: mine", "Less than 24 hours left: mine"]),
            (HOUR / 4, ["Less than one hour left: mine", "Less than 24 hours left: mine"]),
        ):
            await turn(services, environment, before_expiry)
            await tend_all(services)
            assert sorted(await warnings(services)) == sorted(titles), before_expiry
        told_of_all = (await inbox(services, await demo(services)))[-1]
        assert f"{environment.expires_at:%Y-%m-%d %H:%M} UTC" in told_of_all.body
        before = await now(services, environment)
        assert before.status is EnvironmentStatus.READY


async def test_whoever_slept_through_the_last_day_is_told_of_the_last_hour_alone(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        environment = await ready(services, "mine", 3 * DAY)
        await turn(services, environment, HOUR / 2)
        await tend_all(services)
        assert await warnings(services) == ["Less than one hour left: mine"]


async def test_after_an_extension_people_are_warned_again(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer, environment = await demo(services), await ready(services, "mine", 2 * DAY)
        await turn(services, environment, HOUR / 2)
        await tend_all(services)
        longer = await extend_environment(services, viewer, environment.id, 2 * DAY)
        await tend_all(services)
        assert len(await warnings(services)) == 1
        await turn(services, longer, HOUR / 2)
        await tend_all(services)
        assert await warnings(services) == ["Less than one hour left: mine"] * 2


async def test_one_that_lives_for_a_day_is_not_warned_of_at_once(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        await ready(services, lifetime=DAY)
        await ready(services, lifetime=HOUR)
        assert await warnings(services) == []


async def test_of_many_who_look_at_once_one_tells(database_url: str) -> None:
    async with process(database_url) as services:
        environment = await ready(services, "mine", 2 * DAY)
        of = (services, environment.tenant_id, environment.id)
        await turn(services, environment, HOUR / 2)
        assert (await asyncio.gather(*(warn(*of, 1) for _ in range(8)))).count(True) == 1
        await turn(services, environment, timedelta(0))
        assert (await asyncio.gather(*(expire(*of) for _ in range(8)))).count(True) == 1
        kinds = [each.kind for each in await inbox(services, await demo(services))]
        assert kinds.count(NotificationKind.ENVIRONMENT_EXPIRING) == 1
        assert kinds.count(NotificationKind.ENVIRONMENT_EXPIRED) == 1
        actions = [each.action for each in await entries(services, environment)]
        assert actions.count(AuditAction.ENVIRONMENT_EXPIRED) == 1
        events = await told(services, environment)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_nothing_is_done_before_its_time_or_for_another_tenant(database_url: str) -> None:
    async with process(database_url) as services:
        environment, waiting = await ready(services, lifetime=DAY), await asked(services)
        other = (await stranger(services.store)).tenant_id
        for tenant_id in (environment.tenant_id, other):
            for each in Due:
                if tenant_id == other:
                    services.store.clock_offset = 8 * DAY
                for one in (environment, waiting):
                    assert not await come_due(services, DueEnvironment(one.id, tenant_id, each))
        services.store.clock_offset = timedelta(0)
        assert (await now(services, environment)).status is EnvironmentStatus.READY
        assert (await now(services, waiting)).status is EnvironmentStatus.PROVISIONING


@pytest.mark.parametrize("what", ["give_up", "lose"])
async def test_failing_is_told_once(database_url: str, what: str) -> None:
    async with process(database_url) as services:
        environment = await (asked(services) if what == "give_up" else ready(services))
        services.store.clock_offset = timedelta(minutes=6)

        async def fail() -> bool:
            if what == "give_up":
                return await give_up(services, environment.tenant_id, environment.id)
            return await lose(services, environment, "its database")

        assert (await asyncio.gather(*(fail() for _ in range(5)))).count(True) == 1
        assert (await now(services, environment)).status is EnvironmentStatus.FAILED
        kinds = [each.kind for each in await inbox(services, await demo(services))]
        assert kinds.count(NotificationKind.ENVIRONMENT_FAILED) == 1
        actions = [each.action for each in await entries(services, environment)]
        assert actions.count(AuditAction.ENVIRONMENT_FAILED) == 1
        await tend_all(services)
        assert await environment_times.due(services.store) == []
