"""Saying which roles a person has in the tenant; their tokens never have more."""

from collections.abc import Collection

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import PolicyError
from windtunnel.domain.people import email_of, name_of_address
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Role, User, Viewer
from windtunnel.operations.announce import announce_access
from windtunnel.operations.audit_trail import record
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import people, tenants


async def set_member_roles(
    services: Services, viewer: Viewer, email: str, roles: Collection[Role], idempotency_key: str | None = None
) -> User:
    """The person with this address, made when missing, who has exactly these roles now.

    Raises ForbiddenError, ValidationError, ConflictError (IDEMPOTENCY_MISMATCH), and PolicyError when nobody would be
    left who can give roles.
    """
    await permit(services, viewer, Action.SET_MEMBER_ROLES)
    address, wanted = email_of(email, ("input", "email")), frozenset(roles)

    async def act() -> Done[User]:
        store, tenant_id = services.store, viewer.tenant_id
        known = await people.of_email(store, tenant_id, address)
        person = known or await people.ensure(store, tenant_id, address, name_of_address(address))
        before = await people.roles(store, tenant_id, person.id)
        if Role.ADMIN in before - wanted and not await people.others_with_role(store, tenant_id, person.id, Role.ADMIN):
            raise PolicyError(
                "This is the tenant's last ADMIN: make somebody else one first.",
                policy="last_admin",
                path=("input", "roles"),
            )
        if not known or before != wanted:
            await people.set_roles(store, tenant_id, person.id, wanted)
            await record(
                services,
                viewer,
                tenant_id,
                AuditAction.MEMBER_ROLES_SET,
                Subject(Kind.USER, person.id),
                details={"before": sorted(before), "after": sorted(wanted)},
            )
        return Done(person.id, person)

    what = {"email": address, "roles": wanted}
    outcome = await once(services, viewer, Asked(Action.SET_MEMBER_ROLES, idempotency_key, what), act)
    if outcome.made:
        await announce_access(services.bus)
        return outcome.made
    return (await tenants.users(services.store, viewer.tenant_id, [outcome.result_id]))[outcome.result_id]
