"""Asking for permission, when a request comes and again when its turn to act has come; a refusal is put on record."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ForbiddenError
from windtunnel.domain.permissions import Action, allows, require
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.places import both
from windtunnel.operations.services import Services
from windtunnel.storage import people, tokens


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


@asynccontextmanager
async def permitted_transaction(
    services: Services, viewer: Viewer, action: Action, subject: Subject | None = None
) -> AsyncIterator[None]:
    """A transaction under the tenant's lock, for somebody who may do this now, whatever they could when they came.

    Everything that a person changes is changed within. A request that waits for the lock while its roles are taken
    away, or its token revoked, is refused: ForbiddenError, recorded as by `permit`, and nothing is changed.
    """
    tenant_id = viewer.tenant_id
    async with both(services, tenant_id):
        await services.home.store.lock_tenant(tenant_id)
        present = replace(viewer, roles=viewer.roles & await _roles_now(services, viewer))
        if allows(present, action):
            yield
            return
    await permit(services, present, action, subject)


async def _roles_now(services: Services, viewer: Viewer) -> frozenset[Role]:
    if viewer.token_id is None:
        return await people.roles(services.home.store, viewer.tenant_id, viewer.user.id)
    return await tokens.roles_of_holder(services.home.store, viewer.tenant_id, viewer.token_id)
