"""Nothing of the schema is only there for show."""

from schema.ids import Kind, encode
from tests.graphql.documents import everything
from tests.graphql.world import Client, told
from tests.storage import worlds


async def test_every_field_of_every_entity_answers(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    scenario = await worlds.scenario(store, viewer)
    simulation = await told(store, viewer, scenario.id)
    for kind, raw in {
        Kind.SCENARIO: scenario.id,
        Kind.SIMULATION: simulation.id,
        Kind.ARCHITECTURE: simulation.architecture_id or "",
        Kind.USER: viewer.user.id,
        Kind.TENANT: viewer.tenant.id,
    }.items():
        global_id = encode(kind, raw)
        document = f"query($id: ID!) {{ node(id: $id) {{ ... on {kind} {everything(kind, levels=4)} }} }}"
        data = await client.get(document, {"id": global_id})
        assert (data["node"]["__typename"], data["node"]["id"]) == (kind, global_id)


async def test_every_field_of_the_server_answers(client: Client) -> None:
    for root, kind in (("viewer", "Viewer"), ("health", "Health"), ("failureModeCatalogue", "FailureModeDefinition")):
        data = await client.get(f"{{ {root} {everything(kind, levels=4)} }}")
        assert data[root]


async def test_the_catalogue_is_the_book(client: Client) -> None:
    book = client.services.book.definitions
    data = await client.get("{ failureModeCatalogue { code title category source signals mitigations } }")
    assert [entry["code"] for entry in data["failureModeCatalogue"]] == list(book)
    assert all(entry["source"] and entry["signals"] for entry in data["failureModeCatalogue"])
    some = await client.get("{ failureModeCatalogue(category: SECURITY) { code category } }")
    assert {entry["category"] for entry in some["failureModeCatalogue"]} == {"SECURITY"}
    assert [entry["code"] for entry in some["failureModeCatalogue"]] == [
        code for code, definition in book.items() if definition.category == "SECURITY"
    ]
