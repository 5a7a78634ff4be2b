"""Production as clients see it: everybody the entries, nobody a secret."""

from dataclasses import replace
from typing import Any

import pytest

from tests.graphql.world import Client
from tests.queries import counted
from tests.storage.worlds import stranger
from windtunnel.domain.viewers import Role

SHOW = "{ production { revision configuration { key value secret } } }"
FIELDS = SHOW.removeprefix("{").removesuffix("}")


async def production(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(SHOW))["production"]
    return found


async def configure(client: Client, **input: Any) -> dict[str, Any]:
    found: dict[str, Any] = await client.do("configureProduction", FIELDS, input)
    return found


def entry(key: str, value: str | None, secret: bool = False) -> dict[str, Any]:
    return {"key": key, "value": value, "secret": secret}


async def test_production_is_configured_and_shown(client: Client) -> None:
    assert await production(client) == {"revision": 0, "configuration": []}
    made = await configure(client, set=[entry("b", "2"), entry("B", "1"), entry("a.KEY", "hunter2", secret=True)])
    shown = {"revision": 1, "configuration": [entry("B", "1"), entry("a.KEY", None, secret=True), entry("b", "2")]}
    assert made == {"production": shown, "errors": []}
    assert await production(client) == shown
    made = await configure(client, set=[entry("b", "3")], unset=["B", "nothing"])
    assert made["production"] == {
        "revision": 2,
        "configuration": [entry("a.KEY", None, secret=True), entry("b", "3")],
    }


@pytest.mark.parametrize("said", [{}, {"secret": None}])
async def test_what_is_not_said_stays_as_it_was(client: Client, said: dict[str, Any]) -> None:
    await configure(client, set=[entry("S", "hunter2", secret=True)])
    made = await configure(client, set=[{"key": "S", "value": "hunter3"} | said, {"key": "new", "value": "x"} | said])
    assert made["production"]["configuration"] == [entry("S", None, secret=True), entry("new", "x")]


@pytest.mark.parametrize("input", [{}, {"set": None, "unset": None}, {"set": [], "unset": []}])
async def test_nothing_to_do_is_no_error(client: Client, input: dict[str, Any]) -> None:
    assert await configure(client, **input) == {"production": {"revision": 0, "configuration": []}, "errors": []}


@pytest.mark.parametrize(
    ("input", "rule", "path"),
    [
        ({"set": [entry("a b", "")]}, "bad_key", ["input", "set", "0", "key"]),
        ({"set": [entry("a", ""), entry("a", "")]}, "key_repeated", ["input", "set", "1", "key"]),
        ({"set": [entry("a", "")], "unset": ["a"]}, "key_repeated", ["input", "set", "0", "key"]),
        ({"set": [entry("a", "\0")]}, "string_unstorable", ["input", "set", "0", "value"]),
        ({"set": [entry("a", "x" * 65_537)]}, "string_too_long", ["input", "set", "0", "value"]),
        ({"unset": ["a"] * 501}, "too_many_entries", ["input", "unset"]),
    ],
)
async def test_bad_input_is_a_user_error(client: Client, input: dict[str, Any], rule: str, path: list[str]) -> None:
    refused = await configure(client, **input)
    assert refused["production"] is None
    (error,) = refused["errors"]
    assert (error["__typename"], error["rule"], error["path"]) == ("ValidationError", rule, path)


async def test_too_many_entries_are_a_user_error(client: Client) -> None:
    await configure(client, set=[entry(f"K{number}", "") for number in range(500)])
    (error,) = (await configure(client, set=[entry("One_more", "")]))["errors"]
    assert (error["code"], error["limit"], error["used"]) == ("QUOTA_EXCEEDED", 500, 500)
    with counted(client.services.store) as statements:
        assert len((await production(client))["configuration"]) == 500
    assert len(statements) == 1, statements


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_reads_and_some_configure(client: Client, role: Role) -> None:
    await configure(client, set=[entry("a", "1")])
    other = Client(client.services, replace(client.signed_in, roles=frozenset({role})))
    assert (await production(other))["configuration"] == [entry("a", "1")]
    document = 'mutation { configureProduction(input: {unset: ["a"]}) { production { revision } } }'
    refused = role not in {Role.OPERATOR, Role.ADMIN}
    assert (await other.ask(document)).codes == (["FORBIDDEN"] if refused else [])


async def test_strangers_and_other_tenants_see_nothing_of_it(client: Client) -> None:
    await configure(client, set=[entry("a", "1")])
    answer = await Client(client.services, None).ask(SHOW)
    assert (answer.data, answer.codes) == (None, ["UNAUTHENTICATED"])
    other = Client(client.services, await stranger(client.services.store))
    assert await production(other) == {"revision": 0, "configuration": []}
    await configure(other, set=[entry("a", "theirs")], unset=["b"])
    assert await production(client) == {"revision": 1, "configuration": [entry("a", "1")]}


async def test_the_change_is_in_the_audit_log(client: Client) -> None:
    await configure(client, set=[entry("a", "1"), entry("S", "hunter2", secret=True)])
    document = "{ auditLog { nodes { action details subject { __typename } } } }"
    (shown,) = (await client.get(document))["auditLog"]["nodes"]
    assert (shown["action"], shown["subject"]) == ("PRODUCTION_CONFIGURED", {"__typename": "Tenant"})
    assert shown["details"]["to"] == [
        {"key": "S", "secret": True},
        {"key": "a", "secret": False, "value": "1"},
    ]


async def test_an_operation_reads_production_once(client: Client) -> None:
    await configure(client, set=[entry("a", "1")])
    with counted(client.services.store) as statements:
        found = await client.get("{ " + " ".join(f"a{n}: production {{ revision }}" for n in range(40)) + " }")
    assert len(found) == 40
    assert found["a39"] == {"revision": 1}
    assert len(statements) == 1
