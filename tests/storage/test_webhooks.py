from dataclasses import replace

import pytest

from tests.storage.webhook_worlds import FINISHED, OTHER, SEALED, listed, queued, webhook
from tests.storage.worlds import demo, stranger
from windtunnel.domain.ids import new_id
from windtunnel.storage import webhooks
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store


async def test_a_webhook_is_stored_as_it_is(store: Store) -> None:
    viewer = await demo(store)
    first = await webhook(store, viewer, kinds=[OTHER, FINISHED], age_s=5)
    second = await webhook(store, viewer)
    assert first.kinds == (OTHER, FINISHED)
    assert (first.last_delivery_at, first.last_status) == (None, None)
    assert await webhooks.list(store, viewer.tenant_id) == [second, first]
    assert await webhooks.get_many(store, viewer.tenant_id, [first.id, new_id(), "\0", "x" * 99]) == {first.id: first}
    assert await webhooks.count(store, viewer.tenant_id) == 2
    assert await webhooks.secret_of(store, viewer.tenant_id, first.id) == SEALED


async def test_a_webhook_belongs_to_one_tenant(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    mine = await webhook(store, viewer)
    assert await webhooks.list(store, other.tenant_id) == []
    assert await webhooks.count(store, other.tenant_id) == 0
    assert await webhooks.get_many(store, other.tenant_id, [mine.id]) == {}
    assert await webhooks.secret_of(store, other.tenant_id, mine.id) is None
    assert await webhooks.delete(store, other.tenant_id, mine.id) is None
    assert await webhooks.list(store, viewer.tenant_id) == [mine]
    with pytest.raises(ConstraintError):
        await webhooks.insert(store, replace(mine, id=new_id(), tenant_id=other.tenant_id), SEALED)


async def test_a_webhook_goes_with_its_deliveries(store: Store) -> None:
    viewer = await demo(store)
    gone, kept = await webhook(store, viewer), await webhook(store, viewer)
    await queued(store, viewer, 2)
    assert await webhooks.delete(store, viewer.tenant_id, gone.id) == gone
    assert await webhooks.delete(store, viewer.tenant_id, gone.id) is None
    assert await webhooks.delete(store, viewer.tenant_id, "\0") is None
    assert await listed(store, gone) == []
    assert len(await listed(store, kept)) == 2
