"""Whom the rows in an environment's database point to: its tenant, and people of it, known by their ids alone."""

from windtunnel.storage.store import Store


async def ensure_resident(store: Store, tenant_id: str, user_id: str) -> None:
    """Inside a transaction in an environment: what the person makes can be stored there.

    Names and addresses stay at home.
    """
    scope = store.of(tenant_id)
    await scope.fetch(
        "INSERT INTO tenants (id, slug, name, created_ms) VALUES ($1, $1, $1, {now}) ON CONFLICT DO NOTHING", tenant_id
    )
    await scope.fetch(
        "INSERT INTO users (id, tenant_id, name, created_ms) VALUES ($1, $2, $1, {now}) ON CONFLICT DO NOTHING",
        user_id,
        tenant_id,
    )
