"""What was approved and is not in production after 24 hours lapses: it needs a new review."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations.audit_trail import record
from windtunnel.operations.deployment_parts import name_of
from windtunnel.operations.notify import notify
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_changes
from windtunnel.storage.deployment_care import FREE

MESSAGE = "It was not in production within 24 hours of its approval. Submit it again: it needs a new review."
_FROM = frozenset({DeploymentStatus.APPROVED, DeploymentStatus.HELD, DeploymentStatus.DEPLOY_FAILED})


async def lapse_deployment(services: Services, tenant_id: str, deployment_id: str) -> bool:
    """APPROVED, HELD or DEPLOY_FAILED -> LAPSED, if its time is over; False when it is not, or somebody else did it."""
    store, subject = services.home.store, Subject(Kind.DEPLOYMENT, deployment_id)
    news = News(tenant_id)
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        changed = await deployment_changes.change(
            store,
            tenant_id,
            deployment_id,
            expected=_FROM,
            draft=DeploymentEventDraft(DeploymentStatus.LAPSED, "lapsed", MESSAGE),
            exprs={**FREE, "finished_ms": "{now}"},
            where="execute_by_ms <= {now}",
        )
        if changed is None:
            return False
        deployment = news.of(changed)
        news.notices.append(
            await notify(
                services,
                tenant_id,
                NotificationKind.DEPLOYMENT_LAPSED,
                title=f"Deployment lapsed: {await name_of(services, deployment)}",
                body=MESSAGE,
                subject=subject,
                recipients=[deployment.submitted_by],
            )
        )
        await record(
            services,
            None,
            tenant_id,
            AuditAction.DEPLOYMENT_LAPSED,
            subject,
            details={"executeBy": deployment.execute_by},
            request_id=deployment.request_id,
        )
    await tell(services, news)
    return True
