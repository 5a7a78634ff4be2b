"""What all environments of a tenant have used together."""

from datetime import timedelta

from windtunnel.domain.environments import EnvironmentUsage, TotalUsage
from windtunnel.storage.store import Store


async def total_usage(store: Store, tenant_id: str) -> TotalUsage:
    """The sum over every environment that there ever was; of bytes, over those that are not deleted."""
    rows = await store.of(tenant_id).fetch(
        "SELECT COALESCE(SUM(COALESCE(deleted_ms, {now}) - created_ms), 0) AS existed_ms,"
        " COALESCE(SUM(simulations), 0) AS simulations, COALESCE(SUM(tokens), 0) AS tokens,"
        " COALESCE(SUM(cpu_ms), 0) AS cpu_ms,"
        " COALESCE(SUM(CASE WHEN status = 'DELETED' THEN 0 ELSE storage_bytes END), 0) AS storage_bytes"
        " FROM environments WHERE tenant_id = $1",
        tenant_id,
    )
    sums = {name: int(value) for name, value in rows[0].items()}
    return TotalUsage(
        existed=timedelta(milliseconds=sums["existed_ms"]),
        used=EnvironmentUsage(sums["simulations"], sums["tokens"], sums["cpu_ms"], sums["storage_bytes"]),
    )
