"""Attempts to deliver: signed, repeated with the same id, given up in the end; receivers are real."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError
from structlog.typing import EventDict

from schema.ids import Kind, encode
from tests.delivery.receivers import LOOPBACK, Received, answering, courier, receiver
from tests.operations.inboxes import tell
from tests.operations.world import demo, process
from tests.storage.webhook_worlds import FINISHED, listed, stored
from windtunnel.delivery.courier import Courier
from windtunnel.delivery.destination import NOT_FOUND_OR_NOT_PUBLIC
from windtunnel.delivery.errors import BusyError
from windtunnel.domain.policy import WEBHOOK_LEASE_MS
from windtunnel.domain.viewers import Viewer
from windtunnel.domain.webhooks import WEBHOOK_ATTEMPTS_MAX, ClaimedDelivery, Delivery, DeliveryStatus
from windtunnel.operations.delete_webhook import delete_webhook
from windtunnel.operations.deliver import GIVEN_UP, NO_SECRET, deliver
from windtunnel.operations.register_webhook import Registered, register_webhook
from windtunnel.operations.services import Services
from windtunnel.storage import deliveries
from windtunnel.vault.sealing import KEY_BYTES, Vault

HERE = courier(LOOPBACK)


async def registered(services: Services, viewer: Viewer, port: int, host: str = LOOPBACK) -> Registered:
    return await register_webhook(services, viewer, f"http://{host}:{port}/in", [FINISHED])


async def due(services: Services) -> list[ClaimedDelivery]:
    """Turn the clock to when something is due, and claim it."""
    for _ in range(100):
        if claimed := await deliveries.claim(services.store, "deliverer", 10):
            return claimed
        services.store.clock_offset += timedelta(minutes=30)
    return []


async def only(services: Services, made: Registered) -> Delivery:
    (delivery,) = await listed(services.store, made.webhook)
    return delivery


async def test_a_receiver_can_verify_what_it_is_told(database_url: str) -> None:
    async with receiver() as there, process(database_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there.port)
        await tell(one, viewer, "Simulation succeeded: ä", body="More.")
        (claimed,) = await due(one)
        await deliver(one, claimed)
        (request,) = there.requests
        assert made.secret
        message = Verifier(made.secret).verify(request.body, request.headers)
        assert (message["type"], message["data"]["title"]) == ("SIMULATION_FINISHED", "Simulation succeeded: ä")
        told_at = datetime.fromisoformat(message["timestamp"])
        assert abs(await one.store.now() - told_at) < timedelta(minutes=1)
        assert request.headers["content-type"] == "application/json"
        assert request.headers["webhook-id"] == encode(Kind.WEBHOOK_DELIVERY, claimed.id)
        done = await only(one, made)
        assert (done.status, done.attempts, done.last_status) == (DeliveryStatus.DELIVERED, 1, 204)
        assert (done.last_error, done.finished_at is not None) == (None, True)
        assert (await stored(one.store, made.webhook)).last_status == 204
        with pytest.raises(WebhookVerificationError):
            Verifier(made.secret).verify(request.body.replace("succeeded", "failed"), request.headers)


async def test_an_attempt_that_is_repeated_has_the_same_id_and_body_and_is_no_replay(database_url: str) -> None:
    async with receiver(answering(500, 302, 200)) as there, process(database_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there.port)
        await tell(one, viewer, "Done.")
        seen = set()
        for expected in (DeliveryStatus.PENDING, DeliveryStatus.PENDING, DeliveryStatus.DELIVERED):
            (claimed,) = await due(one)
            await deliver(one, claimed)
            assert (await only(one, made)).status is expected
        assert made.secret
        for request in there.requests:
            Verifier(made.secret).verify(request.body, request.headers)
            seen.add((request.headers["webhook-id"], request.body))
        assert len(there.requests) == 3
        assert len(seen) == 1
        now = datetime.now(UTC).timestamp()
        assert all(abs(now - int(each.headers["webhook-timestamp"])) < 60 for each in there.requests), (
            "the world's clock, however the store's was turned"
        )
        recorded = dict(there.requests[0].headers)
        recorded["webhook-timestamp"] = str(int(recorded["webhook-timestamp"]) - 3_600)
        with pytest.raises(WebhookVerificationError):
            Verifier(made.secret).verify(there.requests[0].body, recorded)


async def test_after_the_last_attempt_a_message_is_a_dead_letter(database_url: str, logs: list[EventDict]) -> None:
    async with receiver(answering(503)) as there, process(database_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there.port)
        await tell(one, viewer, "Done.")
        pauses = []
        for attempt in range(1, WEBHOOK_ATTEMPTS_MAX + 1):
            (claimed,) = await due(one)
            assert claimed.attempts == attempt
            await deliver(one, claimed)
            pauses.append((await only(one, made)).due_at - await one.store.now())
        dead = await only(one, made)
        assert (dead.status, dead.attempts, dead.last_status) == (DeliveryStatus.DEAD, WEBHOOK_ATTEMPTS_MAX, 503)
        assert dead.last_error == "The receiver answered with HTTP status 503."
        assert pauses[:-1] == sorted(pauses[:-1])
        assert timedelta(hours=12) < pauses[-2] < timedelta(hours=20)
        assert await due(one) == []
        assert len(there.requests) == WEBHOOK_ATTEMPTS_MAX
        assert [each["event"] for each in logs if each["log_level"] == "warning"] == ["message to webhook given up"]


async def test_a_receiver_that_is_gone_is_asked_once(sqlite_url: str) -> None:
    async with receiver(answering(410)) as there, process(sqlite_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there.port)
        await tell(one, viewer, "Done.")
        (claimed,) = await due(one)
        await deliver(one, claimed)
        assert (await only(one, made)).status is DeliveryStatus.DEAD


async def test_a_receiver_that_asks_for_patience_gets_it(sqlite_url: str) -> None:
    async with (
        receiver(answering(429, headers=[("retry-after", "7200")])) as there,
        process(sqlite_url, courier=HERE) as one,
    ):
        viewer = await demo(one)
        made = await registered(one, viewer, there.port)
        await tell(one, viewer, "Done.")
        (claimed,) = await due(one)
        await deliver(one, claimed)
        pause = (await only(one, made)).due_at - await one.store.now()
        assert timedelta(minutes=119) < pause <= timedelta(hours=2)


async def test_a_name_that_was_public_when_registered_and_is_not_any_more_is_not_sent_to(sqlite_url: str) -> None:
    answers = [["93.184.215.14"], ["127.0.0.1"], ["169.254.169.254"], ["::ffff:10.0.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        del host, port
        return answers.pop(0)

    async with receiver() as there, process(sqlite_url, courier=Courier(lookup=rebinding)) as one:
        viewer = await demo(one)
        url = f"https://hooks.example.com:{there.port}/"
        made = await register_webhook(one, viewer, url, [FINISHED])
        await tell(one, viewer, "Done.")
        while answers:
            (claimed,) = await due(one)
            await deliver(one, claimed)
            refused = await only(one, made)
            assert (refused.status, refused.last_error) == (DeliveryStatus.PENDING, NOT_FOUND_OR_NOT_PUBLIC)
        assert there.connections == 0


async def test_what_had_to_wait_for_look_ups_has_not_failed(database_url: str) -> None:
    answers: list[Sequence[str] | None] = [["93.184.215.14"], None, ["10.0.0.1"]]

    async def busy(host: str, port: int) -> Sequence[str]:
        del host, port
        if (found := answers.pop(0)) is None:
            raise BusyError
        return found

    async with process(database_url, courier=Courier(lookup=busy)) as one:
        viewer = await demo(one)
        made = await register_webhook(one, viewer, "https://hooks.example.com/", [FINISHED])
        await tell(one, viewer, "Done.")
        (claimed,) = await due(one)
        await deliver(one, claimed)
        waiting = await only(one, made)
        assert (waiting.status, waiting.attempts, waiting.last_error) == (DeliveryStatus.PENDING, 0, None)
        assert await deliveries.claim(one.store, "deliverer", 10) == [], "at once would be over and over"
        (again,) = await due(one)
        assert (again.id, again.attempts) == (claimed.id, 1)
        await deliver(one, again)
        assert (await only(one, made)).last_error == NOT_FOUND_OR_NOT_PUBLIC


async def test_a_webhook_that_is_deleted_while_it_is_sent_to_leaves_nothing_behind(database_url: str) -> None:
    deleted = asyncio.Event()

    async def slow(request: Received, writer: asyncio.StreamWriter) -> None:
        await deleted.wait()
        await answering(200)(request, writer)

    async with receiver(slow) as there, process(database_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there.port)
        await tell(one, viewer, "Done.")
        (claimed,) = await due(one)
        delivering = asyncio.create_task(deliver(one, claimed))
        await there.until(1)
        await delete_webhook(one, viewer, made.webhook.id)
        deleted.set()
        await delivering
        assert await listed(one.store, made.webhook) == []


async def test_whoever_comes_too_late_changes_nothing(database_url: str) -> None:
    late = asyncio.Event()
    first = True

    async def behave(request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        if first:
            first = False
            await late.wait()
            await answering(500)(request, writer)
        else:
            await answering(200)(request, writer)

    async with receiver(behave) as there, process(database_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there.port)
        await tell(one, viewer, "Done.")
        (claimed,) = await due(one)
        delivering = asyncio.create_task(deliver(one, claimed))
        await there.until(1)
        one.store.clock_offset += timedelta(milliseconds=WEBHOOK_LEASE_MS + 1)
        (again,) = await due(one)
        await deliver(one, again)
        late.set()
        await delivering
        done = await only(one, made)
        assert (done.status, done.attempts, done.last_status) == (DeliveryStatus.DELIVERED, 2, 200)
        assert (await stored(one.store, made.webhook)).last_status == 200
        assert len({request.headers["webhook-id"] for request in there.requests}) == 1


async def test_a_message_that_ends_every_process_is_given_up_without_being_sent(sqlite_url: str) -> None:
    async with receiver() as there, process(sqlite_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there.port)
        await tell(one, viewer, "Done.")
        for _ in range(WEBHOOK_ATTEMPTS_MAX):
            await due(one)  # and die
        (claimed,) = await due(one)
        await deliver(one, claimed)
        dead = await only(one, made)
        assert (dead.status, dead.last_error) == (DeliveryStatus.DEAD, GIVEN_UP)
        assert there.connections == 0


async def test_without_the_key_nothing_is_sent_and_everybody_can_see_why(sqlite_url: str) -> None:
    async with receiver() as there:
        async with process(sqlite_url, courier=HERE, vault=Vault([b"a" * KEY_BYTES])) as one:
            viewer = await demo(one)
            made = await registered(one, viewer, there.port)
            await tell(one, viewer, "Done.")
        async with process(sqlite_url, courier=HERE, vault=Vault([b"b" * KEY_BYTES])) as other:
            (claimed,) = await due(other)
            await deliver(other, claimed)
            assert (await only(other, made)).last_error == NO_SECRET
        async with process(sqlite_url, courier=HERE, vault=Vault([b"b" * KEY_BYTES, b"a" * KEY_BYTES])) as both:
            (claimed,) = await due(both)
            await deliver(both, claimed)
            assert (await only(both, made)).status is DeliveryStatus.DELIVERED
        assert len(there.requests) == 1


async def test_a_secret_that_was_moved_to_another_row_signs_nothing(sqlite_url: str) -> None:
    async with receiver() as there, process(sqlite_url, courier=HERE) as one:
        viewer = await demo(one)
        mine = await registered(one, viewer, there.port)
        await registered(one, viewer, there.port)
        await one.store.of(viewer.tenant_id).fetch(
            "UPDATE webhooks SET sealed_secret = (SELECT sealed_secret FROM webhooks WHERE tenant_id = $1 AND id <> $2)"
            " WHERE tenant_id = $1 AND id = $2",
            viewer.tenant_id,
            mine.webhook.id,
        )
        await tell(one, viewer, "Done.")
        for claimed in await due(one):
            await deliver(one, claimed)
        assert (await only(one, mine)).last_error == NO_SECRET
        assert len(there.requests) == 1


async def test_what_is_told_is_json_of_a_bounded_size(sqlite_url: str) -> None:
    async with receiver() as there, process(sqlite_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there.port)
        await tell(one, viewer, "Done.", body="ä" * 60_000)
        dead = await only(one, made)
        assert (dead.status, dead.last_error) == (DeliveryStatus.DEAD, deliveries.TOO_LARGE)
        await tell(one, viewer, "Done.", body="\x00\ud800 a")
        (claimed,) = await due(one)
        await deliver(one, claimed)
        assert json.loads(there.requests[0].body)["data"]["body"] == "\ufffd\ufffd a"
