from tests.storage.webhook_worlds import BODY, FINISHED, listed, queued, webhook
from tests.storage.worlds import demo, stranger
from windtunnel.domain.ids import new_id
from windtunnel.domain.webhooks import DeliveryStatus, Verdict
from windtunnel.storage import deliveries, delivery_pages
from windtunnel.storage.store import Store

DEAD = Verdict(DeliveryStatus.DEAD, "No.")


async def test_dead_letters_are_counted_for_each_webhook(store: Store) -> None:
    viewer = await demo(store)
    first, second = await webhook(store, viewer), await webhook(store, viewer)
    await queued(store, viewer, 3)
    for each in await deliveries.claim(store, "worker", 100):
        if each.webhook_id == first.id:
            await deliveries.settle(store, each, 410, DEAD)
    counted = await delivery_pages.dead_letters(store, viewer.tenant_id, [first.id, second.id, new_id(), "\0"])
    assert counted == {first.id: 2}


async def test_pages_of_many_webhooks_are_read_together(store: Store) -> None:
    viewer = await demo(store)
    first, second = await webhook(store, viewer), await webhook(store, viewer)
    await queued(store, viewer, 5)
    every = {each.id: list(await listed(store, each)) for each in (first, second)}
    assert [len(each) for each in every.values()] == [5, 5]
    ids = [first.id, second.id, new_id()]
    pages = await delivery_pages.pages_of_webhooks(store, viewer.tenant_id, ids, 2)
    for key, found in every.items():
        page = pages[key]
        assert (list(page.items), page.total, page.has_next, page.has_previous) == (found[:2], 5, True, False)
        following = await delivery_pages.pages_of_webhooks(store, viewer.tenant_id, [key], 3, page.keys[-1])
        assert list(following[key].items) == found[2:]
        assert (following[key].total, following[key].has_next, following[key].has_previous) == (5, False, True)
    empty = pages[ids[2]]
    assert (list(empty.items), empty.total, empty.has_next) == ([], 0, False)


async def test_pages_can_be_of_one_status(store: Store) -> None:
    viewer = await demo(store)
    receiver = await webhook(store, viewer)
    await queued(store, viewer, 3)
    claimed = await deliveries.claim(store, "worker", 1)
    await deliveries.settle(store, claimed[0], None, DEAD)
    for status, expected in ((DeliveryStatus.DEAD, 1), (DeliveryStatus.PENDING, 2), (DeliveryStatus.DELIVERED, 0)):
        pages = await delivery_pages.pages_of_webhooks(store, viewer.tenant_id, [receiver.id], 10, status=status)
        assert pages[receiver.id].total == len(pages[receiver.id].items) == expected
        assert {each.status for each in pages[receiver.id].items} <= {status}


async def test_nobody_sees_the_deliveries_of_another_tenant(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    receiver = await webhook(store, viewer)
    await deliveries.enqueue(store, viewer.tenant_id, FINISHED, BODY)
    (mine,) = await listed(store, receiver)
    assert await delivery_pages.get_many(store, viewer.tenant_id, [mine.id, "\0"]) == {mine.id: mine}
    assert await delivery_pages.get_many(store, other.tenant_id, [mine.id]) == {}
    pages = await delivery_pages.pages_of_webhooks(store, other.tenant_id, [receiver.id], 10)
    assert (list(pages[receiver.id].items), pages[receiver.id].total) == ([], 0)
    assert await delivery_pages.dead_letters(store, other.tenant_id, [receiver.id]) == {}
