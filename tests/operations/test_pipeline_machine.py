"""Random lives of one agent's deployments, by the real operations: whatever happens in whatever order, these hold.

Never two versions live, nothing live without a quorum of other people on its very bytes, every step one of the table's,
and never is a version pruned that is live, pinned, or was live last and can be restored.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.operations.pipeline_world import registered, stored, told
from tests.operations.releases_world import REASON, pointer_of, versions_of
from tests.operations.review_world import approve, person, reject, reviewable
from tests.operations.world import demo, process
from windtunnel.domain.agents import Agent, AgentVersion, VersionState
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ConflictError, ErrorCode, PolicyError, WindtunnelError
from windtunnel.domain.ids import new_id
from windtunnel.domain.pipeline_table import TRANSITIONS
from windtunnel.domain.policy import VERSIONS_PER_AGENT
from windtunnel.domain.retention import to_prune
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.approvals import signed_approval
from windtunnel.operations.deploy_begin import begin
from windtunnel.operations.deploy_end import OvertakenError, QuarantinedError, complete, fail
from windtunnel.operations.expire_review import expire_review
from windtunnel.operations.lapse_deployment import lapse_deployment
from windtunnel.operations.release_hold import release_hold
from windtunnel.operations.release_quarantine import release_quarantine
from windtunnel.operations.restoring import complete as restored
from windtunnel.operations.restoring import fail as not_restored
from windtunnel.operations.retry_deployment import retry_deployment
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.operations.services import Services
from windtunnel.operations.withdraw_deployment import withdraw_deployment
from windtunnel.storage import deployment_care, deployment_changes, rollback_care, rollbacks
from windtunnel.storage.errors import LeaseLostError

T = TypeVar("T")
CHOICE = st.integers(0, 1_000)
WELL = st.sampled_from([True, True, True, False])
HOURS = st.sampled_from([*[1 / 3600] * 6, 1 / 59, 13.0, 24.0, 24 * 30.0])
RETAINED = {VersionState.LIVE, VersionState.STANDBY, VersionState.QUARANTINED}


async def carried_out(services: Services, deployment: Deployment, *, well: bool) -> None:
    """What a worker does with one that it has claimed, without the process that it starts."""
    begun = await begin(services, deployment)
    if begun is None:
        return
    deployment = begun.deployment
    if not well:
        await fail(services, deployment, ErrorCode.UNAVAILABLE, "It does not start.")
        return
    if deployment.approval is None:
        approval = await signed_approval(services, deployment)
        async with services.store.transaction(deployment.tenant_id):
            changed = await deployment_changes.change(
                services.store,
                deployment.tenant_id,
                deployment.id,
                expected={S.DEPLOYING},
                draft=DeploymentEventDraft(S.DEPLOYING, "approval", "It is signed."),
                values={"approval": approval},
                fence=deployment.fence,
            )
        assert changed
        deployment = changed[0]
    try:
        await complete(services, deployment, begun.pointer)
    except QuarantinedError as error:
        await fail(services, deployment, ErrorCode.CONFLICT, str(error))


class Lives(RuleBasedStateMachine):
    """One agent, and all that can happen to its deployments."""

    runner: asyncio.Runner
    services: Services
    viewer: Viewer
    reviewer: Viewer

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(doing)

    @initialize(versions=st.sampled_from([2, VERSIONS_PER_AGENT]))
    def begin_with(self, versions: int) -> None:
        self.agent: Agent = self.run(registered(self.services, self.viewer, f"agent-{new_id()[-12:]}"))
        self.deployments: list[Deployment] = []
        self.before: dict[str, AgentVersion] = {}
        for _ in range(versions):
            self.another(well=True)
            self.is_sound()

    @rule()
    def submit(self) -> None:
        self.deployments.append(self.run(reviewable(self.services, self.viewer, self.agent)))

    @rule()
    def have_approved(self) -> None:
        self.submit()
        self.vote(len(self.deployments) - 1)

    @rule(well=WELL)
    def another(self, *, well: bool) -> None:
        self.have_approved()
        self.work(well=well)

    @rule(which=CHOICE)
    def vote(self, which: int) -> None:
        if deployment := self.one(which):
            self.tried(approve(self.services, self.reviewer, deployment))

    @rule(which=CHOICE)
    def vote_for_oneself(self, which: int) -> None:
        if deployment := self.one(which):
            error = self.tried(approve(self.services, self.viewer, deployment))
            assert isinstance(error, PolicyError | ConflictError)

    @rule(which=CHOICE, how=st.sampled_from(["reject", "withdraw", "retry"]))
    def decide(self, which: int, how: str) -> None:
        if deployment := self.one(which):
            self.tried(
                {
                    "reject": lambda: reject(self.services, self.reviewer, deployment),
                    "withdraw": lambda: withdraw_deployment(self.services, self.viewer, deployment.id),
                    "retry": lambda: retry_deployment(self.services, self.viewer, deployment.id),
                }[how]()
            )

    @rule(well=WELL)
    def work(self, *, well: bool) -> None:
        self.run(self._work(well=well))

    @rule(hours=HOURS)
    def time_passes(self, hours: float) -> None:
        self.services.store.clock_offset += timedelta(hours=hours)
        for deployment in self.deployments:
            about = (self.services, deployment.tenant_id, deployment.id)
            self.run(expire_review(*about))
            self.run(lapse_deployment(*about))
        for rollback in self.run(rollback_care.overdue(self.services.store)):
            self.run(not_restored(self.services, rollback, "Too slow."))

    @rule(which=st.none() | CHOICE, well=WELL)
    def roll_back_and_restore(self, which: int | None, *, well: bool) -> None:
        self.roll_back(which)
        self.restore(well=well)

    @rule(which=st.none() | CHOICE)
    def roll_back(self, which: int | None) -> None:
        versions = list(self.before.values())
        target = versions[which % len(versions)].id if which is not None and versions else None
        self.tried(rollback_deployment(self.services, self.viewer, RollbackRequest(self.agent.id, REASON, target)))

    @rule(well=WELL)
    def restore(self, *, well: bool) -> None:
        self.run(self._restore(well=well))

    @rule()
    def lift(self) -> None:
        self.tried(release_hold(self.services, self.viewer, self.agent.id, REASON))

    @rule(which=CHOICE)
    def release(self, which: int) -> None:
        if versions := list(self.before.values()):
            version = versions[which % len(versions)]
            self.tried(release_quarantine(self.services, self.reviewer, version.id, REASON))

    @invariant()
    def is_sound(self) -> None:
        if hasattr(self, "agent"):
            self.run(self._check())

    def teardown(self) -> None:
        if not hasattr(self, "agent"):
            return

        async def every_step_is_legal() -> None:
            for deployment in self.deployments:
                steps = [event.status for event in await told(self.services, deployment)]
                steps.insert(steps.index(S.VALIDATING) + 1, S.IN_REVIEW)  # which `reviewable` makes without an event
                for source, target in pairwise(steps):
                    assert source is target or target in TRANSITIONS[source], steps
                assert (await stored(self.services, deployment)).status is steps[-1]

        self.run(every_step_is_legal())

    def one(self, which: int) -> Deployment | None:
        return self.deployments[which % len(self.deployments)] if self.deployments else None

    def tried(self, doing: Coroutine[Any, Any, Any]) -> WindtunnelError | None:
        """Why it was refused, None when it was not; whatever else is raised is a defect."""
        try:
            self.run(doing)
        except WindtunnelError as error:
            return error
        return None

    async def _work(self, *, well: bool) -> None:
        mine = {deployment.id for deployment in self.deployments}
        for deployment in await deployment_care.claim(self.services.store, "deployer", 1_000):
            if deployment.id in mine:
                with suppress(LeaseLostError, OvertakenError):
                    await carried_out(self.services, deployment, well=well)

    async def _restore(self, *, well: bool) -> None:
        for rollback in await rollback_care.claim(self.services.store, "deployer", 100):
            if well:
                await restored(self.services, rollback)
            else:
                assert await not_restored(self.services, rollback, "It does not start.")

    async def _check(self) -> None:
        store, tenant_id = self.services.store, self.agent.tenant_id
        versions = {version.id: version for version in (await versions_of(self.services, self.agent)).values()}
        pointer = await pointer_of(self.services, self.agent)
        live = [version.id for version in versions.values() if version.state is VersionState.LIVE]
        assert live == ([pointer.version_id] if pointer.version_id else [])
        retained = [version for version in versions.values() if version.state in RETAINED]
        assert len(retained) <= VERSIONS_PER_AGENT
        assert len({version.version_seq for version in retained}) == len(retained)
        running = await rollbacks.running(store, tenant_id, self.agent.id)
        self._check_pruned(versions, {running.to_version_id} if running else set())
        if pointer.deployment_id:
            rows = await store.of(tenant_id).fetch(
                "SELECT d.status, d.package_digest, d.quorum, (SELECT COUNT(*) FROM review_votes AS v"
                " JOIN reviews AS r ON r.tenant_id = v.tenant_id AND r.id = v.review_id WHERE r.deployment_id = d.id"
                " AND v.decision = 'APPROVE' AND v.reviewed_digest = d.package_digest"
                " AND v.person_id <> d.submitted_by) AS votes FROM deployments AS d"
                " WHERE d.tenant_id = $1 AND d.agent_id = $2 AND d.status = 'LIVE'",
                tenant_id,
                self.agent.id,
            )
            assert len(rows) == 1
            assert rows[0]["votes"] >= rows[0]["quorum"] >= 1
            assert rows[0]["package_digest"] == pointer.package_digest
        self.before = versions

    def _check_pruned(self, versions: dict[str, AgentVersion], pinned: set[str]) -> None:
        pruned = {
            each.id
            for each in versions.values()
            if each.state is VersionState.PRUNED and self.before[each.id].state is not VersionState.PRUNED
        }
        assert not pruned & pinned
        if pruned:
            as_they_were = [self.before.get(each.id, each) for each in versions.values()]
            known_good = max(
                (each for each in as_they_were if each.state in RETAINED), key=lambda each: each.last_release or 0
            )
            assert known_good.id not in pruned
        assert to_prune(versions.values(), pinned) == ()


def test_whatever_happens_in_whatever_order(database_url: str) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def opened() -> tuple[Services, Viewer, Viewer]:
            services = await stack.enter_async_context(process(database_url))
            viewer = await demo(services)
            return services, viewer, await person(services, viewer, "reviewer@acme.test")

        Lives.runner = runner
        Lives.services, Lives.viewer, Lives.reviewer = runner.run(opened())
        try:
            run_state_machine_as_test(
                Lives,
                settings=settings(
                    max_examples=8,
                    stateful_step_count=30,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(stack.aclose())
