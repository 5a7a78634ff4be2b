"""Nothing of the schema is only there for show."""

import pytest

from schema.ids import Kind, encode
from tests.graphql.documents import everything
from tests.graphql.world import Client, told
from tests.storage import worlds


@pytest.mark.parametrize("kind", list(Kind))
async def test_every_field_of_every_entity_answers(client: Client, kind: Kind) -> None:
    store, viewer = client.services.store, client.signed_in
    scenario = await worlds.scenario(store, viewer)
    simulation = await told(store, viewer, scenario.id)
    raw = {
        Kind.SCENARIO: scenario.id,
        Kind.SIMULATION: simulation.id,
        Kind.ARCHITECTURE: simulation.architecture_id or "",
        Kind.USER: viewer.user.id,
        Kind.TENANT: viewer.tenant.id,
    }[kind]
    global_id = encode(kind, raw)
    document = f"query($id: ID!) {{ node(id: $id) {{ ... on {kind} {everything(kind, levels=4)} }} }}"
    data = await client.get(document, {"id": global_id})
    assert (data["node"]["__typename"], data["node"]["id"]) == (kind, global_id)


async def test_every_field_of_the_server_answers(client: Client) -> None:
    for root in ("viewer", "health", "failureModeCatalogue"):
        kind = {"viewer": "Viewer", "health": "Health", "failureModeCatalogue": "FailureModeDefinition"}[root]
        data = await client.get(f"{{ {root} {everything(kind, levels=4)} }}")
        assert data[root]
