"""Webhooks as clients see them: the secret once, dead letters with their reasons, nothing without the role."""

from dataclasses import replace
from typing import Any

import pytest

from schema.ids import Kind, encode
from tests.graphql.world import Client
from tests.queries import counted
from tests.storage.webhook_worlds import queued, webhook
from tests.storage.worlds import stranger
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Role
from windtunnel.domain.webhooks import DeliveryStatus, Verdict
from windtunnel.storage import deliveries

URL = "https://93.184.215.14/in"
INPUT = {"url": URL, "kinds": ["SIMULATION_FINISHED"]}
FIELDS = "webhook { id url kinds createdAt deadLetters lastDeliveryAt lastStatus } secret"
LIST = """{ webhooks { id url kinds deadLetters lastDeliveryAt lastStatus
  deliveries(first: 2) { totalCount pageInfo { hasNextPage } nodes { id kind status attempts createdAt dueAt finishedAt
    lastStatus lastError } } } }"""
NODE = "query($id: ID!) { node(id: $id) { __typename id } }"


async def _webhooks(client: Client, document: str = LIST) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(document))["webhooks"]
    return found


async def _fail_all(client: Client) -> None:
    """Give up whatever is due."""
    while claimed := await deliveries.claim(client.services.store, "deliverer", 100):
        for each in claimed:
            verdict = Verdict(DeliveryStatus.DEAD, "The receiver answered with HTTP status 410.")
            await deliveries.settle(client.services.store, each, 410, verdict)


async def test_a_webhook_is_registered_listed_and_deleted(client: Client) -> None:
    assert await _webhooks(client) == []
    made = await client.do("registerWebhook", FIELDS, INPUT)
    assert made["errors"] == []
    assert made["secret"].startswith("whsec_")
    shown = made["webhook"]
    assert shown.pop("createdAt")
    assert shown == INPUT | {"id": shown["id"], "deadLetters": 0, "lastDeliveryAt": None, "lastStatus": None}
    (listed,) = await _webhooks(client)
    assert listed.pop("deliveries") == {"totalCount": 0, "pageInfo": {"hasNextPage": False}, "nodes": []}
    assert listed == shown
    assert (await client.get(NODE, {"id": shown["id"]}))["node"] == {"__typename": "Webhook", "id": shown["id"]}
    deleted = await client.do("deleteWebhook", "deletedId", {"webhookId": shown["id"]})
    assert deleted == {"deletedId": shown["id"], "errors": []}
    assert await _webhooks(client) == []
    (error,) = (await client.do("deleteWebhook", "deletedId", {"webhookId": shown["id"]}))["errors"]
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "webhookId"])


async def test_the_secret_is_shown_once(client: Client) -> None:
    once = INPUT | {"idempotencyKey": "k"}
    first = await client.do("registerWebhook", FIELDS, once)
    again = await client.do("registerWebhook", FIELDS, once)
    assert (again["webhook"], again["secret"]) == (first["webhook"], None)
    seen = [again, await client.get(LIST), await client.get("{ auditLog { nodes { details } } }")]
    assert first["secret"].removeprefix("whsec_") not in repr(seen)


@pytest.mark.parametrize(
    "url", ["http://93.184.215.14/", "https://localhost/", "https://127.0.0.1/", "https://10.1/", "", "\x00"]
)
async def test_a_url_that_may_not_be_sent_to_is_a_user_error(client: Client, url: str) -> None:
    refused = await client.do("registerWebhook", "webhook { id } secret", INPUT | {"url": url})
    assert (refused["webhook"], refused["secret"]) == (None, None)
    (error,) = refused["errors"]
    assert (error["__typename"], error["rule"], error["path"]) == ("ValidationError", "webhook_url", ["input", "url"])


async def test_dead_letters_are_counted_and_say_why(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    made = await client.do("registerWebhook", "webhook { id }", INPUT)
    await queued(store, viewer, 3)
    await _fail_all(client)
    await queued(store, viewer)
    (shown,) = await _webhooks(client)
    assert (shown["deadLetters"], shown["lastStatus"], shown["lastDeliveryAt"] is not None) == (3, 410, True)
    assert shown["deliveries"]["totalCount"] == 4
    assert shown["deliveries"]["pageInfo"] == {"hasNextPage": True}
    document = LIST.replace("first: 2", "status: DEAD")
    (only_dead,) = await _webhooks(client, document)
    letters = only_dead["deliveries"]["nodes"]
    assert len(letters) == 3
    for letter in letters:
        assert letter["lastError"] == "The receiver answered with HTTP status 410."
        assert (letter["kind"], letter["status"], letter["attempts"]) == ("SIMULATION_FINISHED", "DEAD", 1)
        assert (letter["lastStatus"], letter["finishedAt"] is not None) == (410, True)
    letter = letters[0]["id"]
    assert (await client.get(NODE, {"id": letter}))["node"] == {"__typename": "WebhookDelivery", "id": letter}
    assert made["webhook"]["id"] == shown["id"]


async def test_deliveries_are_read_page_by_page(client: Client) -> None:
    await client.do("registerWebhook", "webhook { id }", INPUT)
    await queued(client.services.store, client.signed_in, 5)
    document = """query($after: String) { webhooks { deliveries(first: 2, after: $after) {
      pageInfo { hasNextPage endCursor } nodes { id } } } }"""
    ids: list[str] = []
    after = None
    while True:
        page = (await client.get(document, {"after": after}))["webhooks"][0]["deliveries"]
        ids += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(ids) == len(set(ids)) == 5


async def test_more_webhooks_cost_no_more_statements(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    for _ in range(8):
        await webhook(store, viewer)
    await queued(store, viewer, 3)
    with counted(store) as statements:
        assert len(await _webhooks(client)) == 8
    assert len(statements) == 3, statements


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.AUDITOR, Role.SECURITY_REVIEWER])
async def test_without_the_role_there_is_nothing_to_see(client: Client, role: Role) -> None:
    store, viewer = client.services.store, client.signed_in
    made = await client.do("registerWebhook", "webhook { id }", INPUT)
    await queued(store, viewer)
    (shown,) = await _webhooks(client)
    other = Client(client.services, replace(viewer, roles=frozenset({role})))
    answer = await other.ask(LIST)
    assert (answer.data, answer.codes) == ({"webhooks": None}, ["FORBIDDEN"])
    for shown_id in (made["webhook"]["id"], shown["deliveries"]["nodes"][0]["id"], encode(Kind.WEBHOOK, new_id())):
        assert (await other.get(NODE, {"id": shown_id}))["node"] is None
    for verb, result, given in (
        ("registerWebhook", "secret", INPUT),
        ("deleteWebhook", "deletedId", {"webhookId": made["webhook"]["id"]}),
    ):
        document = f"mutation($input: {verb[0].upper()}{verb[1:]}Input!) {{ {verb}(input: $input) {{ {result} }} }}"
        assert (await other.ask(document, {"input": given})).codes == ["FORBIDDEN"]
    assert [each["id"] for each in await _webhooks(client)] == [shown["id"]]


async def test_another_tenant_sees_none_of_it(client: Client) -> None:
    made = await client.do("registerWebhook", "webhook { id }", INPUT)
    await queued(client.services.store, client.signed_in)
    (shown,) = await _webhooks(client)
    other = Client(client.services, await stranger(client.services.store))
    assert await _webhooks(other) == []
    for shown_id in (made["webhook"]["id"], shown["deliveries"]["nodes"][0]["id"]):
        assert (await other.get(NODE, {"id": shown_id}))["node"] is None
    (error,) = (await other.do("deleteWebhook", "deletedId", {"webhookId": made["webhook"]["id"]}))["errors"]
    assert error["code"] == "NOT_FOUND"
    assert len(await _webhooks(client)) == 1
