"""Loaders: one statement for what is asked for together, and nothing of other tenants."""

from asyncio import gather

from resolvers.loaders import Slice, Stretch
from resolvers.runs import EVENTS_AT_ONCE, Reading
from tests.graphql.world import Client, told
from tests.queries import counted
from tests.storage import worlds
from windtunnel.domain.events import EventKind

UNKNOWN = "01938f2c-7b1e-7abc-8def-0123456789ab"


async def test_things_are_loaded_together_by_id(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    made = [await worlds.scenario(store, viewer) for _ in range(3)]
    loaders = client.context().loaders
    with counted(store) as statements:
        found = await gather(*map(loaders.scenarios.load, [*(one.id for one in made), UNKNOWN, made[0].id]))
    assert found == [*made, None, made[0]]
    assert len(statements) == 1


async def test_others_see_nothing(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    scenario = await worlds.scenario(store, viewer)
    simulation = await told(store, viewer, scenario.id)
    loaders = Client(client.services, await worlds.stranger(store)).context().loaders
    assert await loaders.scenarios.load(scenario.id) is None
    assert await loaders.simulations.load(simulation.id) is None
    assert await loaders.architectures.load(simulation.architecture_id or "") is None
    assert await loaders.users.load(viewer.user.id) is None
    assert await loaders.events.load(simulation.id, Stretch(0, None, None)) == []
    assert (await loaders.scenario_simulations.load(scenario.id, Slice(10, None))).items == []
    assert await loaders.runs.read(simulation, Reading("length", (), len)) == 0


async def test_what_is_asked_for_differently_is_answered_differently(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    first, second = await told(store, viewer, seed=1), await told(store, viewer, seed=2)
    loaders = client.context().loaders
    with counted(store) as statements:
        whole, other, some = await gather(
            loaders.events.load(first.id, Stretch(0, 5, None)),
            loaders.events.load(second.id, Stretch(0, 5, None)),
            loaders.events.load(first.id, Stretch(2, 1, frozenset({EventKind.AGENT_END}))),
        )
    assert [event.seq for event in whole] == [event.seq for event in other] == [1, 2, 3, 4, 5]
    assert [event.kind for event in some] == [EventKind.AGENT_END]
    assert len(statements) == 2


async def test_a_run_is_read_once_for_all_readings(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    simulations = [await told(store, viewer, seed=seed) for seed in range(3)]
    lengths = Reading("length", (), len)
    kinds = Reading("kinds", (), lambda events: {event.kind for event in events})
    loaders = client.context().loaders
    with counted(store) as statements:
        found = await gather(*(loaders.runs.read(each, how) for each in simulations for how in (lengths, kinds)))
    assert found[0::2] == [each.last_seq for each in simulations]
    assert all(EventKind.NARRATIVE in each for each in found[1::2])
    assert len(statements) <= 1 + sum(each.last_seq for each in simulations) // (EVENTS_AT_ONCE // 2)
