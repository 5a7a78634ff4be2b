"""What is used in environments, added up in their rows at home."""

from windtunnel.storage.store import Store


async def add(
    store: Store, tenant_id: str, environment_id: str, *, simulations: int = 0, tokens: int = 0, cpu_ms: int = 0
) -> None:
    """Inside the transaction at home that puts it on record: the environment has used so much more."""
    await store.of(tenant_id).fetch(
        "UPDATE environments SET simulations = simulations + $3, tokens = tokens + $4, cpu_ms = cpu_ms + $5"
        " WHERE tenant_id = $1 AND id = $2 AND status <> 'DELETED'",
        tenant_id,
        environment_id,
        simulations,
        tokens,
        cpu_ms,
    )
