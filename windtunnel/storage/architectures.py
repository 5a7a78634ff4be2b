"""Architectures: planned or made once, never changed."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from windtunnel.domain.architectures import (
    Architecture,
    StoredArchitecture,
    architecture_from_json,
    canonical_json,
    digest_of,
)
from windtunnel.storage.store import Store
from windtunnel.storage.tables import Architectures
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import milliseconds, moment


async def insert(
    store: Store,
    tenant_id: str,
    id: str,
    *,
    scenario_id: str | None,
    architecture: Architecture,
    created_at: datetime,
    based_on: str | None = None,
    changes: Sequence[str] = (),
) -> StoredArchitecture:
    """Store a new architecture. Raises ConstraintError when its id is taken or its scenario is gone."""
    digest = digest_of(architecture)
    await store.of(tenant_id).run(
        Architectures.insert(
            Architectures(
                id=id,
                tenant_id=tenant_id,
                scenario_id=scenario_id,
                digest=digest,
                body=canonical_json(architecture).decode(),
                created_ms=milliseconds(created_at),
                based_on=based_on,
                changes=json.dumps(list(changes), ensure_ascii=False),
            )
        )
    )
    at = moment(milliseconds(created_at))
    return StoredArchitecture(id, tenant_id, scenario_id, digest, architecture, at, based_on, tuple(changes))


async def made_before(store: Store, tenant_id: str, based_on: str, digest: str) -> str | None:
    """The id of the architecture that was made from this one with this content, if there is one."""
    rows = await store.of(tenant_id).run(
        Architectures.select(Architectures.id)
        .where(Architectures.tenant_id == tenant_id, Architectures.based_on == based_on, Architectures.digest == digest)
        .limit(1)
    )
    return rows[0]["id"] if rows else None


async def of_scenario(store: Store, tenant_id: str, scenario_id: str) -> list[str]:
    """The ids of the scenario's architectures."""
    if not known_ids([scenario_id]):
        return []
    rows = await store.of(tenant_id).run(
        Architectures.select(Architectures.id).where(
            Architectures.tenant_id == tenant_id, Architectures.scenario_id == scenario_id
        )
    )
    return [row["id"] for row in rows]


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, StoredArchitecture]:
    """Those of the tenant's architectures that exist, by id.

    The content is read and decoded once per digest and then kept by the store: equal digests, equal content.
    """
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).run(
        Architectures.select(
            Architectures.id,
            Architectures.scenario_id,
            Architectures.digest,
            Architectures.created_ms,
            Architectures.based_on,
            Architectures.changes,
        ).where(Architectures.tenant_id == tenant_id, Architectures.id.is_in(known))
    )
    decoded = await _decoded(store, tenant_id, {row["digest"]: row["id"] for row in rows})
    return {
        row["id"]: StoredArchitecture(
            id=row["id"],
            tenant_id=tenant_id,
            scenario_id=row["scenario_id"],
            digest=row["digest"],
            architecture=decoded[row["digest"]],
            created_at=moment(row["created_ms"]),
            based_on=row["based_on"],
            changes=tuple(json.loads(row["changes"])),
        )
        for row in rows
        if row["digest"] in decoded
    }


async def _decoded(store: Store, tenant_id: str, wanted: dict[str, str]) -> dict[str, Architecture]:
    """The content by digest; `wanted` says which id has it. One that was deleted a moment ago is missing."""
    decoded = {digest: kept for digest in wanted if (kept := store.architectures.get(digest))}
    missing = [wanted[digest] for digest in wanted if digest not in decoded]
    if missing:
        rows = await store.of(tenant_id).run(
            Architectures.select(Architectures.digest, Architectures.body).where(
                Architectures.tenant_id == tenant_id, Architectures.id.is_in(missing)
            )
        )
        for row in rows:
            decoded[row["digest"]] = architecture_from_json(row["body"])
            store.architectures.put(row["digest"], decoded[row["digest"]])
    return decoded
