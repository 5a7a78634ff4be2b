import asyncio
from datetime import timedelta

import pytest

from tests.storage.webhook_worlds import BODY, FINISHED, OTHER, SEALED, listed, queued, stored, webhook
from tests.storage.worlds import demo, stranger
from windtunnel.domain import policy
from windtunnel.domain.viewers import Viewer
from windtunnel.domain.webhooks import ClaimedDelivery, DeliveryStatus, Verdict
from windtunnel.storage import deliveries, webhooks
from windtunnel.storage.errors import DeliveryLostError, RightError
from windtunnel.storage.store import DatabaseRole, Store, open_store

PER_WEBHOOK = policy.WEBHOOK_DELIVERIES_AT_ONCE_PER_WEBHOOK
PER_TENANT = policy.WEBHOOK_DELIVERIES_AT_ONCE_PER_TENANT
DELIVERED = Verdict(DeliveryStatus.DELIVERED)
AFTER_THE_LEASE = timedelta(milliseconds=policy.WEBHOOK_LEASE_MS + 1)


async def claim(store: Store, limit: int = 100) -> list[ClaimedDelivery]:
    return await deliveries.claim(store, "worker", limit)


async def test_a_message_is_queued_for_every_webhook_that_wants_its_kind(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    wanting = [await webhook(store, viewer), await webhook(store, viewer, kinds=[OTHER, FINISHED])]
    unwanting = [await webhook(store, viewer, kinds=[OTHER]), await webhook(store, other)]
    assert await deliveries.enqueue(store, viewer.tenant_id, FINISHED, BODY) == 2
    now = await store.now()
    for each in wanting:
        (delivery,) = await listed(store, each)
        assert (delivery.kind, delivery.status, delivery.attempts) == (FINISHED, DeliveryStatus.PENDING, 0)
        assert delivery.created_at == delivery.due_at
        assert now - timedelta(minutes=1) < delivery.created_at <= now
    assert [await listed(store, each) for each in unwanting] == [[], []]


async def test_without_webhooks_a_message_costs_one_statement(store: Store) -> None:
    viewer = await demo(store)
    statements: list[str] = []
    async with store.transaction(viewer.tenant_id):
        store.on_statement = statements.append
        assert await deliveries.enqueue(store, viewer.tenant_id, FINISHED, BODY) == 0
    store.on_statement = None
    assert len([each for each in statements if "webhook" in each]) == 1


async def test_a_message_of_a_change_that_failed_was_never_queued(store: Store) -> None:
    viewer = await demo(store)
    receiver = await webhook(store, viewer)

    async def fail() -> None:
        async with store.transaction(viewer.tenant_id):
            await deliveries.enqueue(store, viewer.tenant_id, FINISHED, BODY)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await listed(store, receiver) == []


async def test_what_cannot_be_queued_is_a_dead_letter(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = await demo(store)
    receiver = await webhook(store, viewer)
    monkeypatch.setattr(deliveries, "WEBHOOK_DELIVERIES_PENDING_PER_TENANT", 2)
    await queued(store, viewer, 3)
    await queued(store, viewer, body='{"x":"' + "y" * policy.WEBHOOK_BODY_MAX_BYTES + '"}')
    found = await listed(store, receiver)
    assert sorted(each.last_error or "" for each in found) == [
        "",
        "",
        *sorted([deliveries.TOO_MANY, deliveries.TOO_LARGE]),
    ]
    for each in found:
        assert each.status is (DeliveryStatus.DEAD if each.last_error else DeliveryStatus.PENDING)
        assert each.finished_at == (each.created_at if each.last_error else None)
    assert len(await claim(store)) == 2


async def test_a_claim_is_for_one_and_for_a_while(store: Store) -> None:
    viewer = await demo(store)
    receiver = await webhook(store, viewer)
    await queued(store, viewer)
    (first,) = await claim(store)
    assert (first.tenant_id, first.webhook_id, first.attempts, first.fence) == (viewer.tenant_id, receiver.id, 1, 1)
    assert await deliveries.outgoing(store, first) == deliveries.Outgoing(receiver.url, SEALED, BODY)
    assert await claim(store) == []
    store.clock_offset = AFTER_THE_LEASE
    (second,) = await claim(store)
    assert (second.id, second.attempts, second.fence) == (first.id, 2, 2)
    with pytest.raises(DeliveryLostError):
        await deliveries.outgoing(store, first)
    with pytest.raises(DeliveryLostError):
        await deliveries.settle(store, first, 200, DELIVERED)
    assert (await stored(store, receiver)).last_delivery_at is None
    await deliveries.settle(store, second, 200, DELIVERED)
    (done,) = await listed(store, receiver)
    assert (done.status, done.attempts) == (DeliveryStatus.DELIVERED, 2)


async def test_an_attempt_is_settled_for_the_delivery_and_its_webhook(store: Store) -> None:
    viewer = await demo(store)
    receiver = await webhook(store, viewer)
    await queued(store, viewer)
    (claimed,) = await claim(store)
    await deliveries.settle(store, claimed, 503, Verdict(DeliveryStatus.PENDING, "Status 503.\0", 60.5))
    now = await store.now()
    (waiting,) = await listed(store, receiver)
    assert (waiting.status, waiting.attempts, waiting.last_status) == (DeliveryStatus.PENDING, 1, 503)
    assert waiting.last_error == "Status 503.\ufffd"
    assert timedelta(seconds=55) < waiting.due_at - now <= timedelta(seconds=60.5)
    assert (await stored(store, receiver)).last_status == 503
    assert await claim(store) == []
    store.clock_offset = timedelta(seconds=61)
    (again,) = await claim(store)
    assert (again.id, again.attempts) == (claimed.id, 2)
    await deliveries.settle(store, again, None, Verdict(DeliveryStatus.DEAD, "No connection."))
    (dead,) = await listed(store, receiver)
    assert (dead.status, dead.last_status, dead.last_error) == (DeliveryStatus.DEAD, None, "No connection.")
    last = (await stored(store, receiver)).last_delivery_at
    assert last
    assert dead.finished_at
    assert abs(dead.finished_at - last) < timedelta(minutes=1)
    assert (await stored(store, receiver)).last_status is None
    store.clock_offset = timedelta(days=2)
    assert await claim(store) == []


async def test_a_released_claim_does_not_count(store: Store) -> None:
    viewer = await demo(store)
    await webhook(store, viewer)
    await queued(store, viewer, 2)
    first, second = await claim(store)
    await deliveries.settle(store, second, 200, DELIVERED)
    await deliveries.release(store, [first, second])
    (again,) = await claim(store)
    assert (again.id, again.attempts, again.fence) == (first.id, 1, 2)
    await deliveries.release(store, [first])
    assert await claim(store) == [], "a release under an old fence frees nothing"
    await deliveries.release(store, [again], due_in_ms=60_000)
    assert await claim(store) == []
    store.clock_offset += timedelta(minutes=1)
    assert [(each.id, each.attempts) for each in await claim(store)] == [(first.id, 1)]


async def test_the_longest_due_comes_first_and_a_webhook_has_few_at_once(store: Store) -> None:
    viewer = await demo(store)
    receiver = await webhook(store, viewer)
    await queued(store, viewer, 5)
    order = [each.id for each in sorted(await listed(store, receiver), key=lambda each: (each.due_at, each.id))]
    while claimed := await claim(store):
        assert len(claimed) <= PER_WEBHOOK
        assert {each.id for each in claimed} == set(order[: len(claimed)])
        assert await claim(store) == []
        for each in claimed:
            await deliveries.settle(store, each, 200, DELIVERED)
        order = order[len(claimed) :]
    assert order == []


async def test_one_that_fails_does_not_hold_up_the_others_of_its_webhook(store: Store) -> None:
    viewer = await demo(store)
    await webhook(store, viewer)
    await queued(store, viewer, 3)
    claimed = await claim(store)
    for each in claimed:
        await deliveries.settle(store, each, 500, Verdict(DeliveryStatus.PENDING, "Status 500.", 3_600))
    (third,) = await claim(store)
    assert third.id not in {each.id for each in claimed}


async def _crowd(store: Store, viewer: Viewer, count: int) -> None:
    for _ in range(count):
        await webhook(store, viewer)
    await queued(store, viewer, 3)


async def test_tenants_take_turns(store: Store) -> None:
    busy, quiet = await demo(store), await stranger(store)
    await _crowd(store, busy, PER_TENANT + 4)
    await _crowd(store, quiet, 1)
    first = await claim(store, 4)
    assert [each.tenant_id for each in first].count(quiet.tenant_id) == PER_WEBHOOK
    rest = await claim(store)
    held = [each.tenant_id for each in [*first, *rest]]
    assert held.count(busy.tenant_id) == PER_TENANT
    assert held.count(quiet.tenant_id) == PER_WEBHOOK
    assert len({each.webhook_id for each in [*first, *rest] if each.tenant_id == busy.tenant_id}) == PER_TENANT


async def test_who_did_not_answer_well_comes_after_those_who_did(store: Store) -> None:
    viewer = await demo(store)
    for _ in range(PER_TENANT):
        await webhook(store, viewer)
    await queued(store, viewer)
    for place, each in enumerate(await claim(store)):
        await deliveries.settle(store, each, 500 if place % 2 else None, Verdict(DeliveryStatus.PENDING, "No.", 1))
    good = await webhook(store, viewer)
    await queued(store, viewer, 2)
    store.clock_offset = timedelta(minutes=1)
    (first, second) = await claim(store, 2)
    assert first.webhook_id == second.webhook_id == good.id


async def test_a_claim_takes_no_more_than_it_is_asked_for(store: Store) -> None:
    viewer = await demo(store)
    await _crowd(store, viewer, 3)
    assert await claim(store, 0) == []
    assert len(await claim(store, 1)) == 1
    assert len(await claim(store, 2)) == 2


async def test_claims_at_once_never_share_and_keep_the_bounds(database_url: str) -> None:
    stores = [await open_store(database_url) for _ in range(4)]
    try:
        viewer = await demo(stores[0])
        for _ in range(3):
            await webhook(stores[0], viewer)
        await queued(stores[0], viewer, 4)
        claims = await asyncio.gather(
            *(deliveries.claim(each, f"worker-{place}", 3) for place, each in enumerate(stores * 3))
        )
        ids = [each.id for claimed in claims for each in claimed]
        assert len(ids) == len(set(ids)) == 3 * PER_WEBHOOK
    finally:
        for each in stores:
            await each.close()


async def test_a_webhook_cannot_be_deleted_between_its_choice_and_the_insertion(postgres_database_url: str) -> None:
    one, two = await open_store(postgres_database_url), await open_store(postgres_database_url)
    try:
        viewer = await demo(one)
        receiver = await webhook(one, viewer)
        async with one.transaction(viewer.tenant_id):
            await deliveries.enqueue(one, viewer.tenant_id, FINISHED, BODY)
            deleting = asyncio.create_task(webhooks.delete(two, viewer.tenant_id, receiver.id))
            await webhooks.list(two, viewer.tenant_id)
            assert not deleting.done()
        assert await deleting == receiver
        assert await listed(one, receiver) == []
    finally:
        await one.close()
        await two.close()


async def test_api_and_worker_may_do_what_is_theirs(postgres_database_url: str) -> None:
    api = await open_store(postgres_database_url, role=DatabaseRole.API)
    worker = await open_store(postgres_database_url, role=DatabaseRole.WORKER)
    try:
        viewer = await demo(api)
        receiver = await webhook(api, viewer)
        for each in (api, worker):
            await queued(each, viewer)
        with pytest.raises(RightError):
            await claim(api)
        for claimed in await claim(worker):
            assert (await deliveries.outgoing(worker, claimed)).url == receiver.url
            await deliveries.settle(worker, claimed, 200, DELIVERED)
        worker.clock_offset = timedelta(days=31)
        assert await deliveries.sweep(worker, 10) == 2
        assert await webhooks.delete(api, viewer.tenant_id, receiver.id)
    finally:
        await api.close()
        await worker.close()


async def test_settling_what_is_gone_with_its_webhook_is_noticed(store: Store) -> None:
    viewer = await demo(store)
    receiver = await webhook(store, viewer)
    await queued(store, viewer)
    (claimed,) = await claim(store)
    await webhooks.delete(store, viewer.tenant_id, receiver.id)
    with pytest.raises(DeliveryLostError):
        await deliveries.outgoing(store, claimed)
    with pytest.raises(DeliveryLostError):
        await deliveries.settle(store, claimed, 200, DELIVERED)
    await deliveries.release(store, [claimed])


async def test_finished_deliveries_are_swept_after_a_month_in_chunks(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    receiver, theirs = await webhook(store, viewer), await webhook(store, other)
    await queued(store, viewer, 3)
    await queued(store, other)
    for each in [*await claim(store), *await claim(store)]:
        await deliveries.settle(store, each, 200, DELIVERED)
    kept = timedelta(milliseconds=policy.WEBHOOK_DELIVERIES_KEPT_MS)
    store.clock_offset = kept - timedelta(minutes=1)
    assert await deliveries.sweep(store, 10) == 0
    store.clock_offset = kept + timedelta(minutes=1)
    assert [await deliveries.sweep(store, 2) for _ in range(3)] == [2, 1, 0]
    assert [each.status for each in await listed(store, receiver)] == [DeliveryStatus.PENDING], "what waits, stays"
    assert await listed(store, theirs) == []
