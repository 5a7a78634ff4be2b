"""The people of a tenant: how they are known, and which roles they have."""

from collections.abc import Collection, Iterable
from datetime import datetime

import orjson

from windtunnel.domain.ids import new_id
from windtunnel.domain.people import known_roles
from windtunnel.domain.viewers import Role, User
from windtunnel.storage.store import Store
from windtunnel.storage.texts import storable
from windtunnel.storage.times import milliseconds


async def add(store: Store, tenant_id: str, name: str, email: str | None) -> User:
    """Store a new person. Raises ConstraintError when the address is taken."""
    user = User(id=new_id(), tenant_id=tenant_id, name=name, email=email)
    await store.of(tenant_id).fetch(
        "INSERT INTO users (id, tenant_id, name, email, created_ms) VALUES ($1, $2, $3, $4, {now})",
        user.id,
        tenant_id,
        name,
        email,
    )
    return user


async def of_email(store: Store, tenant_id: str, email: str) -> User | None:
    """The person with this address, in the form of `people.email_of`."""
    rows = await store.of(tenant_id).fetch(
        "SELECT id, tenant_id, name, email FROM users WHERE tenant_id = $1 AND email = $2", tenant_id, email
    )
    return User(**rows[0]) if rows else None


async def ensure(store: Store, tenant_id: str, email: str, name: str) -> User:
    """The person with this address, made when missing, also when several processes make them at once."""
    await store.of(tenant_id).fetch(
        "INSERT INTO users (id, tenant_id, name, email, created_ms) VALUES ($1, $2, $3, $4, {now})"
        " ON CONFLICT (tenant_id, email) DO NOTHING",
        new_id(),
        tenant_id,
        name,
        email,
    )
    found = await of_email(store, tenant_id, email)
    if found is None:
        raise LookupError("a person who was stored a moment ago is gone")
    return found


async def note_identity(
    store: Store,
    user: User,
    issuer: str,
    subject: str,
    *,
    told_at: datetime,
    told_roles: Collection[Role] | None,
) -> None:
    """Keep how an issuer calls a person, and what it told of their roles: when, and which (None: nothing)."""
    told = None if told_roles is None else orjson.dumps([role.value for role in Role if role in told_roles]).decode()
    await store.of(user.tenant_id).fetch(
        "INSERT INTO identities (tenant_id, issuer, subject, user_id, told_ms, told_roles, created_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, {now}) ON CONFLICT (tenant_id, issuer, subject) DO UPDATE"
        " SET told_ms = excluded.told_ms, told_roles = excluded.told_roles",
        user.tenant_id,
        issuer,
        subject,
        user.id,
        milliseconds(told_at),
        told,
    )


async def roles(store: Store, tenant_id: str, user_id: str) -> frozenset[Role]:
    """What the person may do in the tenant."""
    rows = await store.of(tenant_id).fetch(
        "SELECT role FROM memberships WHERE tenant_id = $1 AND user_id = $2", tenant_id, user_id
    )
    return known_roles([row["role"] for row in rows])


async def set_roles(store: Store, tenant_id: str, user_id: str, wanted: Collection[Role]) -> None:
    """Inside a transaction: give the person exactly these roles."""
    await store.of(tenant_id).fetch("DELETE FROM memberships WHERE tenant_id = $1 AND user_id = $2", tenant_id, user_id)
    await add_roles(store, tenant_id, user_id, wanted)


async def add_roles(store: Store, tenant_id: str, user_id: str, more: Iterable[Role]) -> None:
    """Inside a transaction: give the person these roles beside those that they have."""
    await store.of(tenant_id).execute_many(
        "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(tenant_id, user_id, role.value) for role in more],
    )


async def others_with_role(store: Store, tenant_id: str, user_id: str, role: Role) -> bool:
    """Whether anybody but this person has the role."""
    rows = await store.of(tenant_id).fetch(
        "SELECT 1 AS one FROM memberships WHERE tenant_id = $1 AND user_id <> $2 AND role = $3 LIMIT 1",
        tenant_id,
        user_id,
        role.value,
    )
    return bool(rows)


async def with_role(store: Store, tenant_id: str, role: Role) -> frozenset[str]:
    """The ids of all who have the role."""
    rows = await store.of(tenant_id).fetch(
        "SELECT user_id FROM memberships WHERE tenant_id = $1 AND role = $2", tenant_id, role.value
    )
    return frozenset(row["user_id"] for row in rows)


async def of_emails(store: Store, tenant_id: str, emails: Collection[str]) -> frozenset[str]:
    """The ids of those who have one of these addresses, in the form of `people.email_of`."""
    rows = await store.of(tenant_id).fetch(
        "SELECT id FROM users WHERE tenant_id = $1 AND email = ANY($2)", tenant_id, sorted(filter(storable, emails))
    )
    return frozenset(row["id"] for row in rows)


async def of_subjects(store: Store, tenant_id: str, subjects: Collection[str]) -> frozenset[str]:
    """The ids of those whom some issuer calls so."""
    rows = await store.of(tenant_id).fetch(
        "SELECT user_id FROM identities WHERE tenant_id = $1 AND subject = ANY($2)",
        tenant_id,
        sorted(filter(storable, subjects)),
    )
    return frozenset(row["user_id"] for row in rows)
