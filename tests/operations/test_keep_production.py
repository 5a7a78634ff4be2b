"""Keeping production running: what died, what another process has switched, and what does not come up."""

import os
import signal
from datetime import timedelta

import pytest

from tests.operations.deploying import SICK, an_agent, another, deployed, release_of, runs
from tests.operations.review_world import reviewable
from tests.operations.world import demo, process
from tests.waiting import a_moment
from windtunnel.deploying.host_process import HostProcessTarget
from windtunnel.deploying.target import ReleaseState
from windtunnel.domain.deployments import DeploymentStatus
from windtunnel.operations import keep_production as keeping
from windtunnel.operations.clear_production import clear_production
from windtunnel.operations.keep_production import Patience, keep_production
from windtunnel.operations.lapse_deployment import lapse_deployment
from windtunnel.operations.services import Services
from windtunnel.sandbox import sweeping
from windtunnel.storage import deployment_care
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store

UNGUARD = {"sqlite": "DROP TRIGGER pointers_go_on", "postgres": "ALTER TABLE pointers DISABLE TRIGGER USER"}


def pids(services: Services) -> list[int]:
    roots = [path.parent for path in (services.environments_dir.parent / "production").glob("*/*/runs")]
    return [pid for root in roots for pid in sweeping.remaining(root / "runs", root / "work")]


async def test_what_nobody_approved_is_not_started(database_url: str, unguarded: Store) -> None:
    async with process(database_url) as services:
        asked = await reviewable(services, await demo(services))
        await unguarded.fetch(UNGUARD[unguarded.dialect])
        await unguarded.fetch(
            "UPDATE pointers SET release_seq = 1, version_id = $3, deployment_id = $4, package_digest = $5,"
            " live_since_ms = {now} WHERE tenant_id = $1 AND agent_id = $2",
            asked.tenant_id,
            asked.agent_id,
            asked.version_id,
            asked.id,
            asked.package_digest,
        )
        assert await keep_production(services, Patience()) == 0
        assert await runs(services) == {}


async def test_the_tables_keep_what_is_in_production(database_url: str, unguarded: Store) -> None:
    async with process(database_url) as services:
        made = await deployed(services)
        place = [made.tenant_id, made.agent_id]
        for change in (
            f"package_digest = '{'f' * 64}'",
            "deployment_id = NULL",
            "version_id = NULL",
        ):
            with pytest.raises(ConstraintError):
                await unguarded.fetch(f"UPDATE pointers SET {change} WHERE tenant_id = $1 AND agent_id = $2", *place)
        with pytest.raises(ConstraintError, match="begins with nothing"):
            await unguarded.fetch(
                "INSERT INTO pointers SELECT * FROM pointers WHERE tenant_id = $1 AND agent_id = $2", *place
            )


async def test_other_bytes_than_were_approved_are_not_started(database_url: str, unguarded: Store) -> None:
    async with process(database_url) as services, another(services, database_url) as other:
        made = await deployed(services)
        asked = await reviewable(services, await demo(services))
        await unguarded.fetch(UNGUARD[unguarded.dialect])
        await unguarded.fetch(
            "UPDATE pointers SET package_digest = $3 WHERE tenant_id = $1 AND agent_id = $2",
            made.tenant_id,
            made.agent_id,
            asked.package_digest,
        )
        assert await keep_production(other, Patience()) == 0
        assert await runs(other) == {}


async def test_what_died_is_started_again(database_url: str) -> None:
    async with process(database_url) as services:
        made = await deployed(services)
        assert await keep_production(services, Patience()) == 0
        for pid in pids(services):
            os.kill(pid, signal.SIGKILL)
        while await runs(services):
            await a_moment()
        assert await keep_production(services, Patience()) == 1
        assert await runs(services) == {release_of(made): ReleaseState.LIVE}
    assert pids(services) == []


async def test_every_process_runs_what_is_in_production(database_url: str) -> None:
    async with process(database_url) as services, another(services, database_url) as other:
        agent = await an_agent(services)
        first = await deployed(services, agent)
        assert await keep_production(other, Patience()) == 1
        assert await runs(other) == {release_of(first): ReleaseState.LIVE}
        second = await deployed(services, agent)
        await keep_production(other, Patience())
        both = {release_of(first): ReleaseState.WARM, release_of(second): ReleaseState.LIVE}
        assert (await runs(services), await runs(other)) == (both, both)


async def test_what_was_decided_and_not_switched_is_switched(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        agent = await an_agent(services)
        first = await deployed(services, agent)
        assert isinstance(services.target, HostProcessTarget)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(HostProcessTarget, "switch", _died)
            with pytest.raises(RuntimeError):
                await deployed(services, agent)
        (pointer,) = await deployment_care.in_production(services.store)
        assert (await runs(services))[release_of(first)] is ReleaseState.LIVE
        assert await keep_production(services, Patience()) == 0
        states = {release.digest: state for release, state in (await runs(services)).items()}
        assert states == {first.package_digest: ReleaseState.WARM, pointer.package_digest: ReleaseState.LIVE}


async def test_what_does_not_come_up_is_tried_later_each_time(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with process(sqlite_url) as services, another(services, sqlite_url) as other:
        made = await deployed(services)
        await services.blobs.delete(made.package_digest)
        patience = Patience()
        assert await keep_production(other, patience) == 0
        assert not patience.may_try(release_of(made))
        monkeypatch.setattr(keeping, "PAUSE_S", 0.0)
        patience.keep(set())
        assert patience.may_try(release_of(made))
        assert await keep_production(other, patience) == 0
        assert await runs(services) == {release_of(made): ReleaseState.LIVE}


async def _died(*_: object) -> None:
    raise RuntimeError


async def test_what_was_pruned_or_came_to_nothing_is_cleared_away(database_url: str) -> None:
    async with process(database_url) as services, another(services, database_url) as other:
        agent = await an_agent(services)
        first, second = [await deployed(services, agent, version=version) for version in ("1.0.0", "2.0.0")]
        failed = await deployed(services, agent, version="3.0.0", health=SICK)
        assert failed.status is DeploymentStatus.DEPLOY_FAILED
        assert await clear_production(other) == 0
        everything = [release_of(each) for each in (first, second, failed)]
        assert await other.target.staged() == sorted((each.agent_id, each.digest) for each in everything)

        store = services.store
        await store.of(agent.tenant_id).fetch(
            "UPDATE agent_versions SET state = 'PRUNED', pruned_ms = {now} WHERE tenant_id = $1 AND id = $2",
            agent.tenant_id,
            first.version_id,
        )
        store.clock_offset = timedelta(days=1, minutes=1)
        assert await lapse_deployment(services, agent.tenant_id, failed.id)
        assert await clear_production(other) == 2
        assert await other.target.staged() == [(agent.id, second.package_digest)]
        assert await clear_production(other) == 0
        assert (await runs(services))[release_of(second)] is ReleaseState.LIVE
