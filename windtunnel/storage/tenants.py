"""Tenants and their people."""

from collections.abc import Iterable

from windtunnel.domain.ids import new_id
from windtunnel.domain.isolation import IsolationLevel
from windtunnel.domain.viewers import Role, Tenant, User, Viewer
from windtunnel.storage import people
from windtunnel.storage.privileged import TENANT_OF_SLUG
from windtunnel.storage.store import Store
from windtunnel.storage.tables import Users
from windtunnel.storage.texts import known_ids

DEMO_SLUG = "demo"
DEMO_EMAIL = "you@demo.local"


async def ensure_demo(store: Store) -> Viewer:
    """The person that the embedded server takes every caller for, made when missing: `demo`, with every role."""
    tenant = await ensure(store, DEMO_SLUG, "Demo")
    async with store.transaction(tenant.id):
        person = await people.ensure(store, tenant.id, DEMO_EMAIL, "You")
        await people.add_roles(store, tenant.id, person.id, Role)
    return Viewer(user=person, tenant=tenant, roles=frozenset(Role))


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


async def slug_of(store: Store, tenant_id: str) -> str:
    """What the tenant is called in the names of its agents."""
    rows = await store.of(tenant_id).fetch("SELECT slug FROM tenants WHERE id = $1", tenant_id)
    return str(rows[0]["slug"])


async def minimum_isolation(store: Store, tenant_id: str) -> IsolationLevel:
    """How well code must be kept in for any to run in the tenant's environments."""
    rows = await store.of(tenant_id).fetch("SELECT minimum_isolation FROM tenants WHERE id = $1", tenant_id)
    return IsolationLevel(rows[0]["minimum_isolation"])


async def set_minimum_isolation(store: Store, tenant_id: str, minimum: IsolationLevel) -> None:
    """Have code kept in at least so well from now on."""
    await store.of(tenant_id).fetch("UPDATE tenants SET minimum_isolation = $2 WHERE id = $1", tenant_id, minimum.value)


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
