"""Reading a tenant's API tokens."""

from windtunnel.domain.permissions import Action
from windtunnel.domain.tokens import ApiToken
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import tokens


async def read_api_tokens(services: Services, viewer: Viewer) -> list[ApiToken]:
    """The tokens of the viewer's tenant that can be used now, newest first. Raises ForbiddenError."""
    await permit(services, viewer, Action.READ_API_TOKENS)
    return await tokens.list_valid(services.store, viewer.tenant_id)
