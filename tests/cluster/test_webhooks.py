"""A server that is killed after a webhook was told and before it could write that down."""

import asyncio
import base64
from pathlib import Path

from standardwebhooks import Webhook as Verifier

from tests.clients import ask, visitor
from tests.delivery.receivers import LOOPBACK, Received, answering, receiver, silence
from tests.processes import Api
from tests.waiting import a_moment

TEXT = "Customers write to us. Route each message to a specialist; refunds need a manager."
REGISTER = """mutation($input: RegisterWebhookInput!) { registerWebhook(input: $input) {
  webhook { id } secret errors { code message } } }"""
SIMULATE = """mutation($input: SimulateInput!) { simulate(input: $input) {
  simulation { id status } errors { code message } } }"""
LIST = """{ webhooks { url deadLetters lastStatus deliveries {
  nodes { id status attempts lastStatus lastError } } } auditLog { nodes { action details } } }"""


async def test_what_was_told_and_not_written_down_is_told_again_with_the_same_id(tmp_path: Path) -> None:
    settings = {
        "WINDTUNNEL_DATA_DIR": str(tmp_path),
        "WINDTUNNEL_WEBHOOK_ALLOW": LOOPBACK,
        "WINDTUNNEL_LOG_LEVEL": "debug",
    }
    logs: list[str] = []
    dead = False

    async def behave(request: Received, writer: asyncio.StreamWriter) -> None:
        await (answering(204) if dead else silence)(request, writer)

    async with receiver(behave) as there, visitor() as client:
        url = f"http://{LOOPBACK}:{there.port}/in"
        with Api(settings) as server:
            made = await ask(client, server.url, REGISTER, input={"url": url, "kinds": ["SIMULATION_FINISHED"]})
            secret = made["registerWebhook"]["secret"]
            done = await ask(client, server.url, SIMULATE, input={"scenario": {"text": TEXT}, "waitFor": "FINISHED"})
            assert done["simulate"]["simulation"]["status"] == "SUCCEEDED"
            await there.until(1)
            await asyncio.to_thread(server.kill)
            logs += server.log
        dead = True
        later = settings | {"WINDTUNNEL_TEST_CLOCK": "1", "WINDTUNNEL_CLOCK_OFFSET": "PT1M"}
        with Api(later) as heir:
            first, second = await there.until(2)
            while True:
                shown = await ask(client, heir.url, LIST)
                (delivery,) = shown["webhooks"][0]["deliveries"]["nodes"]
                if delivery["status"] != "PENDING":
                    break
                await a_moment()
            logs += heir.log
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery["id"]
    assert first.body == second.body
    for request in (first, second):
        assert Verifier(secret).verify(request.body, request.headers)["type"] == "SIMULATION_FINISHED"
    assert delivery == {
        "id": delivery["id"],
        "status": "DELIVERED",
        "attempts": 2,
        "lastStatus": 204,
        "lastError": None,
    }
    assert len(logs) > 5
    _assert_found_nowhere(secret, [repr(logs), repr(shown), repr(first), repr(second)], tmp_path)


def _assert_found_nowhere(secret: str, texts: list[str], directory: Path) -> None:
    encoded = secret.removeprefix("whsec_")
    raw = base64.b64decode(encoded)
    hidden = [encoded.encode(), raw, raw.hex().encode(), base64.urlsafe_b64encode(raw)]
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"windtunnel.db", "secrets.key"}
    contents = [text.encode() for text in texts] + [path.read_bytes() for path in files]
    assert [each for each in hidden if any(each in content for content in contents)] == []
