"""Holding back what was submitted before a rollback: nothing of it is deployed until somebody lifts the hold."""

from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.rollbacks import Rollback
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.deployment_parts import name_of
from windtunnel.operations.notify import notify
from windtunnel.operations.pipeline_news import News
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_changes, rollback_changes
from windtunnel.storage.deployment_care import FREE

MESSAGE = "A rollback of the agent holds back what was submitted before it, until an operator lifts the hold."
_STOPPED = frozenset({DeploymentStatus.APPROVED, DeploymentStatus.DEPLOY_FAILED, DeploymentStatus.DEPLOYING})
_ATTEMPTS = "CASE WHEN status = 'DEPLOYING' AND attempts > 0 THEN attempts - 1 ELSE attempts END"
"""An attempt that is cut off does not count."""


async def hold_back(services: Services, viewer: Viewer, rollback: Rollback, news: News) -> list[Deployment]:
    """In the transaction that accepts a rollback: hold its agent, and what waits or is being deployed; what is held."""
    store, tenant_id = services.home.store, rollback.tenant_id
    await rollback_changes.hold(store, rollback)
    held = []
    for deployment in await rollback_changes.to_be_held(store, tenant_id, rollback.agent_id):
        changed = await deployment_changes.change(
            store,
            tenant_id,
            deployment.id,
            expected=_STOPPED,
            draft=DeploymentEventDraft(DeploymentStatus.HELD, "held", MESSAGE, viewer.user.id),
            exprs={**FREE, "attempts": _ATTEMPTS},
        )
        if changed is None:
            continue
        held.append(news.of(changed))
        news.notices.append(
            await notify(
                services,
                tenant_id,
                NotificationKind.DEPLOYMENT_HELD,
                title=f"Deployment held back: {await name_of(services, deployment)}",
                body=MESSAGE,
                subject=Subject(Kind.DEPLOYMENT, deployment.id),
                recipients=[deployment.submitted_by],
            )
        )
    return held
