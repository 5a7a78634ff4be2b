"""Environments as clients see them: what they are made of, what they have used, and what is left in the end."""

import json
from datetime import timedelta
from typing import Any

import pytest

from schema.ids import Kind, encode
from tests.graphql.environments import LIST, ONE, do, id_of, look, names
from tests.graphql.world import Client
from tests.queries import counted
from tests.storage import environment_worlds as worlds
from windtunnel.domain.environments import Environment, ResourceKind
from windtunnel.domain.ids import new_id
from windtunnel.domain.isolation import IsolationLevel, Probe, ProbeOutcome
from windtunnel.storage import environment_resources, environments
from windtunnel.storage.store import Store

BY_A_PERSON = "ended_by = 'PERSON'"
NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
REPORT = {
    "level": "LANDLOCK",
    "minimum": "FULL",
    "verified_at": "2026-11-01T12:00:00+00:00",
    "probes": [
        {"probe": Probe.READ_PRODUCTION, "outcome": ProbeOutcome.DENIED, "detail": "There is no such file."},
        {"probe": Probe.SEND_DATAGRAM, "outcome": ProbeOutcome.NOT_ENFORCED, "detail": ""},
    ],
    "details": {"namespaces": "They are refused.", "landlock": "ABI 7."},
    "not_enforced": ["processes"],
}


async def made_of(store: Store, environment: Environment, *keys: str) -> None:
    for key in keys:
        made = await environment_resources.intend(
            store,
            environment.tenant_id,
            environment.id,
            key=key,
            kind=ResourceKind.DIRECTORY,
            locator=f"secret place of {key}",
        )
        assert made is not None


async def reported(store: Store, environment: Environment, report: str, ready_ms: int) -> None:
    await store.of(environment.tenant_id).fetch(
        "UPDATE environments SET isolation = $3, ready_ms = created_ms + $4 WHERE tenant_id = $1 AND id = $2",
        environment.tenant_id,
        environment.id,
        report,
        ready_ms,
    )


async def configure(client: Client, *entries: tuple[str, str, bool], unset: tuple[str, ...] = ()) -> None:
    wanted = [{"key": key, "value": value, "secret": secret} for key, value, secret in entries]
    done = await client.do("configureProduction", "production { revision }", {"set": wanted, "unset": unset})
    assert done["errors"] == []


async def test_an_environment_shows_what_it_is(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    made = await worlds.provisioning(store, viewer)
    await made_of(store, made, "files")
    made = await worlds.became(store, made, "READY")
    await reported(store, made, json.dumps(REPORT), 1_500)
    shown = await look(client, made)
    assert (shown["id"], shown["name"], shown["status"]) == (id_of(made), "try", "READY")
    assert shown["createdBy"] == {"name": viewer.user.name}
    assert (shown["provisioningTime"], shown["lastSeq"], shown["failure"]) == ("PT1.5S", 1, None)
    assert shown["limits"] == {"cpu": 1.0, "memoryMb": 512, "storageMb": 256, "maxSimulations": 5}
    assert shown["isolation"] == {
        "level": "LANDLOCK",
        "namespace": made.namespace,
        "allowsCode": False,
        "verifiedAt": "2026-11-01T12:00:00.000Z",
        "limitsNotEnforced": ["processes"],
        "mechanisms": [{"name": "landlock", "detail": "ABI 7."}, {"name": "namespaces", "detail": "They are refused."}],
        "probes": [
            {"name": "read-production", "outcome": "DENIED", "detail": "There is no such file."},
            {"name": "send-datagram", "outcome": "NOT_ENFORCED", "detail": None},
        ],
    }
    (resource,) = shown["resources"]
    assert (resource["key"], resource["kind"], resource["status"]) == ("files", "DIRECTORY", "INTENDED")
    assert (resource["createdAt"] is not None, resource["removedAt"]) == (True, None)
    assert shown["cleanup"] is None
    assert "secret place" not in repr(shown)


async def test_before_it_is_verified_the_least_is_said(client: Client) -> None:
    made = await worlds.provisioning(client.services.store, client.signed_in)
    shown = await look(client, made)
    assert (shown["status"], shown["readyAt"], shown["provisioningTime"]) == ("PROVISIONING", None, None)
    assert shown["resources"] == []
    assert shown["isolation"] == {
        "level": "LOGICAL",
        "namespace": made.namespace,
        "allowsCode": False,
        "verifiedAt": None,
        "limitsNotEnforced": [],
        "mechanisms": [],
        "probes": [],
    }


async def test_drift_is_shown_as_soon_as_production_changes(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    await configure(client, ("A", "1", False), ("KEY", "hunter2", True), ("gone", "x", False))
    payload = await do(client, "provision", name="try")
    made = await worlds.became(store, (await _all(store, client))[0], "READY")
    shown = (await look(client, made))["configuration"]
    assert payload["environment"]["configuration"] == shown
    assert (shown["productionRevision"], shown["matchesProduction"], shown["drift"]) == ("1", True, [])
    await configure(client, ("A", "2", False), ("KEY", "hunter3", True), ("new", "y", False), unset=("gone",))
    drifted = (await look(client, made))["configuration"]
    assert (drifted["matchesProduction"], drifted["digest"]) == (False, shown["digest"])
    assert drifted["drift"] == [
        {"key": "A", "production": "2", "environment": "1"},
        {"key": "KEY", "production": "secret, changed", "environment": "secret"},
        {"key": "gone", "production": None, "environment": "x"},
        {"key": "new", "production": "y", "environment": None},
    ]
    refreshed = (await do(client, "refresh", environmentId=id_of(made)))["environment"]["configuration"]
    assert (refreshed["productionRevision"], refreshed["matchesProduction"], refreshed["drift"]) == ("2", True, [])
    assert refreshed["digest"] != shown["digest"]
    assert "hunter" not in repr([shown, drifted, refreshed])
    assert viewer.user.id == made.created_by


async def test_what_was_changed_back_is_no_drift(client: Client) -> None:
    await configure(client, ("A", "1", False))
    await do(client, "provision", name="try")
    (made,) = await _all(client.services.store, client)
    await configure(client, ("A", "2", False))
    await configure(client, ("A", "1", False))
    shown = (await look(client, made))["configuration"]
    assert (shown["productionRevision"], shown["matchesProduction"], shown["drift"]) == ("1", True, [])


async def test_cleaning_up_is_shown_until_nothing_remains(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    made = await worlds.provisioning(store, viewer)
    await made_of(store, made, "database", "files")
    made = await worlds.became(store, made, "READY")
    await do(client, "delete", environmentId=id_of(made))
    cleanup = (await look(client, made))["cleanup"]
    assert (cleanup["complete"], cleanup["finishedAt"], cleanup["digest"], cleanup["receipt"]) == (
        False,
        None,
        None,
        None,
    )
    assert (cleanup["removed"], cleanup["remaining"]) == ([], ["database", "files"])
    await environment_resources.removed(store, viewer.tenant_id, made.id, "database")
    made = await worlds.became(store, made, "DELETE_STUCK")
    cleanup = (await look(client, made))["cleanup"]
    assert (cleanup["removed"], cleanup["remaining"]) == ([{"key": "database"}], ["a database"])
    await environment_resources.removed(store, viewer.tenant_id, made.id, "files")
    await worlds.became(store, made, "DELETING", "remaining = NULL")
    made = await worlds.became(store, made, "DELETED")
    shown = await look(client, made)
    assert shown["cleanup"] == {
        "startedAt": shown["cleanup"]["startedAt"],
        "finishedAt": shown["cleanup"]["finishedAt"],
        "complete": True,
        "digest": "0" * 64,
        "receipt": "{}",
        "removed": [{"key": "database"}, {"key": "files"}],
        "remaining": [],
    }
    assert shown["cleanup"]["finishedAt"] is not None


async def test_of_a_deleted_one_there_is_nothing_to_drift(client: Client) -> None:
    store = client.services.store
    await configure(client, ("A", "1", False))
    await do(client, "provision", name="try")
    (made,) = await _all(store, client)
    await do(client, "delete", environmentId=id_of(made))
    await worlds.became(store, made, "DELETED", "snapshot = '{}'")
    shown = (await look(client, made))["configuration"]
    assert (shown["matchesProduction"], shown["drift"]) == (True, [])
    await configure(client, ("A", "2", False))
    shown = (await look(client, made))["configuration"]
    assert (shown["matchesProduction"], shown["drift"]) == (False, [])


async def test_use_is_counted_by_the_clock_of_the_database(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    used = "tokens = 5000000000, cpu_ms = 1500, storage_bytes = 4096, simulations = 3"
    one = await worlds.became(store, await worlds.provisioning(store, viewer), "READY", used)
    other = await worlds.became(store, await worlds.provisioning(store, viewer), "DELETING", used + ", " + BY_A_PERSON)
    store.clock_offset += timedelta(hours=2)
    shown = (await look(client, one))["usage"]
    assert shown.pop("wallHours") == pytest.approx(2, abs=0.01)
    assert shown == {"cpuSeconds": 1.5, "storageBytes": 4096.0, "tokens": 2**31 - 1, "simulations": 3}
    await worlds.became(store, other, "DELETED")
    store.clock_offset += timedelta(hours=1)
    assert (await look(client, other))["usage"]["wallHours"] == pytest.approx(2, abs=0.01)
    fields = "wallHours cpuSeconds storageBytes tokens simulations"
    total = (await client.get(f"{{ viewer {{ tenant {{ environmentUsage {{ {fields} }} }} }} }}"))["viewer"]["tenant"]
    assert total["environmentUsage"].pop("wallHours") == pytest.approx(5, abs=0.02)
    assert total["environmentUsage"] == {
        "cpuSeconds": 3.0,
        "storageBytes": 4096.0,
        "tokens": 2**31 - 1,
        "simulations": 6,
    }


async def test_quotas_say_how_many_there_are(client: Client, eve: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    document = "{ viewer { quotas { environments { limit used remaining } } } }"
    await worlds.provisioning(store, eve.signed_in)
    await worlds.ready(store, viewer)
    going = await worlds.became(store, await worlds.provisioning(store, viewer), "DELETING", BY_A_PERSON)
    quota = (await client.get(document))["viewer"]["quotas"]["environments"]
    assert quota == {"limit": 10, "used": 2, "remaining": 8}
    await worlds.became(store, going, "DELETED")
    quota = (await client.get(document))["viewer"]["quotas"]["environments"]
    assert quota == {"limit": 10, "used": 1, "remaining": 9}


async def test_the_list_is_newest_first_and_filtered(client: Client, bo: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    for number in range(3):
        await worlds.ready(store, viewer, name=f"mine {number}")
        store.clock_offset += timedelta(seconds=1)
    await worlds.provisioning(store, bo.signed_in, name="Bo's")
    assert await names(client) == ["Bo's", "mine 2", "mine 1", "mine 0"]
    assert await names(client, statuses=["PROVISIONING", "DELETED"]) == ["Bo's"]
    assert await names(client, statuses=[]) == []
    assert await names(client, createdByMe=True) == ["mine 2", "mine 1", "mine 0"]
    assert await names(bo, createdByMe=True, statuses=["READY"]) == []
    assert len(await names(client, createdByMe=False)) == len(await names(client, createdByMe=None)) == 4
    first = (await client.get(LIST, {"first": 3}))["environments"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (4, True)
    rest = (await client.get(LIST, {"first": 3, "after": first["pageInfo"]["endCursor"]}))["environments"]
    assert [each["name"] for each in rest["nodes"]] == ["mine 0"]
    last = (await client.get(LIST, {"last": 1, "before": rest["edges"][0]["cursor"]}))["environments"]
    assert [each["node"]["name"] for each in last["edges"]] == ["mine 1"]


async def test_another_tenant_sees_none_of_it(client: Client, eve: Client) -> None:
    made = await worlds.ready(client.services.store, client.signed_in)
    for unknown in (id_of(made), encode(Kind.ENVIRONMENT, new_id()), encode(Kind.SCENARIO, made.id), "nonsense"):
        assert await eve.get(ONE, {"id": unknown}) == {"environment": None}
        assert (await eve.get(NODE, {"id": unknown}))["node"] is None
    assert await names(eve) == []
    assert (await client.get(NODE, {"id": id_of(made)}))["node"] == {"__typename": "Environment", "id": id_of(made)}


async def test_the_minimum_decides_whether_code_runs(client: Client, eve: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    made = await worlds.ready(store, viewer)
    await reported(store, made, json.dumps(REPORT), 0)
    show = "tenant { id minimumIsolation }"
    assert (await client.get(f"{{ viewer {{ {show} }} }}"))["viewer"]["tenant"]["minimumIsolation"] == "FULL"
    for minimum, allowed in (("LANDLOCK", True), ("LOGICAL", True), ("FULL", False)):
        done = await client.do("setMinimumIsolation", show, {"minimum": minimum})
        tenant = {"id": encode(Kind.TENANT, viewer.tenant_id), "minimumIsolation": minimum}
        assert done == {"tenant": tenant, "errors": []}
        assert (await look(client, made))["isolation"]["allowsCode"] is allowed
    assert (await eve.get(f"{{ viewer {{ {show} }} }}"))["viewer"]["tenant"]["minimumIsolation"] == IsolationLevel.FULL


async def test_more_environments_cost_no_more_statements(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    await configure(client, ("A", "1", False))
    for _ in range(8):
        await worlds.ready(store, viewer)
    with counted(store) as statements:
        assert len((await client.get(LIST))["environments"]["nodes"]) == 8
    assert len(statements) == 6, statements  # the list, people, parts, production, the minimum, the time


async def _all(store: Store, client: Client) -> list[Environment]:
    rows: list[dict[str, Any]] = await store.of(client.signed_in.tenant_id).fetch(
        "SELECT id FROM environments WHERE tenant_id = $1", client.signed_in.tenant_id
    )
    return list((await environments.get_many(store, client.signed_in.tenant_id, [row["id"] for row in rows])).values())
