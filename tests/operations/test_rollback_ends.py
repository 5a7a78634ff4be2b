"""How rollbacks end: in time or not at all, once, and by whoever has claimed them last."""

import asyncio
from datetime import timedelta

import pytest

from tests.operations.inboxes import inbox
from tests.operations.releases_world import (
    agent_with,
    as_stored,
    claimed,
    on_record,
    production_events,
    rolled,
    states,
)
from tests.operations.world import demo, process
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.rollbacks import ProductionEventKind, RollbackStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.restoring import complete, fail
from windtunnel.operations.services import Services
from windtunnel.storage import rollback_care, rollbacks
from windtunnel.storage.errors import LeaseLostError


async def now_stored(services: Services, viewer: Viewer, rollback_id: str) -> RollbackStatus:
    found = await rollbacks.get(services.store, viewer.tenant_id, rollback_id)
    assert found
    return found.status


async def test_a_minute_later_it_has_failed_and_nothing_changed(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0", "3.0.0")
        rollback = await rolled(one, viewer, agent)
        held = await claimed(one)
        assert await rollback_care.overdue(one.store) == []
        two.store.clock_offset = one.store.clock_offset = timedelta(seconds=61)
        late, *_ = await rollback_care.overdue(two.store)
        ended = await asyncio.gather(*(fail(each, late, "Too slow.") for each in (one, two, two)))
        assert sorted(ended) == [False, False, True]
        with pytest.raises(LeaseLostError):
            await complete(one, held)
        assert await now_stored(one, viewer, rollback.id) is RollbackStatus.FAILED
        assert await states(one, agent) == {"1.0.0": "STANDBY", "2.0.0": "STANDBY", "3.0.0": "LIVE"}
        assert (await as_stored(one, agent)).held_by == rollback.id
        paged = [each for each in await inbox(one, viewer) if each.kind is NotificationKind.ROLLBACK_FAILED]
        assert len(paged) == 1
        assert "1.0.0 can be restored instead" in paged[0].body
        failures = [each for each in await on_record(one, viewer) if each.action == AuditAction.ROLLBACK_FAILED]
        assert [each.reason for each in failures] == ["Too slow."]
        assert (await production_events(one, viewer))[-1].kind is ProductionEventKind.ROLLBACK_FAILED
        # The next one can be asked for at once.
        await rolled(one, viewer, agent, "1.0.0")
        await complete(one, await claimed(one))
        assert (await states(one, agent))["1.0.0"] == "LIVE"


async def test_who_claimed_it_before_cannot_end_it(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        rollback = await rolled(one, viewer, agent)
        slow = await claimed(one, "slow")
        await rollback_care.release(one.store, "slow", {slow.id: slow.fence})
        quick = await claimed(one, "quick")
        with pytest.raises(LeaseLostError):
            await complete(one, slow)
        assert not await fail(one, slow, "It did not start.")
        await complete(one, quick)
        assert await now_stored(one, viewer, rollback.id) is RollbackStatus.SUCCEEDED
        completed = [each for each in await on_record(one, viewer) if each.action == AuditAction.ROLLBACK_COMPLETED]
        assert len(completed) == 1
