"""On PostgreSQL an API process accepts rollbacks and a worker carries them out; neither can do what is the other's."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from tests.operations.releases_world import agent_with, approved, claimed, rolled, states, versions_of
from tests.operations.world import ReadyPlanner, demo, process
from tests.storage.worlds import colleague
from windtunnel.domain.agents import VersionState
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.rollbacks import ProductionEventKind, RollbackStatus
from windtunnel.knowledge import load_book
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.release_hold import release_hold
from windtunnel.operations.release_quarantine import release_quarantine
from windtunnel.operations.restoring import complete, fail
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.operations.services import Limits, Services, open_services
from windtunnel.operations.watch_production import watch_production
from windtunnel.storage import rollbacks
from windtunnel.storage.errors import RightError
from windtunnel.storage.store import DatabaseRole, open_store
from windtunnel.storage.tallies import tally_rollbacks
from windtunnel.streams.bus import open_bus

WHY = "The cause was found elsewhere."


@asynccontextmanager
async def alone(url: str, home: Services, role: DatabaseRole) -> AsyncIterator[Services]:
    """A process that has this role and no other, with the keys of `home`."""
    store, bus = await open_store(url, role=role), await open_bus(None)
    try:
        async with open_services(
            store, bus, ReadyPlanner(), load_book(), Limits(), owner=role.value, vault=home.vault
        ) as services:
            yield services
    finally:
        await bus.close()
        await store.close()


async def test_each_does_its_part(postgres_database_url: str) -> None:
    url = postgres_database_url
    async with (
        process(url) as home,
        alone(url, home, DatabaseRole.API) as api,
        alone(url, home, DatabaseRole.WORKER) as worker,
    ):
        viewer = await demo(home)
        reviewer = await colleague(home.store, viewer, "Rae")
        agent = await agent_with(home, viewer, "1.0.0", "2.0.0")
        await approved(home, viewer, agent, "3.0.0")
        async with aclosing(watch_production(api, viewer, [agent.id], 0)) as stream:
            rollback = await rolled(api, viewer, agent)
            assert (await anext(stream)).kind is ProductionEventKind.ROLLBACK_STARTED
            held = await claimed(worker)
            await complete(worker, held)
            assert (await anext(stream)).kind is ProductionEventKind.ROLLBACK_COMPLETED
        await configure_production(api, viewer, [EntryRequest("MODEL", "a", None)])
        await release_hold(api, viewer, agent.id, WHY)
        taken = (await versions_of(home, agent))["2.0.0"]
        assert (await release_quarantine(api, reviewer, taken.id, WHY)).state is VersionState.STANDBY
        await rolled(api, viewer, agent)
        assert await fail(worker, await claimed(worker), "It did not start.")
        ended = await rollbacks.get(home.store, agent.tenant_id, rollback.id)
        assert ended
        assert ended.status is RollbackStatus.SUCCEEDED
        for process_of in (api, worker):
            assert sum(each.rollbacks for each in await tally_rollbacks(process_of.store)) == 2


async def test_neither_does_what_is_the_others(postgres_database_url: str) -> None:
    url = postgres_database_url
    async with (
        process(url) as home,
        alone(url, home, DatabaseRole.API) as api,
        alone(url, home, DatabaseRole.WORKER) as worker,
    ):
        viewer = await demo(home)
        agent = await agent_with(home, viewer, "1.0.0", "2.0.0")
        with pytest.raises(RightError):
            await rollback_deployment(worker, viewer, RollbackRequest(agent.id, WHY))
        await rolled(api, viewer, agent)
        held = await claimed(worker)
        for ending in (complete(api, held), fail(api, held, "No.")):
            with pytest.raises(RightError):
                await ending
        with pytest.raises(RightError):
            await claimed(api)
        assert (await states(home, agent)) == {"1.0.0": "STANDBY", "2.0.0": "LIVE"}
        await complete(worker, held)
        assert (await states(home, agent)) == {"1.0.0": "LIVE", "2.0.0": "QUARANTINED"}
