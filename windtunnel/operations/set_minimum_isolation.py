"""Saying how well code must be kept in for any to run in the tenant's environments."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.isolation import IsolationLevel
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import tenants


async def set_minimum_isolation(services: Services, viewer: Viewer, minimum: IsolationLevel) -> IsolationLevel:
    """The level that is needed from now on. Setting what is set already changes nothing and is not recorded.

    Raises ForbiddenError.
    """
    await permit(services, viewer, Action.SET_MINIMUM_ISOLATION)
    store, tenant_id = services.store, viewer.tenant_id
    async with permitted_transaction(services, viewer, Action.SET_MINIMUM_ISOLATION):
        before = await tenants.minimum_isolation(store, tenant_id)
        if minimum is not before:
            await tenants.set_minimum_isolation(store, tenant_id, minimum)
            await record(
                services,
                viewer,
                tenant_id,
                AuditAction.MINIMUM_ISOLATION_SET,
                Subject(Kind.TENANT, tenant_id),
                details={"from": before.value, "to": minimum.value},
            )
    return minimum
