"""Feature flags as clients see and set them."""

from dataclasses import replace

from tests.graphql.world import Client
from tests.storage.worlds import stranger
from windtunnel.domain.viewers import Role

FEATURES = "{ health { features { name enabled stage pilots } } }"
ON = [
    {"name": "enable-simulation-environments", "enabled": True, "stage": "ALL", "pilots": []},
    {"name": "enable-deployment-pipeline", "enabled": True, "stage": "ALL", "pilots": []},
]
PIPELINE = "enable-deployment-pipeline"


async def test_features_are_those_of_the_viewers_tenant(client: Client) -> None:
    store = client.services.store
    assert (await client.get(FEATURES))["health"]["features"] == ON
    shown = {"name": PIPELINE, "enabled": True, "stage": "PILOT", "pilots": ["billing", "triage"]}
    payload = await client.do(
        "setFeatureFlag", "flag { name enabled stage pilots }", shown | {"pilots": ["triage", "billing"]}
    )
    assert payload == {"flag": shown, "errors": []}
    assert (await client.get(FEATURES))["health"]["features"] == [ON[0], shown]
    for other in (None, await stranger(store)):
        assert (await Client(client.services, other).get(FEATURES))["health"]["features"] == ON


async def test_health_is_told_without_a_database(client: Client) -> None:
    await client.services.store.close()
    health = (await client.get("{ health { status features { name enabled stage pilots } } }"))["health"]
    assert health == {"status": "DOWN", "features": ON}


async def test_what_is_wrong_with_a_flag_is_said(client: Client) -> None:
    payload = await client.do("setFeatureFlag", "flag { name }", {"name": "x", "enabled": False})
    (error,) = payload["errors"]
    assert (payload["flag"], error["__typename"], error["path"]) == (None, "ValidationError", ["input", "name"])
    assert PIPELINE in error["message"]
    payload = await client.do(
        "setFeatureFlag", "flag { name }", {"name": PIPELINE, "enabled": False, "pilots": ["a", "B"]}
    )
    assert payload["errors"][0]["path"] == ["input", "pilots", "1"]


async def test_only_an_admin_switches_features(client: Client) -> None:
    somebody = Client(client.services, replace(client.signed_in, roles=frozenset(Role) - {Role.ADMIN}))
    call = f'mutation {{ setFeatureFlag(input: {{ name: "{PIPELINE}", enabled: false }}) {{ errors {{ code }} }} }}'
    assert (await somebody.ask(call)).codes == ["FORBIDDEN"]
    assert (await client.get(FEATURES))["health"]["features"] == ON
