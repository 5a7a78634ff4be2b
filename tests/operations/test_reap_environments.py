"""Things without an environment are removed; environments without their things have failed."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.operations.care import asked, left_of, now, ready, tend_all
from tests.operations.inboxes import inbox
from tests.operations.world import demo, process
from windtunnel.domain.environments import Ending, EnvironmentKey, EnvironmentStatus
from windtunnel.domain.ids import new_namespace
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.environment_parts import things
from windtunnel.operations.places import key_of
from windtunnel.operations.reap_environments import reap_environments
from windtunnel.streams.bus import Bus
from windtunnel.streams.environment_channels import SharedChannels


async def test_where_all_is_well_nothing_is_done(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, standing = await demo(services), await ready(services)
        going, waiting = await ready(services), await asked(services)
        await delete_environment(services, viewer, going.id)
        assert await reap_environments(services) == 0
        assert (await now(services, standing)).status is EnvironmentStatus.READY
        await tend_all(services)
        assert (await now(services, waiting)).status is EnvironmentStatus.READY
        assert await reap_environments(services) == 0


async def test_things_that_have_no_environment_are_removed(database_url: str) -> None:
    async with process(database_url) as services:
        standing = await ready(services)
        await services.places.databases.create(EnvironmentKey(new_namespace(), "a password"))
        lost = services.environments_dir / new_namespace()
        (lost / "sandbox" / "work").mkdir(parents=True)
        (lost / "sandbox").chmod(0o500)
        assert await reap_environments(services) == 2
        found = await things(services)
        assert found.all == [standing.namespace]
        assert await reap_environments(services) == 0


async def test_things_that_came_after_the_end_of_their_environment_are_removed(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, environment = await demo(services), await ready(services)
        key = key_of(services, environment)
        await delete_environment(services, viewer, environment.id)
        await tend_all(services)
        await services.places.databases.create(key)  # somebody very slow
        assert await left_of(services, environment)
        assert await reap_environments(services) == 1
        assert await left_of(services, environment) == []


async def test_what_is_none_of_ours_is_left_alone(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        others = [services.environments_dir / name for name in ("lost+found", "A" * 16, "0" * 32, "environment.db")]
        for other in others:
            other.mkdir(parents=True)
        assert await reap_environments(services) == 0
        assert all(other.exists() for other in others)


@pytest.mark.parametrize("part", ["directory", "database"])
async def test_an_environment_that_has_lost_a_part_has_failed(database_url: str, part: str) -> None:
    async with process(database_url) as services:
        viewer, environment, other = await demo(services), await ready(services), await ready(services)
        await services.places.close(environment.namespace)
        directory = services.environments_dir / environment.namespace
        if part == "database":
            await services.places.databases.remove(environment.namespace)
        else:
            for path in sorted(directory.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            directory.rmdir()
        assert await reap_environments(services) == 1
        failed = await now(services, environment)
        assert (failed.status, failed.ended_by) == (EnvironmentStatus.FAILED, Ending.FAILURE)
        assert f"its {part}" in (failed.failure or "")
        await tend_all(services)
        assert (await now(services, environment)).status is EnvironmentStatus.DELETED
        assert await left_of(services, environment) == []
        assert (await now(services, other)).status is EnvironmentStatus.READY
        kinds = [each.kind for each in await inbox(services, viewer)]
        assert kinds.count(NotificationKind.ENVIRONMENT_FAILED) == 1


class Forgetful(SharedChannels):
    """Channels on a server that can forget them."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self.known: set[str] = set()

    async def create(self, key: EnvironmentKey) -> None:
        self.known.add(key.namespace)

    async def exists(self, namespace: str) -> bool:
        return namespace in self.known

    async def remove(self, namespace: str) -> None:
        self.known.discard(namespace)

    async def all(self) -> list[str]:
        return sorted(self.known)


async def test_channels_that_a_server_has_forgotten_are_made_again(sqlite_url: str, tmp_path: Path) -> None:
    from windtunnel.streams.bus import open_bus

    bus = await open_bus(None)
    channels = Forgetful(bus)
    async with process(sqlite_url, bus=bus, channels=channels) as services:
        environment = await ready(services)
        assert channels.known == {environment.namespace}
        channels.known = {new_namespace()}
        await reap_environments(services)
        assert channels.known == {environment.namespace}
        services.store.clock_offset = timedelta(days=2)
        await tend_all(services)
        assert channels.known == set()
    await bus.close()
