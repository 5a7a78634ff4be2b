"""Active workflows: simulations that run with one of the agent's packages, at home and in environments."""

import pytest

from tests.operations.environment_world import begun_in
from tests.operations.packages_world import mine, ready_for, uploaded
from tests.operations.releases_world import agent_with, rolled, versions_of
from tests.operations.world import begun, claimed, demo, process
from tests.storage.worlds import colleague
from windtunnel.domain.entities import Kind, Subject
from windtunnel.operations.active_workflows import active_workflows
from windtunnel.operations.environment_runs import PAUSED, halt_runs
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.places import in_environment
from windtunnel.storage import leases


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment is left out because the machine is busy."""
    monkeypatch.setattr("windtunnel.operations.active_workflows.LOOK_WITHIN_S", 600.0)


async def test_what_runs_with_the_agent_is_told_and_nothing_else(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        author, other = await colleague(one.store, viewer, "Author"), await colleague(one.store, viewer, "Other")
        environment = await ready_for(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        assert (await active_workflows(one, viewer.tenant_id, agent.id)).ids == ()
        assert (await active_workflows(one, viewer.tenant_id, "nobody's")).ids == ()

        digest = (await versions_of(one, agent))["1.0.0"].package_digest
        foreign = await uploaded(one, viewer, mine(version="7.7.7"))
        there = await begun_in(one, author, environment, package_digest=digest)
        await begun_in(one, other, environment, package_digest=foreign)
        await begun_in(one, other, environment)
        await begun(one, other)
        assert (await active_workflows(one, viewer.tenant_id, agent.id)).ids == ()  # they only wait so far
        async with in_environment(one, environment) as place:
            assert await leases.claim(place.store, "conductor", 100, 100)
        await claimed(one)

        rollback = await rolled(one, viewer, agent)
        assert rollback.notified == (Subject(Kind.SIMULATION, there.id).global_id,)
        assert author.user.id in rollback.told
        # An environment that is paused has nothing that runs.
        await pause_environment(one, viewer, environment.id)
        await halt_runs(one, environment, PAUSED, waiting=False)
        assert (await active_workflows(one, viewer.tenant_id, agent.id)).ids == ()
