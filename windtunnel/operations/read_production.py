"""Reading how production is configured."""

from windtunnel.domain.production import Snapshot
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.services import Services
from windtunnel.storage import production


async def read_production(services: Services, viewer: Viewer) -> Snapshot:
    """The configuration as it is now. Everybody of the tenant may see it: of secrets there is nothing to see."""
    return await production.snapshot(services.store, viewer.tenant_id)
