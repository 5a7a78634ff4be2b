"""Feature flags as tenants have set them; a flag that nobody has touched has no row."""

from typing import Any

import orjson

from windtunnel.domain.flags import FeatureFlag, Flag, RolloutStage
from windtunnel.storage.store import Store

_COLUMNS = "name, enabled, stage, pilots"


async def get(store: Store, tenant_id: str, name: Flag) -> FeatureFlag | None:
    """The flag as the tenant has set it, None when nobody has."""
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM feature_flags WHERE tenant_id = $1 AND name = $2",  # noqa: S608
        tenant_id,
        name.value,
    )
    return _flag(rows[0]) if rows else None


async def list_set(store: Store, tenant_id: str) -> list[FeatureFlag]:
    """Those of the flags of this version that the tenant has set."""
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM feature_flags WHERE tenant_id = $1 AND name = ANY($2)",  # noqa: S608
        tenant_id,
        [name.value for name in Flag],
    )
    return [_flag(row) for row in rows]


async def put(store: Store, tenant_id: str, flag: FeatureFlag, updated_by: str) -> None:
    """Set a flag, whatever it was before. `updated_by` is the id of a person of the tenant."""
    await store.of(tenant_id).fetch(
        "INSERT INTO feature_flags (tenant_id, name, enabled, stage, pilots, updated_ms, updated_by)"
        " VALUES ($1, $2, $3, $4, $5, {now}, $6) ON CONFLICT (tenant_id, name) DO UPDATE"
        " SET enabled = excluded.enabled, stage = excluded.stage, pilots = excluded.pilots,"
        " updated_ms = excluded.updated_ms, updated_by = excluded.updated_by",
        tenant_id,
        flag.name.value,
        flag.enabled,
        flag.stage.value,
        orjson.dumps(flag.pilots).decode(),
        updated_by,
    )


def _flag(row: dict[str, Any]) -> FeatureFlag:
    return FeatureFlag(
        name=Flag(row["name"]),
        enabled=bool(row["enabled"]),
        stage=RolloutStage(row["stage"]),
        pilots=tuple(orjson.loads(row["pilots"])),
    )
