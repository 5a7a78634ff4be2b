"""Tending a claimed deployment: it is validated, or deployed, whatever is next."""

from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.operations.deploy import deploy
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.operations.validate_deployment import validate_deployment
from windtunnel.storage import deployment_changes
from windtunnel.storage.errors import LeaseLostError


async def tend_deployment(services: Services, deployment: Deployment) -> None:
    """Do with a claimed deployment what is to be done next. Raises LeaseLostError, UnavailableError."""
    if deployment.status is DeploymentStatus.SUBMITTED:
        deployment = await _validating(services, deployment)
    if deployment.status is DeploymentStatus.VALIDATING:
        await validate_deployment(services, deployment)
    elif deployment.status in {DeploymentStatus.APPROVED, DeploymentStatus.DEPLOYING}:
        await deploy(services, deployment)


async def _validating(services: Services, deployment: Deployment) -> Deployment:
    store, news = services.home.store, News(deployment.tenant_id)
    draft = DeploymentEventDraft(DeploymentStatus.VALIDATING, "validating", "The package is being looked into.")
    async with store.transaction(deployment.tenant_id):
        await store.lock_tenant(deployment.tenant_id)
        changed = await deployment_changes.change(
            store,
            deployment.tenant_id,
            deployment.id,
            expected={DeploymentStatus.SUBMITTED},
            draft=draft,
            fence=deployment.fence,
        )
        if changed is None:
            raise LeaseLostError(deployment.id)
        deployment = news.of(changed)
    await tell(services, news)
    return deployment
