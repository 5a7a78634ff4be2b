"""Lifting a hold: what was approved goes on, what had failed can be tried again, and all of it is on record."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.operations.pipeline_world import became, registered, stored, told
from tests.operations.releases_world import (
    agent_with,
    approved,
    as_stored,
    claimed,
    go_live,
    live,
    on_record,
    reviewed,
    rolled,
    states,
)
from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ErrorCode, ForbiddenError, NotFoundError, ValidationError
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.viewers import Role
from windtunnel.operations.release_hold import release_hold
from windtunnel.operations.restoring import complete
from windtunnel.storage import notifications

WHY = "The cause was found elsewhere."


async def test_each_goes_on_where_it_was_held(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        waiting = await approved(one, viewer, agent, "3.0.0")
        failed = await became(one, await approved(one, viewer, agent, "4.0.0"), S.DEPLOYING, S.DEPLOY_FAILED)
        under_way = await became(one, await approved(one, viewer, agent, "5.0.0"), S.DEPLOYING)
        late = await became(one, await reviewed(one, viewer, agent, "6.0.0"), S.APPROVED)
        rollback = await rolled(one, viewer, agent)
        with pytest.raises(ConflictError) as early:
            await release_hold(one, viewer, agent.id, WHY)
        assert early.value.current == "ROLLING_BACK"
        await complete(one, await claimed(one))
        await one.store.of(agent.tenant_id).fetch(
            "UPDATE deployments SET execute_by_ms = approved_ms WHERE tenant_id = $1 AND id = $2",
            agent.tenant_id,
            late.id,
        )

        lifted = await release_hold(one, viewer, agent.id, WHY)
        assert (lifted.held_by, lifted.held_at) == (None, None)
        assert lifted.revision == (await as_stored(one, agent)).revision
        now = [await stored(one, each) for each in (waiting, failed, under_way, late)]
        assert [each.status for each in now] == [S.APPROVED, S.DEPLOY_FAILED, S.APPROVED, S.LAPSED]
        assert now[1].failure
        told_of_failed = (await told(one, failed))[-1].message
        assert told_of_failed.startswith(f"The hold was lifted. It had failed before: {now[1].failure} If the package")
        assert {each.lease_owner for each in now} == {None}
        assert (await told(one, waiting))[-1].step == "released"
        entry = (await on_record(one, viewer))[-1]
        assert (entry.action, entry.subject, entry.reason) == (
            AuditAction.HOLD_RELEASED,
            Subject(Kind.AGENT, agent.id),
            WHY,
        )
        details = json.loads(entry.details)
        assert details["rollbackId"] == Subject(Kind.ROLLBACK, rollback.id).global_id
        assert details["released"] == [Subject(Kind.DEPLOYMENT, each.id).global_id for each in now[:3]]
        assert details["olderThanLive"] == [], "what is in production was submitted before them"
        assert await go_live(one, now[0]) is not None
        assert (await states(one, agent))["3.0.0"] == "LIVE"


async def test_people_are_warned_when_something_older_is_going_to_replace_something_newer(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        older = await approved(one, viewer, agent, "3.0.0")
        failed = await became(one, await approved(one, viewer, agent, "4.0.0"), S.DEPLOYING, S.DEPLOY_FAILED)
        await rolled(one, viewer, agent)
        await complete(one, await claimed(one))
        one.store.clock_offset += timedelta(seconds=1)
        await live(one, viewer, agent, "5.0.0")
        assert (await states(one, agent))["5.0.0"] == "LIVE"

        await release_hold(one, viewer, agent.id, WHY)
        warning = "version 5.0.0, which was submitted later and is in production."
        assert (await told(one, older))[-1].message == (
            f"The hold was lifted: it is deployed now, and takes the place of {warning}"
        )
        assert (await told(one, failed))[-1].message.endswith(f"Tried again, it takes the place of {warning}")
        details = json.loads((await on_record(one, viewer))[-1].details)
        both = [Subject(Kind.DEPLOYMENT, each.id).global_id for each in (older, failed)]
        assert (details["released"], details["olderThanLive"]) == (both, both)
        page = await notifications.page(one.store, viewer.tenant_id, viewer.user.id, PageRequest(100))
        (notice,) = [each for each in page.items if each.title.startswith("Older than")]
        assert (notice.subject.id, notice.title) == (older.id, f"Older than what is in production: {agent.name} 3.0.0")
        assert warning in notice.body

        assert await go_live(one, await stored(one, older)) is not None, "it is what they wanted"
        now = await states(one, agent)
        assert (now["3.0.0"], now["5.0.0"]) == ("LIVE", "STANDBY")


async def test_without_a_hold_there_is_nothing_to_lift(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await registered(one, viewer)
        with pytest.raises(ConflictError) as none:
            await release_hold(one, viewer, agent.id, WHY)
        assert none.value.current == "NOT_HELD"
        for who, which in ((viewer, "nobody's"), (await stranger(one.store), agent.id)):
            with pytest.raises(NotFoundError):
                await release_hold(one, who, which, WHY)
        with pytest.raises(ValidationError):
            await release_hold(one, viewer, agent.id, "because")
        with pytest.raises(ForbiddenError):
            await release_hold(one, replace(viewer, roles=frozenset({Role.DEVELOPER})), agent.id, WHY)


async def test_it_is_lifted_once(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        await rolled(one, viewer, agent)
        await complete(one, await claimed(one))
        asked = await asyncio.gather(
            *(release_hold(each, viewer, agent.id, WHY) for each in (one, two, one)), return_exceptions=True
        )
        assert sum(not isinstance(each, BaseException) for each in asked) == 1
        released = [each for each in await on_record(one, viewer) if each.action == AuditAction.HOLD_RELEASED]
        assert len(released) == 1

        await live(one, viewer, agent, "3.0.0")
        await rolled(one, viewer, agent)
        await complete(one, await claimed(one))
        first = await release_hold(one, viewer, agent.id, WHY, idempotency_key="k")
        assert await release_hold(one, viewer, agent.id, WHY, idempotency_key="k") == first
        with pytest.raises(ConflictError) as other:
            await release_hold(one, viewer, agent.id, "For another reason.", idempotency_key="k")
        assert other.value.code is ErrorCode.IDEMPOTENCY_MISMATCH
