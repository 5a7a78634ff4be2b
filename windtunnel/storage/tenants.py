"""Tenants and their people."""

from collections.abc import Iterable

from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Role, Tenant, User, Viewer
from windtunnel.storage.privileged import TENANT_OF_SLUG
from windtunnel.storage.store import Store
from windtunnel.storage.tables import Users
from windtunnel.storage.texts import known_ids

_DEMO = Tenant(id="", slug="demo", name="Demo")
_DEMO_EMAIL = "you@demo.local"


async def ensure_demo(store: Store) -> Viewer:
    """The person that the embedded server takes every caller for, made when missing: `demo`, with every role."""
    tenant = await ensure(store, _DEMO.slug, _DEMO.name)
    async with store.transaction(tenant.id):
        user_id = await _ensure_person(store, tenant.id, _DEMO_EMAIL, "You")
        await store.of(tenant.id).execute_many(
            "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            [(tenant.id, user_id, role.value) for role in Role],
        )
    return Viewer(
        user=User(id=user_id, tenant_id=tenant.id, name="You", email=_DEMO_EMAIL),
        tenant=tenant,
        roles=frozenset(Role),
    )


async def ensure(store: Store, slug: str, name: str) -> Tenant:
    """The tenant of this slug, made when missing, also when several processes make it at once."""
    found = await store.privileged(TENANT_OF_SLUG, slug)
    if not found:
        made = new_id()
        await store.of(made).fetch(
            "INSERT INTO tenants (id, slug, name, created_ms) VALUES ($1, $2, $3, {now}) ON CONFLICT DO NOTHING",
            made,
            slug,
            name,
        )
        found = await store.privileged(TENANT_OF_SLUG, slug)
    return Tenant(**found[0])


async def users(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, User]:
    """Those of the tenant's people that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).run(
        Users.select(Users.id, Users.tenant_id, Users.name, Users.email).where(
            Users.tenant_id == tenant_id, Users.id.is_in(known)
        )
    )
    return {row["id"]: User(**row) for row in rows}


async def _ensure_person(store: Store, tenant_id: str, email: str, name: str) -> str:
    """Find or make a person; when another process makes them at the same time, find that one."""
    scope = store.of(tenant_id)
    await scope.fetch(
        "INSERT INTO users (tenant_id, email, id, name, created_ms) VALUES ($1, $2, $3, $4, {now})"
        " ON CONFLICT DO NOTHING",
        tenant_id,
        email,
        new_id(),
        name,
    )
    rows = await scope.fetch("SELECT id FROM users WHERE tenant_id = $1 AND email = $2", tenant_id, email)
    found: str = rows[0]["id"]
    return found
