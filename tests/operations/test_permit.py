"""Permission is asked for again when the turn to act has come: what was taken away meanwhile is not used once more."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from tests.operations.test_packages import DIGEST, body
from tests.operations.world import demo, process, with_token
from tests.packages.test_signatures import envelope, statement
from tests.storage.worlds import colleague
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ForbiddenError
from windtunnel.domain.flags import Flag
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.permit import permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.operations.set_feature_flag import set_feature_flag
from windtunnel.operations.set_member_roles import set_member_roles
from windtunnel.operations.sign_package import sign_package
from windtunnel.operations.upload_package import upload_package
from windtunnel.operations.withdraw_token import withdraw_token
from windtunnel.storage import audit, people
from windtunnel.storage.tenants import DEMO_EMAIL

ROUNDS = 12
AT_ONCE = 6


async def act(services: Services, viewer: Viewer) -> None:
    subject = Subject(Kind.FEATURE_FLAG, "anything")
    async with permitted_transaction(services, viewer, Action.SET_FEATURE_FLAG, subject):
        await people.add(services.store, viewer.tenant_id, "Made", None)


async def made(services: Services, viewer: Viewer) -> int:
    rows = await services.store.of(viewer.tenant_id).fetch(
        "SELECT COUNT(*) AS made FROM users WHERE tenant_id = $1 AND name = 'Made'", viewer.tenant_id
    )
    return int(rows[0]["made"])


async def test_a_refusal_at_the_second_asking_is_on_record_and_nothing_else(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        await act(services, viewer)
        async with services.store.transaction(viewer.tenant_id):
            await people.set_roles(services.store, viewer.tenant_id, viewer.user.id, [Role.AUDITOR])
        with pytest.raises(ForbiddenError, match="ADMIN"):
            await act(services, viewer)
        assert await made(services, viewer) == 1
        (entry,) = await audit.read(services.store, viewer.tenant_id, 0, 10)
        assert (entry.action, entry.actor_id, entry.subject_id) == (
            AuditAction.ACCESS_DENIED,
            viewer.user.id,
            "anything",
        )
        assert orjson.loads(entry.details) == {"attempted": "setFeatureFlag", "roles": ["AUDITOR"]}


async def test_no_more_than_came_with_them(database_url: str) -> None:
    """Roles given since then are for the next request."""
    async with process(database_url) as services:
        viewer = await demo(services)
        with pytest.raises(ForbiddenError):
            await act(services, replace(viewer, roles=frozenset({Role.OPERATOR})))
        with pytest.raises(ForbiddenError):
            await act(services, await with_token(services, viewer, Role.OPERATOR))
        assert await made(services, viewer) == 0


async def test_a_token_counts_until_it_ends(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        revoked, expired = (
            await with_token(services, viewer, Role.ADMIN),
            await with_token(services, viewer, Role.ADMIN, lasts=timedelta(hours=1)),
        )
        for robot in (revoked, expired):
            await act(services, robot)
        await withdraw_token(services.store, revoked.token_id or "")
        services.store.clock_offset = timedelta(hours=2)
        for robot in (revoked, expired):
            with pytest.raises(ForbiddenError):
                await act(services, robot)
        assert await made(services, viewer) == 2
        denied = (await audit.read(services.store, viewer.tenant_id, 0, 10))[-2:]
        assert [(entry.action, entry.token_id) for entry in denied] == [
            (AuditAction.ACCESS_DENIED, revoked.token_id),
            (AuditAction.ACCESS_DENIED, expired.token_id),
        ]


async def _upload(services: Services, viewer: Viewer) -> object:
    return await upload_package(services, viewer, body())


async def _sign(services: Services, viewer: Viewer) -> object:
    return await sign_package(
        services, viewer, DIGEST, envelope(statement(subject=[{"name": "triage", "digest": {"sha256": DIGEST}}]))
    )


async def _promote(services: Services, viewer: Viewer) -> object:
    return await set_member_roles(services, viewer, DEMO_EMAIL, list(Role))


async def _switch(services: Services, viewer: Viewer) -> object:
    return await set_feature_flag(services, viewer, Flag.ENVIRONMENTS.value, True)


@pytest.mark.parametrize("attempt", [_upload, _sign, _promote, _switch])
async def test_who_waits_for_the_lock_finds_what_was_changed_meanwhile(
    database_url: str, attempt: Callable[[Services, Viewer], Awaitable[object]]
) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        bo = await colleague(one.store, viewer)
        if attempt is _sign:
            await upload_package(one, bo, body())
        async with two.store.transaction(viewer.tenant_id):
            await two.store.lock_tenant(viewer.tenant_id)
            waiting = asyncio.ensure_future(attempt(one, viewer))
            await people.set_roles(two.store, viewer.tenant_id, viewer.user.id, [])
            await asyncio.wait([waiting], timeout=0.05)
            assert not waiting.done()
        with pytest.raises(ForbiddenError):
            await waiting
        assert await people.roles(one.store, viewer.tenant_id, viewer.user.id) == frozenset()


async def test_nobody_makes_themselves_admin_again(database_url: str) -> None:
    """However many of their requests are under way: once it is answered that they are none, they stay none."""
    async with process(database_url) as one, process(database_url, owner="two") as two:
        ada = await demo(one)
        bo = await colleague(one.store, ada)
        for number in range(ROUNDS):
            await set_member_roles(two, bo, DEMO_EMAIL, [Role.ADMIN])

            async def insist(services: Services) -> None:
                while True:
                    await set_member_roles(services, ada, DEMO_EMAIL, [Role.ADMIN])

            insisting = [asyncio.ensure_future(insist((one, two)[each % 2])) for each in range(AT_ONCE)]
            await asyncio.wait(insisting, timeout=0.01 * (number % 3))
            await set_member_roles(two, bo, DEMO_EMAIL, [Role.AUDITOR])
            refusals = await asyncio.gather(*insisting, return_exceptions=True)
            assert [type(refusal) for refusal in refusals] == [ForbiddenError] * AT_ONCE
            assert await people.roles(one.store, ada.tenant_id, ada.user.id) == {Role.AUDITOR}
