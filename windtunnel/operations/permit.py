"""Asking for permission; a refusal is put on record."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ForbiddenError
from windtunnel.domain.permissions import Action, require
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.services import Services


async def permit(services: Services, viewer: Viewer, action: Action, subject: Subject | None = None) -> None:
    """Return when the viewer's roles allow `action`; else record the attempt and raise ForbiddenError.

    Call it before any transaction begins: a refusal is kept although nothing else of the attempt is. `subject` is
    what it was aimed at, the tenant as a whole when nothing in particular is known.
    """
    try:
        require(viewer, action)
    except ForbiddenError:
        await record(
            services,
            viewer,
            viewer.tenant_id,
            AuditAction.ACCESS_DENIED,
            subject or Subject(Kind.TENANT, viewer.tenant_id),
            details={"attempted": action.value, "roles": sorted(viewer.roles)},
        )
        raise
