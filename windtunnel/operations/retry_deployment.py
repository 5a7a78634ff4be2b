"""Retrying a deployment that failed: at most three attempts altogether, within 24 hours of its approval."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import DEPLOY_ATTEMPTS_MAX
from windtunnel.domain.rollbacks import is_held
from windtunnel.domain.submissions import illegal, no_agent
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.deployment_parts import current
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.storage import agents, deployment_changes
from windtunnel.storage.deployment_care import FREE

_FROM = frozenset({DeploymentStatus.DEPLOY_FAILED})


async def retry_deployment(
    services: Services, viewer: Viewer, deployment_id: str, idempotency_key: str | None = None
) -> Deployment:
    """The deployment, DEPLOYING again: a worker goes on with it.

    Raises ForbiddenError, NotFoundError, ConflictError (it has not failed, has been tried three times, its approval is
    too old, the agent is held, IDEMPOTENCY_MISMATCH).
    """
    subject, tenant_id = Subject(Kind.DEPLOYMENT, deployment_id), viewer.tenant_id
    await permit(services, viewer, Action.RETRY_DEPLOYMENT, subject)
    news = News(tenant_id, work=True)

    async def retry() -> Done[Deployment]:
        before = await current(services, tenant_id, deployment_id)
        if before.status not in _FROM:
            raise illegal(before, _FROM, "retried")
        await _demand_unheld(services, before)
        message = f"Attempt {before.attempts + 1} of {DEPLOY_ATTEMPTS_MAX}."
        draft = DeploymentEventDraft(DeploymentStatus.DEPLOYING, "retry", message, viewer.user.id, 0.0)
        changed = await deployment_changes.change(
            services.home.store,
            tenant_id,
            deployment_id,
            expected=_FROM,
            draft=draft,
            values={"failure": None},
            exprs={**FREE, "attempts": "attempts + 1", "due_ms": "{now}"},
            where=f"attempts < {DEPLOY_ATTEMPTS_MAX} AND execute_by_ms > {{now}}",
        )
        if changed is None:
            raise _refusal(before)
        deployment = news.of(changed)
        details = {"attempt": deployment.attempts, "failure": before.failure}
        await record(services, viewer, tenant_id, AuditAction.DEPLOYMENT_RETRIED, subject, details=details)
        return Done(deployment_id, deployment)

    what = {"deployment_id": deployment_id}
    outcome = await once(services, viewer, Asked(Action.RETRY_DEPLOYMENT, idempotency_key, what, subject), retry)
    if outcome.made is None:
        return await current(services, tenant_id, deployment_id)
    await tell(services, news)
    return outcome.made


async def _demand_unheld(services: Services, deployment: Deployment) -> None:
    """Raise ConflictError while a rollback holds what was submitted before it."""
    agent = await agents.get(services.home.store, deployment.tenant_id, deployment.agent_id)
    if agent is None:
        raise no_agent(deployment.agent_id)
    if is_held(agent, deployment):
        raise ConflictError(
            "A rollback holds what was submitted before it. Release the hold of the agent first.",
            current=deployment.status.value,
        )


def _refusal(before: Deployment) -> ConflictError:
    if before.attempts >= DEPLOY_ATTEMPTS_MAX:
        message = f"It was tried {before.attempts} times, and no more are allowed. Submit a package that works."
    else:
        message = "Its approval is more than 24 hours old. Submit the package again."
    return ConflictError(message, current=before.status.value)
