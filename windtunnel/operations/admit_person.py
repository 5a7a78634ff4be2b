"""Admitting a person whom an OpenID provider vouches for: known from then on, with the roles that it tells of."""

import structlog

from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.people import Vouched
from windtunnel.domain.viewers import Role, User
from windtunnel.storage import audit, people, sign_in, tenants
from windtunnel.storage.sign_in import Known
from windtunnel.storage.store import Store

log = structlog.get_logger()


async def admit_person(store: Store, vouched: Vouched) -> Known:
    """The person as they are known now; tenant and person are made when missing.

    Somebody who is known by the same verified address is the same person. The last ADMIN of a tenant stays one, though
    none of their tokens by this provider has more than it says.
    """
    tenant = await tenants.ensure(store, vouched.slug, vouched.slug)
    async with store.transaction(tenant.id):
        await store.lock_tenant(tenant.id)
        _, known = await sign_in.by_identity(store, vouched.slug, vouched.issuer, vouched.subject)
        if known and not vouched.is_news(known.told_at, known.told_roles):
            return known  # somebody else was faster
        person = known.user if known else await _person(store, tenant.id, vouched)
        await people.note_identity(
            store, person, vouched.issuer, vouched.subject, told_at=vouched.told_at, told_roles=vouched.roles
        )
        before = await people.roles(store, tenant.id, person.id)
        after = before if vouched.roles is None else vouched.roles
        if Role.ADMIN in before - after and not await people.others_with_role(store, tenant.id, person.id, Role.ADMIN):
            after |= {Role.ADMIN}
            if known is None or known.told_roles != vouched.roles:  # said once, not at every sign-in
                log.warning("last ADMIN kept", tenant=tenant.slug, user_id=person.id, issuer=vouched.issuer)
        if after != before:
            await people.set_roles(store, tenant.id, person.id, after)
            details = {"before": sorted(before), "after": sorted(after), "issuer": vouched.issuer}
            subject = Subject(Kind.USER, person.id)
            await audit.append(store, tenant.id, AuditDraft(AuditAction.MEMBER_ROLES_SET, subject, details=details))
    return Known(person, tenant, after, vouched.told_at, vouched.roles)


async def _person(store: Store, tenant_id: str, vouched: Vouched) -> User:
    if vouched.email is None:
        return await people.add(store, tenant_id, vouched.name, None)
    return await people.ensure(store, tenant_id, vouched.email, vouched.name)
