"""Setting how well code must be kept in: by an ADMIN, for one tenant, on record."""

import json
from dataclasses import replace

import pytest

from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ForbiddenError
from windtunnel.domain.isolation import IsolationLevel
from windtunnel.domain.viewers import Role
from windtunnel.operations.set_minimum_isolation import set_minimum_isolation
from windtunnel.storage import audit, tenants


async def test_the_minimum_is_full_until_somebody_says_otherwise(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, other = await demo(one), await stranger(one.store)
        assert await tenants.minimum_isolation(one.store, viewer.tenant_id) is IsolationLevel.FULL
        for level in (IsolationLevel.LOGICAL, IsolationLevel.LANDLOCK):
            assert await set_minimum_isolation(one, viewer, level) is level
            assert await tenants.minimum_isolation(one.store, viewer.tenant_id) is level
        assert await tenants.minimum_isolation(one.store, other.tenant_id) is IsolationLevel.FULL
        first, second = await audit.read(one.store, viewer.tenant_id, 0, 10)
        assert (first.action, first.subject, first.actor_id) == (
            AuditAction.MINIMUM_ISOLATION_SET,
            Subject(Kind.TENANT, viewer.tenant_id),
            viewer.user.id,
        )
        assert json.loads(first.details) == {"from": "FULL", "to": "LOGICAL"}
        assert json.loads(second.details) == {"from": "LOGICAL", "to": "LANDLOCK"}


async def test_setting_what_is_set_is_not_recorded(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        assert await set_minimum_isolation(one, viewer, IsolationLevel.FULL) is IsolationLevel.FULL
        assert await audit.read(one.store, viewer.tenant_id, 0, 10) == []


async def test_only_an_admin_sets_it(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        with pytest.raises(ForbiddenError):
            await set_minimum_isolation(
                one, replace(viewer, roles=frozenset(Role) - {Role.ADMIN}), IsolationLevel.LOGICAL
            )
        assert await tenants.minimum_isolation(one.store, viewer.tenant_id) is IsolationLevel.FULL
        (entry,) = await audit.read(one.store, viewer.tenant_id, 0, 10)
        assert entry.action == AuditAction.ACCESS_DENIED
