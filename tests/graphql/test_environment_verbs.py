"""Changing environments as clients do it: what is answered at once, and why something is refused."""

from datetime import timedelta
from typing import Any

import pytest

from schema.ids import Kind, encode
from tests.graphql.environments import asked, do, id_of, look
from tests.graphql.world import Client
from tests.storage import environment_worlds as worlds
from windtunnel.domain.ids import new_id

VERBS = ("extend", "pause", "resume", "refresh", "delete")


def about(verb: str, environment_id: str) -> dict[str, Any]:
    """The input of a verb."""
    return {"environmentId": environment_id} | ({"lifetime": "PT1H"} if verb == "extend" else {})


async def refusal(client: Client, verb: str, environment_id: str, **more: Any) -> dict[str, Any]:
    payload = await do(client, verb, **about(verb, environment_id) | more)
    assert payload["environment"] is None
    (error,) = payload["errors"]
    return dict(error)


async def log(client: Client) -> list[tuple[str, Any]]:
    """Actions on record, oldest first, with the type of their subjects."""
    document = "{ auditLog(first: 50) { nodes { action subject { __typename id } } } }"
    nodes = (await client.get(document))["auditLog"]["nodes"]
    return [(node["action"], node["subject"]) for node in reversed(nodes)]


async def test_an_environment_is_asked_for(client: Client) -> None:
    limits = {"cpu": 0.5, "memoryMb": 64, "storageMb": 16, "maxSimulations": 1}
    shown = await asked(client, " a try ", lifetime="PT10M", limits=limits)
    assert (shown["name"], shown["status"], shown["limits"]) == ("a try", "PROVISIONING", limits)
    assert shown["createdBy"] == {"name": client.signed_in.user.name}
    usual = await asked(client, "usual", lifetime=None, limits={"cpu": None})
    assert usual["limits"] == {"cpu": 1.0, "memoryMb": 512, "storageMb": 256, "maxSimulations": 5}
    (environment,) = (await client.get("{ environments(last: 1) { nodes { createdAt expiresAt } } }"))["environments"][
        "nodes"
    ]
    assert environment["createdAt"] < environment["expiresAt"]
    subject = {"__typename": "Environment", "id": shown["id"]}
    assert (await log(client))[0] == ("ENVIRONMENT_REQUESTED", subject)


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"name": " "}, ["input", "name"]),
        ({"name": "x" * 101}, ["input", "name"]),
        ({"lifetime": "PT9M59S"}, ["input", "lifetime"]),
        ({"lifetime": "P7DT1S"}, ["input", "lifetime"]),
        ({"lifetime": "-P1D"}, ["input", "lifetime"]),
        ({"limits": {"cpu": 0}}, ["input", "limits", "cpu"]),
        ({"limits": {"memoryMb": 63}}, ["input", "limits", "memoryMb"]),
        ({"limits": {"storageMb": 4097}}, ["input", "limits", "storageMb"]),
        ({"limits": {"maxSimulations": 21}}, ["input", "limits", "maxSimulations"]),
    ],
)
async def test_what_nobody_can_have_is_a_user_error(client: Client, input: dict[str, Any], path: list[str]) -> None:
    payload = await do(client, "provision", **{"name": "try"} | input)
    assert payload["environment"] is None
    (error,) = payload["errors"]
    assert (error["__typename"], error["code"], error["path"]) == ("ValidationError", "BAD_USER_INPUT", path)
    assert await log(client) == []


async def test_the_eleventh_is_too_many(client: Client, eve: Client) -> None:
    for number in range(10):
        await asked(client, str(number))
    (error,) = (await do(client, "provision", name="one more"))["errors"]
    assert (error["__typename"], error["code"]) == ("QuotaError", "QUOTA_EXCEEDED")
    assert (error["limit"], error["used"]) == (10, 10)
    assert (await asked(eve))["status"] == "PROVISIONING"


async def test_the_same_key_gives_the_same_environment(client: Client) -> None:
    first = await asked(client, idempotencyKey="k")
    assert (await asked(client, idempotencyKey="k"))["id"] == first["id"]
    (error,) = (await do(client, "provision", name="other", idempotencyKey="k"))["errors"]
    assert (error["__typename"], error["code"]) == ("ConflictError", "IDEMPOTENCY_MISMATCH")
    assert [action for action, _ in await log(client)] == ["ENVIRONMENT_REQUESTED"]


async def test_the_flag_stops_creation_alone(client: Client) -> None:
    made = await worlds.ready(client.services.store, client.signed_in)
    off = {"name": "enable-simulation-environments", "enabled": False}
    await client.do("setFeatureFlag", "flag { enabled }", off)
    (error,) = (await do(client, "provision", name="try"))["errors"]
    assert (error["__typename"], error["code"]) == ("PolicyError", "FEATURE_DISABLED")
    for verb in ("extend", "refresh", "pause", "resume", "delete"):
        assert (await do(client, verb, **about(verb, id_of(made))))["errors"] == []


async def test_a_life_is_on_record(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    made = await worlds.ready(store, viewer)
    assert (await do(client, "pause", environmentId=id_of(made)))["environment"]["status"] == "PAUSED"
    assert (await do(client, "resume", environmentId=id_of(made)))["environment"]["status"] == "READY"
    before = (await look(client, made))["expiresAt"]
    extended = await do(client, "extend", environmentId=id_of(made), lifetime="P3D")
    assert extended["environment"]["expiresAt"] > before
    gone = await do(client, "delete", environmentId=id_of(made))
    assert (gone["environment"]["status"], gone["environment"]["cleanup"]["complete"]) == ("DELETING", False)
    again = await do(client, "delete", environmentId=id_of(made))
    assert (again["errors"], again["environment"]["lastSeq"]) == ([], gone["environment"]["lastSeq"])
    subject = {"__typename": "Environment", "id": id_of(made)}
    actions = await log(client)
    assert [each[1] for each in actions] == [subject] * len(actions)
    assert [action for action, _ in actions][:3] == [
        "ENVIRONMENT_PAUSED",
        "ENVIRONMENT_RESUMED",
        "ENVIRONMENT_EXTENDED",
    ]
    assert len(actions) == 4


async def test_seven_days_are_not_exceeded(client: Client) -> None:
    store = client.services.store
    made = await worlds.ready(store, client.signed_in)
    store.clock_offset += timedelta(days=1)
    error = await refusal(client, "extend", id_of(made), lifetime="P6DT1H")
    assert (error["__typename"], error["code"], error["path"]) == (
        "ValidationError",
        "BAD_USER_INPUT",
        ["input", "lifetime"],
    )
    assert (await do(client, "extend", environmentId=id_of(made), lifetime="P5DT23H"))["errors"] == []


async def test_what_the_state_does_not_allow_is_a_conflict(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    new = await worlds.provisioning(store, viewer)
    for verb in ("extend", "pause", "resume", "refresh"):
        error = await refusal(client, verb, id_of(new))
        assert (error["__typename"], error["code"], error["current"]) == ("ConflictError", "CONFLICT", "PROVISIONING")
        assert error["allowed"], verb
    going = await worlds.ready(store, viewer)
    await do(client, "delete", environmentId=id_of(going))
    store.clock_offset += timedelta(days=8)
    for verb in ("extend", "pause", "resume", "refresh"):
        assert (await refusal(client, verb, id_of(going)))["code"] == "CONFLICT", verb


async def test_past_its_time_the_answer_is_that_it_has_expired(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    made = await worlds.ready(store, viewer)
    store.clock_offset += timedelta(days=2)
    for verb in ("extend", "pause", "resume", "refresh"):
        assert (await refusal(client, verb, id_of(made)))["code"] == "ENVIRONMENT_EXPIRED", verb
    await worlds.gone(store, await worlds.became(store, made, "EXPIRING"))
    for verb in ("extend", "pause", "resume", "refresh"):
        assert (await refusal(client, verb, id_of(made)))["code"] == "ENVIRONMENT_EXPIRED", verb
    assert (await do(client, "delete", environmentId=id_of(made)))["environment"]["status"] == "DELETED"


async def test_what_is_not_there_is_not_found(client: Client, eve: Client) -> None:
    theirs = id_of(await worlds.ready(client.services.store, eve.signed_in))
    for unknown in (theirs, encode(Kind.ENVIRONMENT, new_id()), encode(Kind.SIMULATION, new_id()), "nonsense"):
        for verb in VERBS:
            error = await refusal(client, verb, unknown)
            assert (error["__typename"], error["code"]) == ("NotFoundError", "NOT_FOUND")
            assert (error["path"], error["resourceId"]) == (["input", "environmentId"], unknown)
