"""What is done with deployments, the parts that all of it has in common: looking at one, naming it."""

from windtunnel.domain.deployments import Deployment
from windtunnel.domain.submissions import no_deployment
from windtunnel.operations.services import Services
from windtunnel.storage import agent_versions, agents, deployments


async def current(services: Services, tenant_id: str, deployment_id: str) -> Deployment:
    """The deployment as it is now. Raises NotFoundError."""
    found = await deployments.get(services.home.store, tenant_id, deployment_id)
    if found is None:
        raise no_deployment(deployment_id)
    return found


async def name_of(services: Services, deployment: Deployment) -> str:
    """How people call it: the name of the agent, and the version once that is known."""
    store, tenant_id, version_id = services.home.store, deployment.tenant_id, deployment.version_id or ""
    agent = (await agents.get_many(store, tenant_id, [deployment.agent_id]))[deployment.agent_id]
    version = (await agent_versions.get_many(store, tenant_id, [version_id])).get(version_id)
    return f"{agent.name} {version.version}" if version else agent.name
