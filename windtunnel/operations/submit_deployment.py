"""Submitting a deployment: an uploaded package of an agent, which a worker validates and reviewers decide on."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import WindtunnelError
from windtunnel.domain.flags import Flag
from windtunnel.domain.ids import new_id
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import DEPLOYMENTS_OPEN_PER_TENANT
from windtunnel.domain.reviews import Evidence
from windtunnel.domain.submissions import SubmitRequest, check_submission, no_agent, too_many_open
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.deployment_parts import current
from windtunnel.operations.evidence import gathered_evidence
from windtunnel.operations.feature_flags import require_enabled
from windtunnel.operations.find_package import find_package
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.storage import agents, deployment_changes, submissions


async def submit_deployment(services: Services, viewer: Viewer, request: SubmitRequest) -> Deployment:
    """The deployment, SUBMITTED; asked again with the same idempotency key, as it is by then.

    What is wrong inside of the package is found by its validation, and told there. Raises ForbiddenError,
    ValidationError (also for what is no evidence), NotFoundError (agent, package), PolicyError (FEATURE_DISABLED),
    QuotaError, ConflictError (IDEMPOTENCY_MISMATCH).
    """
    subject = Subject(Kind.AGENT, request.agent_id)
    await permit(services, viewer, Action.SUBMIT_DEPLOYMENT, subject)
    wanted, tenant_id = check_submission(request), viewer.tenant_id
    agent = await agents.get(services.home.store, tenant_id, wanted.agent_id)
    if agent is None:
        raise no_agent(wanted.agent_id)
    deployment_id, news = new_id(), News(tenant_id, work=True)
    evidence, refusal = await _looked_at(services, viewer, wanted, deployment_id, agent.slug)

    async def submit() -> Done[Deployment]:
        if refusal is not None:
            raise refusal
        await find_package(services.home, viewer, wanted.package_digest)  # nobody has let it go meanwhile
        deployment = news.of(await _insert(services, viewer, wanted, deployment_id))
        await submissions.show(services.home.store, tenant_id, evidence)
        details = {
            "agentId": subject,
            "packageDigest": wanted.package_digest,
            "evidence": [Subject(Kind(each.kind), each.subject_id) for each in evidence],
        }
        about = Subject(Kind.DEPLOYMENT, deployment.id)
        await record(services, viewer, tenant_id, AuditAction.DEPLOYMENT_SUBMITTED, about, details=details)
        return Done(deployment.id, deployment)

    what = {
        "agent_id": wanted.agent_id,
        "package_digest": wanted.package_digest,
        "changelog": wanted.changelog,
        "evidence": sorted({each.global_id for each in wanted.evidence if each}),
    }
    asked = Asked(Action.SUBMIT_DEPLOYMENT, wanted.idempotency_key, what, subject)
    outcome = await once(services, viewer, asked, submit)
    if outcome.made is None:
        return await current(services, tenant_id, outcome.result_id)
    await tell(services, news)
    return outcome.made


async def _looked_at(
    services: Services, viewer: Viewer, wanted: SubmitRequest, deployment_id: str, agent_slug: str
) -> tuple[list[Evidence], WindtunnelError | None]:
    """The evidence, or why it cannot be submitted: before the transaction, and told only if it is a new request."""
    try:
        await require_enabled(services, viewer, Flag.DEPLOYMENT_PIPELINE, agent_slug)
        await find_package(services.home, viewer, wanted.package_digest)
        return await gathered_evidence(services, viewer, wanted, deployment_id), None
    except WindtunnelError as refusal:
        return [], refusal


async def _insert(
    services: Services, viewer: Viewer, wanted: SubmitRequest, deployment_id: str
) -> deployment_changes.Changed:
    store, tenant_id = services.home.store, viewer.tenant_id
    used = await submissions.open_of(store, tenant_id)
    if used >= DEPLOYMENTS_OPEN_PER_TENANT:
        raise too_many_open(used)
    now = await store.now()
    new = Deployment(
        id=deployment_id,
        tenant_id=tenant_id,
        agent_id=wanted.agent_id,
        version_id=None,
        package_digest=wanted.package_digest,
        manifest_digest=None,
        status=DeploymentStatus.SUBMITTED,
        submitted_by=viewer.user.id,
        submitted_at=now,
        token_id=viewer.token_id,
        request_id=viewer.request_id,
        changelog=wanted.changelog,
        due_at=now,
    )
    draft = DeploymentEventDraft(
        DeploymentStatus.SUBMITTED, "submit", "The package was submitted.", viewer.user.id, 0.0
    )
    return await deployment_changes.insert(store, new, draft)
