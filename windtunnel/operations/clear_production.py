"""Taking away what was put where agents run and will not run there again, whoever has left it."""

from windtunnel.deploying.target import Release
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_care


async def clear_production(services: Services) -> int:
    """Remove what is staged and nobody deploys or restores any more; how much it was.

    Most of it goes when its version is pruned; this is for workers that died then, or were not there.
    Raises UnavailableError, OSError.
    """
    spent = await deployment_care.spent(services.store, await services.target.staged())
    for tenant_id, agent_id, digest in spent:
        await services.target.remove(Release(tenant_id, agent_id, digest))
    return len(spent)
