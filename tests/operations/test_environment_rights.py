"""On PostgreSQL an API process may do with environments what people ask for, and no more: workers make them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from tests.operations.environment_verbs import VERBS
from tests.operations.environment_world import begun_in, opened_environment
from tests.operations.world import ReadyPlanner, demo, process, watched
from tests.storage.environment_worlds import stored
from windtunnel.domain.environments import EnvironmentStatus
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.isolation import IsolationLevel
from windtunnel.knowledge import load_book
from windtunnel.operations.claiming_runs import claim_runs
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.places import in_environment
from windtunnel.operations.provision_environment import ProvisionRequest, provision_environment
from windtunnel.operations.services import Limits, Services, open_services
from windtunnel.operations.set_minimum_isolation import set_minimum_isolation
from windtunnel.storage import environment_care
from windtunnel.storage.errors import RightError
from windtunnel.storage.store import DatabaseRole, open_store
from windtunnel.streams.bus import open_bus


@asynccontextmanager
async def api(url: str, home: Services) -> AsyncIterator[Services]:
    """A process that is an API and nothing else, with the keys of `home`."""
    store, bus = await open_store(url, role=DatabaseRole.API), await open_bus(None)
    try:
        async with open_services(
            store, bus, ReadyPlanner(), load_book(), Limits(), owner="api", vault=home.vault
        ) as services:
            yield services
    finally:
        await bus.close()
        await store.close()


async def test_an_api_process_may_do_what_people_ask_for(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as server, api(postgres_database_url, server) as one:
        viewer = await demo(server)
        asked = await provision_environment(one, viewer, ProvisionRequest("try", timedelta(hours=1)))
        assert asked == await stored(server.store, asked)
        made = await opened_environment(server, viewer)
        for verb in VERBS.values():
            assert (await verb(one, viewer, made.id)).id == made.id
        assert (await stored(server.store, made)).status is EnvironmentStatus.DELETING
        assert await set_minimum_isolation(one, viewer, IsolationLevel.LOGICAL) is IsolationLevel.LOGICAL


async def test_an_api_process_ends_what_runs_in_what_it_pauses(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as server, api(postgres_database_url, server) as one:
        viewer = await demo(server)
        made = await opened_environment(server, viewer)
        running = await begun_in(one, viewer, made)
        async with in_environment(server, made) as place:
            assert [each.id for each in await claim_runs(place, "conductor", 1)] == [running.id]
        await pause_environment(one, viewer, made.id)
        assert (await watched(one, viewer, running))[-1].body["status"] == "CANCELLED"


async def test_making_environments_is_not_for_an_api_process(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as server, api(postgres_database_url, server) as one:
        viewer = await demo(server)
        made = await opened_environment(server, viewer)
        with pytest.raises(RightError):
            await environment_care.claim(one.store, "api", 1)
        with pytest.raises(RightError):
            await one.store.of(viewer.tenant_id).fetch(
                "DELETE FROM environment_events WHERE tenant_id = $1", viewer.tenant_id
            )
        with pytest.raises(UnavailableError, match="permission denied"):
            await one.places.databases.remove(made.namespace)
        assert await one.places.databases.exists(made.namespace)
