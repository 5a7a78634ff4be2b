"""Rollbacks that meet something else: a deployment, pruning, the watchdog, the end of a hold. Each has one outcome."""

import asyncio
from datetime import timedelta

from tests.operations.pipeline_world import became, stored
from tests.operations.releases_world import (
    agent_with,
    approved,
    as_stored,
    claimed,
    go_live,
    on_record,
    pointer_of,
    rolled,
    states,
    switch,
    versions_of,
)
from tests.operations.world import demo, process
from windtunnel.domain.agents import Agent
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ConflictError, ErrorCode
from windtunnel.domain.rollbacks import Rollback, RollbackStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.release_hold import release_hold
from windtunnel.operations.restoring import complete, fail
from windtunnel.operations.services import Services
from windtunnel.storage import deployments, releases, rollbacks
from windtunnel.storage.errors import LeaseLostError

ROUNDS = 6
WHY = "The cause was found elsewhere."


async def is_sound(services: Services, agent: Agent) -> str:
    """One version is live, one deployment, and the pointer is at both; the version's number."""
    pointer = await pointer_of(services, agent)
    live = [version for version in (await versions_of(services, agent)).values() if version.state.value == "LIVE"]
    assert [version.id for version in live] == [pointer.version_id]
    deployment = await deployments.get(services.store, agent.tenant_id, pointer.deployment_id or "")
    assert deployment
    assert (deployment.status, deployment.version_id) == (S.LIVE, pointer.version_id)
    rows = await services.store.of(agent.tenant_id).fetch(
        "SELECT COUNT(*) AS live FROM deployments WHERE tenant_id = $1 AND agent_id = $2 AND status = 'LIVE'",
        agent.tenant_id,
        agent.id,
    )
    assert rows[0]["live"] == 1
    return live[0].version


async def recorded(services: Services, viewer: Viewer, rollback: Rollback) -> list[str]:
    return [str(each.action) for each in await on_record(services, viewer) if each.subject_id == rollback.id]


async def test_a_rollback_meets_a_deployment_under_way(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        for number in range(ROUNDS):
            agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
            under_way = await became(one, await approved(one, viewer, agent, "3.0.0"), S.DEPLOYING)
            async with one.store.transaction(agent.tenant_id):
                begun = await releases.raise_fence(one.store, agent.tenant_id, agent.id)
            assert begun
            first, second = switch(two, under_way, begun.fence), rolled(one, viewer, agent)
            if number % 2:
                rollback, went_live = await asyncio.gather(second, first)
            else:
                went_live, rollback = await asyncio.gather(first, second)
            deployment = await stored(one, under_way)
            if went_live is None:
                assert deployment.status is S.HELD
                assert rollback.deployment_id != deployment.id
            else:
                assert deployment.status is S.LIVE
                assert rollback.deployment_id == deployment.id
            await complete(one, await claimed(one))
            assert await is_sound(one, agent) == ("1.0.0" if went_live is None else "2.0.0")


async def test_a_rollback_meets_the_pruning_of_its_target(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        for number in range(2):
            agent = await agent_with(one, viewer, *(f"{each}.0.0" for each in range(1, 11)))
            eleventh = await approved(one, viewer, agent, "11.0.0")
            asked = [rolled(one, viewer, agent, "1.0.0"), go_live(two, eleventh)]
            ended = await asyncio.gather(*asked[:: -1 if number % 2 else 1], return_exceptions=True)
            (rollback,) = [each for each in ended if isinstance(each, Rollback | ConflictError)]
            now = await states(one, agent)
            if isinstance(rollback, ConflictError):
                assert rollback.code is ErrorCode.VERSION_PRUNED
                assert now["1.0.0"] == "PRUNED"
                assert await is_sound(one, agent) == "11.0.0"
            else:
                assert now["1.0.0"] == "STANDBY"
                await complete(one, await claimed(one))
                assert await is_sound(one, agent) == "1.0.0"


async def test_the_end_of_a_rollback_meets_the_watchdog(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        outcomes = set()
        for late in (False, True) * 3:
            agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
            rollback = await rolled(one, viewer, agent)
            held = await claimed(one)
            if late:
                one.store.clock_offset += timedelta(seconds=61)
                two.store.clock_offset = one.store.clock_offset
            ended = await asyncio.gather(complete(one, held), fail(two, held, "Too slow."), return_exceptions=True)
            now = await rollbacks.get(one.store, agent.tenant_id, rollback.id)
            assert now
            failed = now.status is RollbackStatus.FAILED
            outcomes.add(failed)
            assert isinstance(ended[0], LeaseLostError) is failed
            assert ended[1] is failed
            assert failed or not late
            assert await is_sound(one, agent) == ("2.0.0" if failed else "1.0.0")
            last = AuditAction.ROLLBACK_FAILED if failed else AuditAction.ROLLBACK_COMPLETED
            assert await recorded(one, viewer, rollback) == [AuditAction.ROLLBACK_STARTED, last]
        assert True in outcomes


async def test_a_rollback_meets_the_end_of_a_hold(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        for number in range(ROUNDS):
            agent = await agent_with(one, viewer, "1.0.0", "2.0.0", "3.0.0")
            waits = await approved(one, viewer, agent, "4.0.0")
            await rolled(one, viewer, agent)
            await complete(one, await claimed(one))
            assert (await stored(one, waits)).status is S.HELD
            asked = [rolled(one, viewer, agent), release_hold(two, viewer, agent.id, WHY)]
            await asyncio.gather(*asked[:: -1 if number % 2 else 1], return_exceptions=True)
            # Whoever was first: the second rollback holds back what the hold's end let go.
            assert (await as_stored(one, agent)).held_by
            assert (await stored(one, waits)).status is S.HELD
            await complete(one, await claimed(one))
            assert await is_sound(one, agent) == "1.0.0"


async def test_two_workers_end_it_once(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        for _ in range(ROUNDS):
            agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
            rollback = await rolled(one, viewer, agent)
            held = await claimed(one)
            ended = await asyncio.gather(*(complete(each, held) for each in (one, two, one)), return_exceptions=True)
            assert sorted(isinstance(each, LeaseLostError) for each in ended) == [False, True, True]
            assert await is_sound(one, agent) == "1.0.0"
            assert await recorded(one, viewer, rollback) == [
                AuditAction.ROLLBACK_STARTED,
                AuditAction.ROLLBACK_COMPLETED,
            ]
            assert (await pointer_of(one, agent)).release_seq == 3
