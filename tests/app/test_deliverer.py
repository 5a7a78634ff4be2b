"""The deliverer: at once, fairly, through outages, and without leaving anything claimed behind."""

import asyncio
import base64
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

import app.claiming
import app.deliverer
import windtunnel.delivery.courier
from app.deliverer import Deliverer
from app.housekeeper import Housekeeper
from tests.databases import migrate_url
from tests.delivery.receivers import LOOPBACK, Received, Receiver, answering, courier, receiver, silence
from tests.operations.inboxes import tell
from tests.operations.world import demo, process
from tests.servers import PostgresServer, RedisServer
from tests.storage.webhook_worlds import FINISHED, listed
from tests.storage.worlds import stranger
from tests.waiting import a_moment
from windtunnel.domain.policy import WEBHOOK_DELIVERIES_KEPT_MS, WEBHOOK_LEASE_MS
from windtunnel.domain.viewers import Viewer
from windtunnel.domain.webhooks import DeliveryStatus
from windtunnel.operations.register_webhook import Registered, register_webhook
from windtunnel.operations.services import Services
from windtunnel.storage import deliveries
from windtunnel.streams.bus import open_bus
from windtunnel.vault.sealing import KEY_BYTES, Vault

HERE = courier(LOOPBACK)
VAULT = Vault([b"k" * KEY_BYTES])
NEVER = 3_600.0


async def registered(services: Services, viewer: Viewer, there: Receiver) -> Registered:
    return await register_webhook(services, viewer, f"http://{LOOPBACK}:{there.port}/", [FINISHED])


async def until_all(services: Services, made: Registered, status: DeliveryStatus) -> int:
    """Wait until every delivery of the webhook is in this state; how many there are."""
    while True:
        found = await listed(services.store, made.webhook)
        if all(each.status is status for each in found):
            return len(found)
        await a_moment()


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_what_is_told_is_delivered_at_once_without_looking_for_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.claiming, "LOOK_EVERY_S", NEVER)
    async with receiver() as there, process(database_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there)
        async with Deliverer(one, "deliverer"):
            for number in range(5):
                await tell(one, viewer, f"Number {number}.")
            await there.until(5)
            assert await until_all(one, made, DeliveryStatus.DELIVERED) == 5
    assert len({request.headers["webhook-id"] for request in there.requests}) == 5
    assert tasks() == set()


async def test_what_waits_when_it_starts_is_found(database_url: str) -> None:
    async with receiver() as there, process(database_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there)
        for number in range(20):
            await tell(one, viewer, f"Number {number}.")
        async with Deliverer(one, "deliverer"):
            assert await until_all(one, made, DeliveryStatus.DELIVERED) == 20
    assert len(there.requests) == 20


async def test_a_receiver_that_never_answers_holds_up_nobody_else(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windtunnel.delivery.courier, "WEBHOOK_TIMEOUT_S", 0.5)
    async with receiver(silence) as deaf, receiver() as there, process(database_url, courier=HERE) as one:
        viewer, other = await demo(one), await stranger(one.store)
        for _ in range(15):
            await registered(one, viewer, deaf)
        mine, theirs = await registered(one, viewer, there), await registered(one, other, there)
        for number in range(5):
            await tell(one, viewer, f"Number {number}.")
        await tell(one, other, "Theirs.")
        async with Deliverer(one, "deliverer"):
            assert await until_all(one, theirs, DeliveryStatus.DELIVERED) == 1
            assert await until_all(one, mine, DeliveryStatus.DELIVERED) == 5


async def test_a_deliverer_that_stops_gives_up_what_is_under_way_and_another_repeats_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.deliverer, "STOP_TIMEOUT_S", 0.1)
    deaf = True

    async def behave(request: Received, writer: asyncio.StreamWriter) -> None:
        await (silence if deaf else answering(204))(request, writer)

    async with receiver(behave) as there, process(database_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there)
        await tell(one, viewer, "Done.")
        async with Deliverer(one, "one"):
            await there.until(1)
        (given_up,) = await listed(one.store, made.webhook)
        assert (given_up.status, given_up.attempts) == (DeliveryStatus.PENDING, 0)
        deaf = False
        async with Deliverer(one, "two"):
            assert await until_all(one, made, DeliveryStatus.DELIVERED) == 1
        (done,) = await listed(one.store, made.webhook)
        assert done.attempts == 1
        first, second = there.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert tasks() == set()


async def test_a_deliverer_that_stops_lets_an_attempt_end(sqlite_url: str) -> None:
    answer = asyncio.Event()

    async def soon(request: Received, writer: asyncio.StreamWriter) -> None:
        await answer.wait()
        await answering(204)(request, writer)

    async with receiver(soon) as there, process(sqlite_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there)
        await tell(one, viewer, "Done.")
        deliverer = Deliverer(one, "one")
        async with deliverer:
            await there.until(1)
            asyncio.get_running_loop().call_soon(answer.set)
        (done,) = await listed(one.store, made.webhook)
        assert (done.status, done.attempts) == (DeliveryStatus.DELIVERED, 1)


async def test_what_a_dead_deliverer_had_claimed_is_delivered_by_another(database_url: str) -> None:
    async with receiver() as there, process(database_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there)
        await tell(one, viewer, "Done.")
        assert len(await deliveries.claim(one.store, "dead", 10)) == 1
        one.store.clock_offset = timedelta(milliseconds=WEBHOOK_LEASE_MS + 1)
        async with Deliverer(one, "heir"):
            assert await until_all(one, made, DeliveryStatus.DELIVERED) == 1
        (done,) = await listed(one.store, made.webhook)
        assert done.attempts == 2


async def test_a_deliverer_outlives_its_database(postgres_server: PostgresServer) -> None:
    await asyncio.to_thread(migrate_url, postgres_server.url)
    answer = asyncio.Event()

    async def held(request: Received, writer: asyncio.StreamWriter) -> None:
        await answer.wait()
        await answering(204)(request, writer)

    with capture_logs() as logs:
        async with (
            receiver(held) as there,
            process(postgres_server.url, courier=HERE) as one,
            Deliverer(one, "deliverer"),
        ):
            viewer = await demo(one)
            made = await registered(one, viewer, there)
            await tell(one, viewer, "Before.")
            await there.until(1)
            await asyncio.to_thread(postgres_server.kill)
            answer.set()  # delivered, and nowhere to write it down
            while not any(each["event"] == "delivery interrupted" for each in logs):
                await a_moment()
            await asyncio.to_thread(postgres_server.start)
            one.store.clock_offset = timedelta(milliseconds=WEBHOOK_LEASE_MS + 1)
            await there.until(2)
            assert await until_all(one, made, DeliveryStatus.DELIVERED) == 1
            first, second = there.requests
            assert first.headers["webhook-id"] == second.headers["webhook-id"]
            assert first.body == second.body


async def test_messages_are_found_while_the_bus_is_down(postgres_database_url: str, redis_server: RedisServer) -> None:
    bus = await open_bus(redis_server.url)
    async with receiver() as there, process(postgres_database_url, bus=bus, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there)
        async with Deliverer(one, "deliverer"):
            await tell(one, viewer, "Live.")
            await there.until(1)
            redis_server.kill()
            await tell(one, viewer, "Found.")
            await there.until(2)
            assert await until_all(one, made, DeliveryStatus.DELIVERED) == 2
    await bus.close()
    assert tasks() == set()


async def test_many_deliverers_send_each_message_once(postgres_database_url: str) -> None:
    async with (
        receiver() as there,
        process(postgres_database_url, courier=HERE, vault=VAULT) as one,
        process(postgres_database_url, courier=HERE, vault=VAULT) as two,
        Deliverer(one, "one"),
        Deliverer(two, "two"),
    ):
        viewer = await demo(one)
        made = await registered(one, viewer, there)
        for number in range(30):
            await tell(one, viewer, f"Number {number}.")
        assert await until_all(one, made, DeliveryStatus.DELIVERED) == 30
    assert len(there.requests) == 30


async def test_a_defect_ends_one_attempt_and_nothing_else(sqlite_url: str) -> None:
    class Broken(Vault):
        def unseal(self, sealed: str, about: object) -> str:
            raise ZeroDivisionError(sealed, about)

    with capture_logs() as logs:
        async with receiver() as there, process(sqlite_url, courier=HERE, vault=Broken([b"k" * KEY_BYTES])) as one:
            viewer = await demo(one)
            made = await registered(one, viewer, there)
            await tell(one, viewer, "Done.")
            async with Deliverer(one, "deliverer"):
                while not logs:
                    await a_moment()
            (left,) = await listed(one.store, made.webhook)
            assert (left.status, left.attempts) == (DeliveryStatus.PENDING, 1)
    assert [each["event"] for each in logs] == ["delivery interrupted by a defect"]


async def test_old_deliveries_are_swept_by_the_housekeeper(sqlite_url: str) -> None:
    async with receiver() as there, process(sqlite_url, courier=HERE) as one:
        viewer = await demo(one)
        made = await registered(one, viewer, there)
        await tell(one, viewer, "Done.")
        async with Deliverer(one, "deliverer"):
            await until_all(one, made, DeliveryStatus.DELIVERED)
        one.store.clock_offset = timedelta(milliseconds=WEBHOOK_DELIVERIES_KEPT_MS + 60_000)
        await Housekeeper(one.store).sweep()
        assert await listed(one.store, made.webhook) == []


async def test_the_secret_is_found_nowhere(database_url: str) -> None:
    with capture_logs() as logs:
        async with receiver(answering(500, 410)) as there, process(database_url, courier=HERE) as one:
            viewer = await demo(one)
            made = await registered(one, viewer, there)
            for title in ("One.", "Two."):
                await tell(one, viewer, title)
            async with Deliverer(one, "deliverer"):
                await there.until(2)
            mine = one.store.of(viewer.tenant_id)
            rows = [
                await mine.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1", viewer.tenant_id)
                for table in ("webhooks", "webhook_deliveries", "audit_entries", "notifications", "idempotency_keys")
            ]
            assert len(rows[0]) == 1
            assert len(rows[1]) == 2
    assert made.secret
    raw = base64.b64decode(made.secret.removeprefix("whsec_"))
    everything = repr(rows) + repr(logs) + repr(there.requests) + repr(one)
    hidden = (made.secret, made.secret.removeprefix("whsec_"), raw.hex(), base64.urlsafe_b64encode(raw).decode())
    assert [each for each in hidden if each in everything] == []
