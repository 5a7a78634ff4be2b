"""Validating a deployment: its package is looked into; people review it, or its developer reads what to put right."""

from collections.abc import Collection

import structlog

from windtunnel.domain.agents import Agent, AgentVersion, VersionState
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.packages import PackageCheck
from windtunnel.domain.words import counted
from windtunnel.operations.audit_trail import record
from windtunnel.operations.inspect_deployment import Declared, Inspected, inspect_deployment
from windtunnel.operations.notify import notify
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.queue_for_review import queue_for_review
from windtunnel.operations.services import Services
from windtunnel.packages.codes import Code
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.findings import Findings
from windtunnel.storage import agents, candidates, deployment_care, deployment_changes, tenants
from windtunnel.storage.deployment_care import FREE
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.package_checks import checks_to_json

AGAIN_AFTER_MS = 5_000
TOLD = 3
"""So many findings are named in a notice; all of them are with the deployment."""

_GONE = {
    VersionState.LIVE: "It is in production already.",
    VersionState.QUARANTINED: "A rollback took it away: a reviewer can release it, and a rollback restore it.",
    VersionState.PRUNED: "It was in production and is no longer kept.",
}

log = structlog.get_logger()


async def validate_deployment(services: Services, deployment: Deployment) -> None:
    """VALIDATING -> IN_REVIEW or INVALID, for whoever has claimed the deployment; the claim ends with it.

    When something is down, it is tried again soon. Nothing of the package is run. Raises LeaseLostError.
    """
    store = services.home.store
    try:
        agent = (await agents.get_many(store, deployment.tenant_id, [deployment.agent_id]))[deployment.agent_id]
        slug = await tenants.slug_of(store, deployment.tenant_id)
        inspected = await inspect_deployment(services.home, deployment, agent, slug)
    except (OSError, UnavailableError) as error:
        log.warning("deployment not validated yet", deployment_id=deployment.id, reason=str(error))
        await deployment_care.postpone(store, deployment, AGAIN_AFTER_MS)
        return
    news = News(deployment.tenant_id)
    async with store.transaction(deployment.tenant_id):
        await store.lock_tenant(deployment.tenant_id)
        await _decide(services.home, deployment, agent, inspected, news)
    await tell(services, news)


async def _decide(services: Services, deployment: Deployment, agent: Agent, inspected: Inspected, news: News) -> None:
    """Under the tenant's lock. Raises LeaseLostError when somebody else has it, or it was withdrawn meanwhile."""
    now = await deployment_care.under_fence(services.store, deployment)
    if now is None or now.status is not DeploymentStatus.VALIDATING:
        raise LeaseLostError(deployment.id)
    declared, version = inspected.declared, None
    taken: tuple[PackageCheck, ...] = ()
    if declared is not None:
        taken = await _taken(services, deployment, declared)
        version = await candidates.candidate(
            services.store,
            deployment,
            version=declared.version,
            manifest=declared.manifest,
            manifest_digest=declared.digest,
            classification=declared.classification.value,
        )
    checks = (*inspected.checks, *taken)
    if declared is None or version is None or taken or not inspected.passed:
        await _refuse(services, deployment, news, agent=agent, version=version, checks=checks)
    else:
        await queue_for_review(
            services,
            deployment,
            news,
            agent=agent,
            version=version,
            declared=declared,
            checks=checks,
            signers=inspected.signers,
        )


async def _taken(services: Services, deployment: Deployment, declared: Declared) -> tuple[PackageCheck, ...]:
    """What speaks against the number of the version."""
    there = await candidates.bound(services.store, deployment.tenant_id, deployment.agent_id, declared.version)
    if there is None:
        return ()
    if there.package_digest == deployment.package_digest and there.state not in _GONE:
        return ()
    same = there.package_digest == deployment.package_digest
    findings = Findings()
    said = _GONE[there.state] if same else f"Another package is version {declared.version} already."
    findings.add(Code.VERSION_TAKEN, f"version: {said}", MANIFEST_PATH)
    return findings.checks


async def _refuse(
    services: Services,
    deployment: Deployment,
    news: News,
    *,
    agent: Agent,
    version: AgentVersion | None,
    checks: Collection[PackageCheck],
) -> None:
    blocking = [check for check in checks if check.blocks]
    failure = f"The package cannot be deployed: {counted(len(blocking), 'finding')} to put right, see its `checks`."
    values = {"checks": checks_to_json(checks), "failure": failure}
    if version is not None:
        values |= {"version_id": version.id, "manifest_digest": version.manifest_digest}
    changed = await deployment_changes.change(
        services.store,
        deployment.tenant_id,
        deployment.id,
        expected={DeploymentStatus.VALIDATING},
        draft=DeploymentEventDraft(DeploymentStatus.INVALID, "invalid", failure, progress=1.0),
        values=values,
        exprs={**FREE, "finished_ms": "{now}"},
        fence=deployment.fence,
    )
    if changed is None:
        raise LeaseLostError(deployment.id)
    news.of(changed)
    subject = Subject(Kind.DEPLOYMENT, deployment.id)
    news.notices.append(
        await notify(
            services,
            deployment.tenant_id,
            NotificationKind.DEPLOYMENT_INVALID,
            title=f"Package refused: {agent.name}",
            body=f"{failure} {_named(blocking)}",
            subject=subject,
            recipients=[deployment.submitted_by],
        )
    )
    await record(
        services,
        None,
        deployment.tenant_id,
        AuditAction.DEPLOYMENT_INVALID,
        subject,
        reason=failure,
        details={
            "packageDigest": deployment.package_digest,
            "manifestDigest": version and version.manifest_digest,
            "findings": sorted({check.code for check in blocking}),
        },
        request_id=deployment.request_id,
    )


def _named(blocking: Collection[PackageCheck]) -> str:
    """The first of them, each with its place and what to do."""
    told = []
    for check in list(blocking)[:TOLD]:
        place = f" {check.path}" if check.path else ""
        place += f":{check.line}" if check.line else ""
        told.append(f"{check.code}{place}: {check.detail} {check.remediation}")
    return " ".join(told)
