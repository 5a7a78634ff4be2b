"""Tenants and their people."""

from collections.abc import Iterable

from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Role, Tenant, User, Viewer
from windtunnel.storage.store import Store
from windtunnel.storage.tables import Users
from windtunnel.storage.texts import known_ids

_DEMO = Tenant(id="", slug="demo", name="Demo")
_DEMO_EMAIL = "you@demo.local"


async def ensure_demo(store: Store) -> Viewer:
    """The person that the embedded server takes every caller for, made when missing: `demo`, with every role."""
    async with store.transaction():
        tenant_id = await _id_of(
            store,
            "SELECT id FROM tenants WHERE slug = $1",
            (_DEMO.slug,),
            "INSERT INTO tenants (slug, id, name, created_ms) VALUES ($1, $2, $3, {now}) ON CONFLICT DO NOTHING",
            (_DEMO.slug, new_id(), _DEMO.name),
        )
        user_id = await _id_of(
            store,
            "SELECT id FROM users WHERE tenant_id = $1 AND email = $2",
            (tenant_id, _DEMO_EMAIL),
            "INSERT INTO users (tenant_id, email, id, name, created_ms) VALUES ($1, $2, $3, $4, {now})"
            " ON CONFLICT DO NOTHING",
            (tenant_id, _DEMO_EMAIL, new_id(), "You"),
        )
        await store.execute_many(
            "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            [(tenant_id, user_id, role.value) for role in Role],
        )
    return Viewer(
        user=User(id=user_id, tenant_id=tenant_id, name="You", email=_DEMO_EMAIL),
        tenant=Tenant(id=tenant_id, slug=_DEMO.slug, name=_DEMO.name),
        roles=frozenset(Role),
    )


async def users(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, User]:
    """Those of the tenant's people that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.run(
        Users.select(Users.id, Users.tenant_id, Users.name, Users.email).where(
            Users.tenant_id == tenant_id, Users.id.is_in(known)
        )
    )
    return {row["id"]: User(**row) for row in rows}


async def _id_of(store: Store, select: str, key: tuple[str, ...], insert: str, values: tuple[str, ...]) -> str:
    """Find or make a row; when another process makes it at the same time, find that one."""
    rows = await store.fetch(select, *key)
    if not rows:
        await store.fetch(insert, *values)
        rows = await store.fetch(select, *key)
    found: str = rows[0]["id"]
    return found
