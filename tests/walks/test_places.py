"""What lies in an environment is hidden as what lies at home is: from other tenants, and from its neighbours."""

from typing import Any

from schema.ids import Kind, decode, encode
from tests.graphql.environments import tend
from tests.walks.comparing import LEVELS, differences
from tests.walks.shape import slots
from tests.walks.things import make
from tests.walks.world import ENTRIES, World, open_world, shown, tables
from windtunnel.domain.ids import namespace_of, new_id, new_namespace
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.places import in_environment
from windtunnel.storage import environments
from windtunnel.storage.store import Store

INSIDE = (Kind.SCENARIO, Kind.SIMULATION, Kind.ARCHITECTURE)


async def test_theirs_and_nothing_are_answered_alike(store: Store) -> None:
    async with open_world(store) as world:
        await _inside(world, world.mine)
        environment, theirs = await _inside(world, world.theirs)
        namespace = namespace_of(_raw(theirs[Kind.SIMULATION]))
        assert namespace is not None
        before = await _snapshot(world, world.theirs, environment)
        faults: list[str] = []
        for slot in slots():
            for kind, real in theirs.items():
                nothing = encode(kind, new_id(new_namespace()))
                faults += await differences(world, slot, real, nothing)
                faults += await differences(world, slot, encode(kind, new_id(namespace)), nothing)
        assert faults == []
        assert await _snapshot(world, world.theirs, environment) == before


async def test_what_is_mine_is_found(store: Store) -> None:
    async with open_world(store) as world:
        environment, mine = await _inside(world, world.mine)
        for kind, made in mine.items():
            answer = await world.ask(ENTRIES["node"], {"id": made}, world.mine, LEVELS)
            assert (answer["errors"], answer["data"]["node"]["id"]) == ([], made), kind
            for other in set(INSIDE) - {kind}:
                answer = await world.ask(ENTRIES["node"], {"id": encode(other, _raw(made))}, world.mine)
                assert answer["data"]["node"] is None, (kind, other)
        await world.do("deleteEnvironment", world.mine, {Kind.ENVIRONMENT: environment})
        for _ in range(2):  # on its way out, and when nothing is left
            for kind, made in mine.items():
                answer = await world.ask(ENTRIES["node"], {"id": made}, world.mine, LEVELS)
                assert answer == {"data": {"node": None}, "errors": []}, kind
            await tend(world.services)


async def test_from_one_environment_nothing_of_another_can_be_named(store: Store) -> None:
    async with open_world(store) as world:
        _, mine = await _inside(world, world.mine)
        neighbour, _ = await _inside(world, world.mine)
        for kind, field in ((Kind.SCENARIO, "scenarioId"), (Kind.ARCHITECTURE, "architectureId")):
            for place in (neighbour, None):
                answers = []
                for named in (mine[kind], encode(kind, new_id(new_namespace()))):
                    given = {"input": {"scenario": {field: named}, "environmentId": place}}
                    answers.append(shown(await world.ask(ENTRIES["simulate"], given, world.mine, LEVELS), named))
                assert answers[0] == answers[1], (kind, place)
                assert b"NOT_FOUND" in answers[0]


async def _inside(world: World, viewer: Viewer) -> tuple[str, dict[Kind, str]]:
    """The id of a new environment of the viewer, and of a thing of each kind in it."""
    environment = await make(world, viewer, Kind.ENVIRONMENT)
    simulation: Any = (await world.do("simulate", viewer, environmentId=environment))["simulation"]
    made = {
        Kind.SCENARIO: simulation["scenario"]["id"],
        Kind.SIMULATION: simulation["id"],
        Kind.ARCHITECTURE: simulation["architecture"]["id"],
    }
    assert all(namespace_of(_raw(each)) for each in made.values())
    return environment, made


async def _snapshot(world: World, viewer: Viewer, environment: str) -> dict[str, list[str]]:
    """Every row of the viewer's in the environment's own database."""
    found = await environments.get(world.store, viewer.tenant_id, _raw(environment))
    assert found is not None
    rows = {}
    async with in_environment(world.services, found) as place:
        for table, column in await tables(place.store):
            all_rows = await place.store.of(viewer.tenant_id).fetch(
                f"SELECT * FROM {table} WHERE {column} = $1", viewer.tenant_id
            )
            rows[table] = sorted(repr(sorted(row.items())) for row in all_rows)
    assert rows["simulations"]
    return rows


def _raw(made: str) -> str:
    found = decode(made)
    assert found
    return found[1]
