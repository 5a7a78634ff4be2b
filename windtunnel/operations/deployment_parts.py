"""What is done with deployments, the part that all of it has in common: looking at one."""

from windtunnel.domain.deployments import Deployment
from windtunnel.domain.submissions import no_deployment
from windtunnel.operations.services import Services
from windtunnel.storage import deployments


async def current(services: Services, tenant_id: str, deployment_id: str) -> Deployment:
    """The deployment as it is now. Raises NotFoundError."""
    found = await deployments.get(services.home.store, tenant_id, deployment_id)
    if found is None:
        raise no_deployment(deployment_id)
    return found
