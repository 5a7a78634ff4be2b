"""Reading a tenant's webhooks."""

from collections.abc import Sequence

from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.domain.webhooks import Webhook
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import webhooks


async def read_webhooks(services: Services, viewer: Viewer) -> Sequence[Webhook]:
    """The webhooks of the viewer's tenant, newest first. Raises ForbiddenError."""
    await permit(services, viewer, Action.READ_WEBHOOKS)
    return await webhooks.list(services.store, viewer.tenant_id)
