"""Tokens and roles in the schema: only an ADMIN sees them, a secret is shown once."""

from dataclasses import replace
from typing import Any

from schema.ids import Kind, encode
from tests.graphql.world import Client
from tests.queries import counted
from tests.storage.worlds import colleague, stranger
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Role
from windtunnel.storage import people

TOKENS = "{ viewer { apiTokens { id name prefix roles user { name } issuedBy { name } lastUsedAt expiresAt } } }"


async def issue(client: Client, name: str, **input: object) -> dict[str, Any]:
    payload: dict[str, Any] = await client.do(
        "issueApiToken",
        "secret token { id name prefix roles createdAt expiresAt user { id name } issuedBy { name } }",
        {"name": name, "roles": ["DEVELOPER", "ADMIN"], **input},
    )
    return payload


async def test_a_token_is_issued_listed_and_revoked(client: Client) -> None:
    issued = await issue(client, "robot", expiresAt="2999-01-02T03:04:05Z", idempotencyKey="k")
    token = issued["token"]
    assert issued["errors"] == []
    assert str(issued["secret"]).startswith(token["prefix"])
    assert (token["roles"], token["expiresAt"]) == (["DEVELOPER", "ADMIN"], "2999-01-02T03:04:05.000Z")
    replayed = await issue(client, "robot", expiresAt="2999-01-02T03:04:05Z", idempotencyKey="k")
    assert replayed == {**issued, "secret": None}
    (listed,) = (await client.get(TOKENS))["viewer"]["apiTokens"]
    assert listed["id"] == token["id"]
    assert listed["lastUsedAt"] is None
    assert listed["issuedBy"] == {"name": "You"}
    revoked = await client.do("revokeApiToken", "revokedId", {"tokenId": token["id"]})
    assert revoked == {"revokedId": token["id"], "errors": []}
    assert (await client.get(TOKENS))["viewer"]["apiTokens"] == []
    found = await client.get("query($id: ID!) { node(id: $id) { id ... on ApiToken { name } } }", {"id": token["id"]})
    assert found["node"] == {"id": token["id"], "name": "robot"}


async def test_tokens_are_listed_in_as_many_statements_as_one(client: Client) -> None:
    bo = (await colleague(client.services.store, client.signed_in)).user
    async with client.services.store.transaction(client.signed_in.tenant_id):
        await people.add_roles(client.services.store, bo.tenant_id, bo.id, Role)
    await issue(client, "first")
    with counted(client.services.store) as one:
        await client.get(TOKENS)
    for number in range(5):
        await issue(client, f"mine {number}")
        await issue(client, f"theirs {number}", userId=encode(Kind.USER, bo.id))
    with counted(client.services.store) as many:
        listed = (await client.get(TOKENS))["viewer"]["apiTokens"]
    assert {token["user"]["name"] for token in listed} == {"You", "Bo"}
    assert [token["name"] for token in listed][-1] == "first"
    assert len(one) == len(many) == 2


async def test_whoever_is_no_admin_sees_none(client: Client) -> None:
    token = (await issue(client, "robot"))["token"]
    nearly = Client(client.services, replace(client.signed_in, roles=frozenset(Role) - {Role.ADMIN}))
    answer = await nearly.ask("{ viewer { apiTokens { id } user { name } } }")
    assert answer.data == {"viewer": {"apiTokens": None, "user": {"name": "You"}}}
    assert answer.codes == ["FORBIDDEN"]
    for somebody in (nearly, Client(client.services, await stranger(client.services.store))):
        assert await somebody.get("query($id: ID!) { node(id: $id) { id } }", {"id": token["id"]}) == {"node": None}


async def test_what_is_refused_says_where(client: Client) -> None:
    auditor = replace(client.signed_in, roles=frozenset({Role.AUDITOR}))
    bo = (await colleague(client.services.store, auditor)).user
    refused = await issue(client, "robot", userId=encode(Kind.USER, bo.id))
    assert refused["errors"] == [
        {
            "__typename": "PolicyError",
            "code": "POLICY_VIOLATION",
            "message": "A token has at most the roles of its person, who lacks ADMIN, DEVELOPER.",
            "path": ["input", "roles"],
            "policy": "roles_of_the_person",
        }
    ]
    for id_ in (encode(Kind.USER, new_id()), encode(Kind.TENANT, bo.id), "rubbish"):
        (error,) = (await issue(client, "robot", userId=id_))["errors"]
        assert (error["code"], error["path"], error["resourceId"]) == ("NOT_FOUND", ["input", "userId"], id_)
    (error,) = (await issue(client, "robot", expiresAt="2000-01-01T00:00:00Z"))["errors"]
    assert (error["rule"], error["path"]) == ("in_the_past", ["input", "expiresAt"])


async def test_roles_are_set_by_address(client: Client) -> None:
    payload = await client.do("setMemberRoles", "user { name email }", {"email": "Ada@x.org", "roles": ["AUDITOR"]})
    assert payload == {"user": {"name": "ada", "email": "ada@x.org"}, "errors": []}
    (error,) = (await client.do("setMemberRoles", "user { id }", {"email": "you@demo.local", "roles": []}))["errors"]
    assert (error["policy"], error["path"]) == ("last_admin", ["input", "roles"])
