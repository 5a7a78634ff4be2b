"""Nobody sees what is another tenant's, nobody tells whether it exists, and nobody sees anything unasked."""

from schema.ids import Kind, encode, write_opaque
from tests.graphql.world import Client, told
from tests.storage import worlds
from windtunnel.domain.flags import Flag

RAW = "01938f2c-7b1e-7abc-8def-0123456789ab"
NO_IDS = [
    "",
    "x",
    RAW,
    "\0",
    "\ud800",
    "🦊" * 50,
    "A" * 100_000,
    write_opaque("Simulation:"),
    write_opaque(f"Environment:{RAW}"),
    *(encode(kind, RAW) for kind in Kind),
]
LOOKUPS = ("scenario", "simulation", "architecture", "node")


async def test_an_id_that_names_nothing_is_null(client: Client) -> None:
    fields = " ".join(f"{field}(id: $id) {{ id }}" for field in LOOKUPS)
    for unknown in NO_IDS:
        data = await client.get(f"query($id: ID!) {{ {fields} }}", {"id": unknown})
        assert data == dict.fromkeys(LOOKUPS), unknown[:100]


async def test_nodes_keep_their_order_and_leave_holes(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    scenario = await worlds.scenario(store, viewer)
    simulation = await told(store, viewer, scenario.id)
    ids = [
        encode(Kind.SIMULATION, simulation.id),
        "nonsense",
        encode(Kind.SCENARIO, scenario.id),
        encode(Kind.SIMULATION, RAW),
        encode(Kind.SIMULATION, simulation.id),
        encode(Kind.TENANT, viewer.tenant.id),
    ]
    data = await client.get("query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", {"ids": ids})
    assert [node and node["__typename"] for node in data["nodes"]] == [
        "Simulation",
        None,
        "Scenario",
        None,
        "Simulation",
        "Tenant",
    ]
    assert [node["id"] for node in data["nodes"] if node] == [ids[0], ids[2], ids[4], ids[5]]


async def test_too_many_nodes_are_refused(client: Client) -> None:
    answer = await client.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["x"] * 101})
    assert (answer.data, answer.codes) == (None, ["BAD_USER_INPUT"])


async def test_another_tenant_sees_nothing(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    scenario = await worlds.scenario(store, viewer)
    simulation = await told(store, viewer, scenario.id)
    eve = Client(client.services, await worlds.stranger(store))
    ids = [
        encode(Kind.SCENARIO, scenario.id),
        encode(Kind.SIMULATION, simulation.id),
        encode(Kind.ARCHITECTURE, simulation.architecture_id or ""),
        encode(Kind.USER, viewer.user.id),
        encode(Kind.TENANT, viewer.tenant.id),
    ]
    document = (
        "query($ids: [ID!]!, $s: ID!, $r: ID!, $a: ID!) { nodes(ids: $ids) { id } scenario(id: $s) { id }"
        " simulation(id: $r) { id } architecture(id: $a) { id } scenarios { totalCount nodes { id } }"
        " simulations { totalCount nodes { id } } mine: simulations(filter: { scenarioId: $s }) { totalCount } }"
    )
    variables = {"ids": ids, "s": ids[0], "r": ids[1], "a": ids[2]}
    nothing = {"totalCount": 0, "nodes": []}
    assert await eve.get(document, variables) == {
        "nodes": [None] * 5,
        "scenario": None,
        "simulation": None,
        "architecture": None,
        "scenarios": nothing,
        "simulations": nothing,
        "mine": {"totalCount": 0},
    }
    seen = await client.get(document, variables)
    assert None not in seen["nodes"]
    assert seen["mine"] == {"totalCount": 1}


async def test_health_needs_no_signing_in(client: Client) -> None:
    data = await Client(client.services, None).get(
        "{ health { status version features { name } components { name status latencyMs detail } planner { mode } } }"
    )
    assert data["health"]["status"] == "OK"
    assert [component["name"] for component in data["health"]["components"]] == ["database", "bus"]
    assert [feature["name"] for feature in data["health"]["features"]] == list(Flag)
