"""Taking a version back out of production: accepted here, in one transaction; a worker restores the one before.

From then on nobody who is deploying can switch any more, and what was submitted before waits until the hold is lifted.
It needs no review: what is restored was approved for these very bytes. It works with the pipeline's flag off, too.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from windtunnel.domain.agents import Agent, AgentVersion, Ineligible, Pointer
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.eligibility import restorable, rollback_until, why_ineligible
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.permissions import Action
from windtunnel.domain.rollback_rules import (
    already_rolling_back,
    check_reason,
    ineligible,
    no_such_agent,
    no_such_version,
    nothing_to_restore,
    window_closed,
)
from windtunnel.domain.rollbacks import ProductionEventKind, Rollback
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.active_workflows import Workflows, active_workflows
from windtunnel.operations.audit_trail import record
from windtunnel.operations.holding import hold_back
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.notify import notify
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.rollback_people import concerned
from windtunnel.operations.services import Services
from windtunnel.storage import (
    agent_versions,
    agents,
    deployment_events,
    deployments,
    releases,
    rollback_changes,
    rollbacks,
    tenant_logs,
)
from windtunnel.storage.rollback_changes import NewRollback


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """Without a `to_version_id`, what was in production before is restored."""

    agent_id: str
    reason: str
    to_version_id: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    agent: Agent
    pointer: Pointer
    current: AgentVersion
    target: AgentVersion
    deployment: Deployment


async def rollback_deployment(services: Services, viewer: Viewer, request: RollbackRequest) -> Rollback:
    """The rollback, RUNNING. While one to the same version runs, it is that one.

    Raises ForbiddenError, ValidationError, NotFoundError, ConflictError (also VERSION_PRUNED, ROLLBACK_INELIGIBLE,
    IDEMPOTENCY_MISMATCH), PolicyError (ROLLBACK_WINDOW_CLOSED).
    """
    subject = Subject(Kind.AGENT, request.agent_id)
    await permit(services, viewer, Action.ROLLBACK_DEPLOYMENT, subject)
    reason = check_reason(request.reason)
    workflows = await active_workflows(services, viewer.tenant_id, request.agent_id)
    news = News(viewer.tenant_id)

    async def accept() -> Done[Rollback]:
        plan = await _plan(services, viewer.tenant_id, request)
        if isinstance(plan, Rollback):
            return Done(plan.id, plan)
        rollback = await _accept(services, viewer, plan, reason, workflows, news)
        return Done(rollback.id, rollback)

    what = {**asdict(request), "reason": reason, "idempotency_key": None}
    asked = Asked(Action.ROLLBACK_DEPLOYMENT, request.idempotency_key, what, subject)
    outcome = await once(services, viewer, asked, accept)
    await tell(services, news)
    if outcome.made is not None:
        return outcome.made
    found = await rollbacks.get(services.home.store, viewer.tenant_id, outcome.result_id)
    if found is None:
        raise LookupError("a rollback that was accepted is gone")
    return found


async def _plan(services: Services, tenant_id: str, request: RollbackRequest) -> _Plan | Rollback:
    """What is to be done; or the rollback that does so already."""
    store = services.home.store
    agent = await agents.get(store, tenant_id, request.agent_id)
    if agent is None:
        raise no_such_agent(request.agent_id)
    if running := await rollbacks.running(store, tenant_id, agent.id):
        if request.to_version_id in {None, running.to_version_id}:
            return running
        raise already_rolling_back(running)
    pointer = (await agents.pointers(store, tenant_id, [agent.id])).get(agent.id)
    target = await _target(services, agent, pointer, request.to_version_id)
    if pointer is None or pointer.version_id is None or pointer.deployment_id is None:
        raise LookupError("something can be restored although nothing is in production")
    versions = await agent_versions.get_many(store, tenant_id, [pointer.version_id])
    deployment = await deployments.get(store, tenant_id, pointer.deployment_id)
    if deployment is None:
        raise LookupError("what is in production was never deployed")
    return _Plan(agent, pointer, versions[pointer.version_id], target, deployment)


async def _target(services: Services, agent: Agent, pointer: Pointer | None, wanted: str | None) -> AgentVersion:
    store, now = services.home.store, await services.home.store.now()
    if wanted is None:
        if found := restorable(await releases.retained(store, agent.tenant_id, agent.id), pointer, now):
            return found[0]
        until = rollback_until(pointer)
        if until is not None and now >= until:
            raise window_closed()
        raise nothing_to_restore(Ineligible.NOTHING_LIVE if until is None else None)
    version = (await agent_versions.get_many(store, agent.tenant_id, [wanted])).get(wanted)
    if version is None or version.agent_id != agent.id or not version.bound:
        raise no_such_version(wanted)
    if why := why_ineligible(version, pointer, now):
        raise ineligible(version, why)
    return version


async def _accept(  # noqa: PLR0917 - in the order of what happens
    services: Services, viewer: Viewer, plan: _Plan, reason: str, workflows: Workflows, news: News
) -> Rollback:
    store, tenant_id, agent = services.home.store, viewer.tenant_id, plan.agent
    pointer = await releases.begin_restoring(store, tenant_id, agent.id, plan.current.id)
    if pointer is None:  # all else was looked at under the same lock: only the time has passed since
        raise window_closed()
    people = {viewer.user.id, plan.deployment.submitted_by, plan.current.submitted_by, *workflows.people}
    rollback = await rollback_changes.insert(
        store,
        NewRollback(
            id=new_id(),
            tenant_id=tenant_id,
            agent_id=agent.id,
            deployment_id=plan.deployment.id,
            from_version_id=plan.current.id,
            to_version_id=plan.target.id,
            reason=reason,
            requested_by=viewer.user.id,
            request_id=viewer.request_id,
            pointer_fence=pointer.fence,
            notified=workflows.ids,
            told=sorted(await concerned(services, agent, people)),
        ),
    )
    held = await hold_back(services, viewer, rollback, news)
    message = f"A rollback to version {plan.target.version} was asked for: {reason}"
    draft = DeploymentEventDraft(DeploymentStatus.LIVE, "rollback", message, viewer.user.id)
    if event := await deployment_events.append(store, tenant_id, plan.deployment.id, draft):
        news.deployments.append(event)
    news.production.append(
        await tenant_logs.append_production(
            store,
            tenant_id,
            ProductionEventKind.ROLLBACK_STARTED,
            agent_id=agent.id,
            version_id=plan.target.id,
            previous_id=plan.current.id,
        )
    )
    news.notices.append(
        await notify(
            services,
            tenant_id,
            NotificationKind.ROLLBACK_STARTED,
            title=f"Rollback started: {agent.name} {plan.current.version}",
            body=f"Version {plan.current.version} is taken out of production, {plan.target.version} restored: {reason}",
            subject=Subject(Kind.ROLLBACK, rollback.id),
            recipients=rollback.told,
        )
    )
    news.work = True
    await _put_on_record(services, viewer, plan, rollback, held)
    return rollback


async def _put_on_record(
    services: Services, viewer: Viewer, plan: _Plan, rollback: Rollback, held: Sequence[Deployment]
) -> None:
    agent = Subject(Kind.AGENT, plan.agent.id)
    for deployment in held:
        await record(
            services,
            viewer,
            viewer.tenant_id,
            AuditAction.DEPLOYMENT_HELD,
            Subject(Kind.DEPLOYMENT, deployment.id),
            reason=rollback.reason,
            details={"agentId": agent, "rollbackId": Subject(Kind.ROLLBACK, rollback.id)},
        )
    await record(
        services,
        viewer,
        viewer.tenant_id,
        AuditAction.HOLD_PLACED,
        agent,
        reason=rollback.reason,
        details={"rollbackId": Subject(Kind.ROLLBACK, rollback.id), "held": [_of(each) for each in held]},
    )
    await record(
        services,
        viewer,
        viewer.tenant_id,
        AuditAction.ROLLBACK_STARTED,
        Subject(Kind.ROLLBACK, rollback.id),
        reason=rollback.reason,
        details={
            "agentId": agent,
            "deploymentId": _of(plan.deployment),
            "fromVersion": plan.current.version,
            "fromDigest": plan.current.package_digest,
            "toVersion": plan.target.version,
            "toDigest": plan.target.package_digest,
            "notifiedWorkflows": list(rollback.notified),
        },
    )


def _of(deployment: Deployment) -> Subject:
    return Subject(Kind.DEPLOYMENT, deployment.id)
