"""The two logs of a tenant: numbered without gaps, each for itself."""

from tests.storage.worlds import demo, stranger
from windtunnel.domain.ids import new_id
from windtunnel.domain.rollbacks import ProductionEventKind
from windtunnel.storage import tenant_logs
from windtunnel.storage.store import Store


async def test_what_happens_to_production_is_numbered_in_each_tenant(store: Store) -> None:
    viewer, eve = await demo(store), await stranger(store)
    agent_id, version_id = new_id(), new_id()
    appended = []
    for tenant_id in (viewer.tenant_id, eve.tenant_id):
        assert await tenant_logs.last_production(store, tenant_id) == 0
        async with store.transaction(tenant_id):
            await store.lock_tenant(tenant_id)
            kind = ProductionEventKind.VERSION_LIVE
            appended.append(
                await tenant_logs.append_production(store, tenant_id, kind, agent_id=agent_id, version_id=version_id)
            )
            kind = ProductionEventKind.CONFIGURATION_CHANGED
            appended.append(await tenant_logs.append_production(store, tenant_id, kind))
    assert [event.seq for event in appended] == [1, 2, 1, 2]
    assert (appended[0].agent_id, appended[0].version_id, appended[0].previous_id) == (agent_id, version_id, None)
    assert await tenant_logs.read_production(store, viewer.tenant_id, 0, 10) == appended[:2]
    assert await tenant_logs.read_production(store, viewer.tenant_id, 1, 10) == appended[1:2]
    assert await tenant_logs.read_production(store, viewer.tenant_id, 2**70, 10) == []
    assert await tenant_logs.last_production(store, eve.tenant_id) == 2
    assert await tenant_logs.last_queue(store, eve.tenant_id) == 0
