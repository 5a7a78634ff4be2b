"""Loaders find things where they lie: together at home, together in each environment, and nothing of what is gone."""

from asyncio import gather

from resolvers.loaders import Slice, Stretch
from resolvers.runs import Reading
from tests.graphql.world import Client, told
from tests.operations.environment_world import begun_in, conduct_in, opened_environment
from tests.queries import counted
from tests.storage import environment_worlds, worlds
from windtunnel.domain.environments import Environment
from windtunnel.domain.events import EventKind
from windtunnel.domain.simulations import Simulation
from windtunnel.operations.places import in_environment
from windtunnel.storage import simulations

LENGTH = Reading("length", (), len)
ALL = Stretch(0, None, None)


async def run_in(client: Client, environment: Environment) -> Simulation:
    begun = await begun_in(client.services, client.signed_in, environment)
    await conduct_in(client.services, environment)
    async with in_environment(client.services, environment) as place:
        found = await simulations.get(place.store, environment.tenant_id, begun.id)
    assert found
    return found


async def test_things_are_loaded_from_home_and_from_environments_in_one_breath(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    one, two = [await opened_environment(services, viewer) for _ in range(2)]
    abroad = [await run_in(client, environment) for environment in (one, two, one)]
    scenario = await worlds.scenario(services.store, viewer)
    at_home = await told(services.store, viewer, scenario.id)
    every = [*abroad, at_home]
    loaders = client.context().loaders
    async with in_environment(services, one) as place:
        with counted(place.store) as there, counted(services.store) as here:
            found = await gather(*(loaders.simulations.load(each.id) for each in every))
    assert [each and (each.id, each.last_seq) for each in found] == [(each.id, each.last_seq) for each in every]
    assert (len(there), len(here)) == (1, 2)  # at home the simulation, and which environments there are

    scenarios = await gather(*(loaders.scenarios.load(each.scenario_id or "") for each in every))
    assert [each and each.id for each in scenarios] == [each.scenario_id for each in every]
    networks = await gather(*(loaders.architectures.load(each.architecture_id or "") for each in every))
    assert [each and each.id for each in networks] == [each.architecture_id for each in every]
    logs = await gather(*(loaders.events.load(each.id, ALL) for each in every))
    assert [len(log) for log in logs] == [each.last_seq for each in every]
    assert [await loaders.runs.read(each, LENGTH) for each in every] == [each.last_seq for each in every]
    pages = await gather(*(loaders.scenario_simulations.load(each.scenario_id or "", Slice(5, None)) for each in every))
    assert [[item.id for item in page.items] for page in pages] == [[each.id] for each in every]
    some = await loaders.events.load(abroad[0].id, Stretch(0, 1, frozenset({EventKind.AGENT_END})))
    assert [event.kind for event in some] == [EventKind.AGENT_END]


async def test_of_what_is_gone_nothing_is_loaded(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    gone, left = [await opened_environment(services, viewer) for _ in range(2)]
    lost, kept = [await run_in(client, environment) for environment in (gone, left)]
    await environment_worlds.became(services.store, gone, "DELETING", "ended_by = 'PERSON'")
    await services.places.close(gone.namespace)
    await services.places.databases.remove(gone.namespace)
    loaders = client.context().loaders
    assert await gather(*(loaders.simulations.load(each.id) for each in (lost, kept))) == [None, kept]
    assert await loaders.events.load(lost.id, ALL) == []
    assert await loaders.runs.read(lost, LENGTH) == 0
    page = await loaders.scenario_simulations.load(lost.scenario_id or "", Slice(5, None))
    assert (list(page.items), page.total) == ([], 0)
    assert await loaders.commands.load(lost.id) is None


async def test_another_tenant_loads_nothing_from_an_environment(client: Client, eve: Client) -> None:
    services, viewer = client.services, client.signed_in
    environment = await opened_environment(services, viewer)
    simulation = await run_in(client, environment)
    loaders = eve.context().loaders
    assert await loaders.simulations.load(simulation.id) is None
    assert await loaders.scenarios.load(simulation.scenario_id or "") is None
    assert await loaders.architectures.load(simulation.architecture_id or "") is None
    assert await loaders.events.load(simulation.id, ALL) == []
    assert await loaders.runs.read(simulation, LENGTH) == 0
