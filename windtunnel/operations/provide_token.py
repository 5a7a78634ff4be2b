"""Providing a token from the operator's side of the server, for a tenant and a person who may not exist yet."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.people import SLUG_FORM, email_of, is_slug, name_of_address
from windtunnel.domain.viewers import Role
from windtunnel.operations.minting import Issued, check_name, mint, on_record
from windtunnel.storage import audit, people, tenants
from windtunnel.storage.store import Store


async def provide_token(
    store: Store,
    slug: str,
    email: str,
    roles: Collection[Role],
    *,
    name: str,
    expires_in: timedelta | None = None,
) -> Issued:
    """A new token of the person with this address, who gets these roles beside those that they have.

    Nobody asks for permission: whoever can open the database can do anything. The person counts as their own issuer.
    Raises ValidationError, QuotaError.
    """
    if not is_slug(slug):
        raise ValidationError(f"{slug!r} cannot name a tenant. {SLUG_FORM}", rule="slug")
    if not roles:
        raise ValidationError("A token without a role could do nothing: name one.", rule="no_roles")
    address, name = email_of(email), check_name(name)
    expires_at = None if expires_in is None else _end(await store.now(), expires_in)
    tenant = await tenants.ensure(store, slug, slug)
    async with store.transaction(tenant.id):
        await store.lock_tenant(tenant.id)
        person = await people.ensure(store, tenant.id, address, name_of_address(address))
        before = await people.roles(store, tenant.id, person.id)
        await people.add_roles(store, tenant.id, person.id, roles)
        issued = await mint(store, person, issued_by=person.id, name=name, roles=roles, expires_at=expires_at)
        if added := frozenset(roles) - before:
            details = {"before": sorted(before), "after": sorted(before | added)}
            await _record(store, tenant.id, AuditAction.MEMBER_ROLES_SET, Subject(Kind.USER, person.id), details)
        subject = Subject(Kind.API_TOKEN, issued.token.id)
        await _record(store, tenant.id, AuditAction.TOKEN_ISSUED, subject, on_record(issued.token))
    return issued


def _end(now: datetime, expires_in: timedelta) -> datetime:
    try:
        return now + expires_in
    except OverflowError:
        raise ValidationError("A token cannot last that long.", rule="too_late") from None


async def _record(
    store: Store, tenant_id: str, action: AuditAction, subject: Subject, details: Mapping[str, object]
) -> None:
    await audit.append(store, tenant_id, AuditDraft(action, subject, details=details))
