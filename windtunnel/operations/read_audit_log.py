"""Reading the audit log."""

from windtunnel.domain.audit import AuditEntry, AuditFilter
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import audit


async def read_audit_log(
    services: Services, viewer: Viewer, request: PageRequest, wanted: AuditFilter
) -> Page[AuditEntry]:
    """A page of the viewer's tenant's entries, newest first. Raises ForbiddenError."""
    await permit(services, viewer, Action.READ_AUDIT)
    return await audit.page(services.store, viewer.tenant_id, request, wanted)
