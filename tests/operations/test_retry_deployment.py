"""Retrying a deployment that failed: three attempts altogether, within a day of its approval, unless it is held."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.operations.pipeline_world import approved, became, registered, stored, told
from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ConflictError, ForbiddenError, NotFoundError
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.announce import PIPELINE
from windtunnel.operations.retry_deployment import retry_deployment
from windtunnel.operations.services import Services
from windtunnel.storage import audit


async def failed(services: Services, viewer: Viewer) -> Deployment:
    return await became(services, await approved(services, viewer), S.DEPLOYING, S.DEPLOY_FAILED)


async def test_it_is_tried_three_times_altogether(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await failed(one, viewer)
        for attempt in (2, 3):
            async with one.bus.subscribe(PIPELINE) as rung:
                again = await retry_deployment(one, viewer, made.id)
                assert await rung() == ""
            assert again == await stored(one, made)
            assert (again.status, again.attempts, again.failure) == (S.DEPLOYING, attempt, None)
            last = (await told(one, made))[-1]
            assert (last.step, last.message, last.actor_id) == ("retry", f"Attempt {attempt} of 3.", viewer.user.id)
            entry = (await audit.read(one.store, viewer.tenant_id, 0, 100))[-1]
            assert (entry.action, json.loads(entry.details)) == (
                AuditAction.DEPLOYMENT_RETRIED,
                {"attempt": attempt, "failure": "It did not start."},
            )
            made = await became(one, again, S.DEPLOY_FAILED)
        with pytest.raises(ConflictError, match="It was tried 3 times"):
            await retry_deployment(one, viewer, made.id)
        assert await stored(one, made) == made


async def test_a_day_after_its_approval_it_is_too_late(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await failed(one, viewer)
        one.store.clock_offset += timedelta(days=1)
        with pytest.raises(ConflictError, match=r"LAPSED.*good for 24 hours"):
            await retry_deployment(one, viewer, made.id)


async def test_what_did_not_fail_is_not_retried(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await approved(one, viewer)
        with pytest.raises(ConflictError) as refused:
            await retry_deployment(one, viewer, made.id)
        assert (refused.value.current, refused.value.allowed) == ("APPROVED", ("DEPLOY_FAILED",))
        await one.store.of(viewer.tenant_id).fetch(
            "UPDATE agents SET held_by = $2, held_ms = {now} WHERE tenant_id = $1", viewer.tenant_id, made.id
        )
        # A hold is not what is in the way.
        with pytest.raises(ConflictError, match="is APPROVED: it cannot be retried"):
            await retry_deployment(one, viewer, made.id)


async def test_a_hold_of_its_agent_comes_first(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await failed(one, viewer)
        await one.store.of(viewer.tenant_id).fetch(
            "UPDATE agents SET held_by = $2, held_ms = {now} WHERE tenant_id = $1", viewer.tenant_id, made.id
        )
        with pytest.raises(ConflictError, match="Release the hold"):
            await retry_deployment(one, viewer, made.id)
        assert await stored(one, made) == made


async def test_those_who_may_are_operators_and_admins(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, eve = await demo(one), await stranger(one.store)
        await registered(one, viewer)
        made = await failed(one, viewer)
        for role in set(Role) - {Role.OPERATOR, Role.ADMIN}:
            with pytest.raises(ForbiddenError):
                await retry_deployment(one, replace(viewer, roles=frozenset({role})), made.id)
        for who, unknown in ((eve, made.id), (viewer, "x"), (viewer, "\ud800")):
            with pytest.raises(NotFoundError):
                await retry_deployment(one, who, unknown)
        operator = replace(viewer, roles=frozenset({Role.OPERATOR}))
        first = await retry_deployment(one, operator, made.id, "k")
        assert await retry_deployment(one, operator, made.id, "k") == first
