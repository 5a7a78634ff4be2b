"""Verifying audit logs: many who ask at once share one look at the chain."""

import asyncio

import pytest

from tests.operations.world import demo, process
from tests.queries import counted
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.verify_audit import verify_audit
from windtunnel.storage import audit
from windtunnel.storage.store import Store


async def append(store: Store, viewer: Viewer) -> None:
    draft = AuditDraft(AuditAction.TOKEN_ISSUED, Subject(Kind.API_TOKEN, new_id()))
    await audit.append(store, viewer.tenant_id, draft)


async def test_many_at_once_read_the_chain_once(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, other = await demo(services), await stranger(services.store)
        await append(services.store, viewer)
        with counted(services.store) as statements:
            await verify_audit(services, viewer)
        alone = len(statements)
        with counted(services.store) as statements:
            found = await asyncio.gather(*(verify_audit(services, viewer) for _ in range(20)))
        assert len(statements) == alone
        assert {verdict.entries for verdict in found} == {1}
        await append(services.store, viewer)
        both = await asyncio.gather(verify_audit(services, viewer), verify_audit(services, other))
        assert [verdict.entries for verdict in both] == [2, 0]  # never what was found before, or of somebody else
        assert services.verifying == {}


async def test_who_goes_away_takes_it_from_nobody(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        first, second = (asyncio.create_task(verify_audit(services, viewer)) for _ in range(2))
        await asyncio.sleep(0)
        assert viewer.tenant_id in services.verifying
        first.cancel()
        assert (await second).valid
        assert first.cancelled()


async def test_a_failure_is_told_to_all_and_not_kept(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        await services.store.close()
        found = await asyncio.gather(*(verify_audit(services, viewer) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in found] == [UnavailableError] * 3
        assert services.verifying == {}
        with pytest.raises(UnavailableError):
            await verify_audit(services, viewer)
