"""How production is configured: read as one, changed as one. What is sealed goes in and is not read here."""

from collections.abc import Mapping

from windtunnel.domain.configuring import Change
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.production import Entry, Snapshot
from windtunnel.storage.store import Store


async def snapshot(store: Store, tenant_id: str) -> Snapshot:
    """The configuration as it is: one statement, so that it never shows half of a change."""
    rows = await store.of(tenant_id).fetch(
        "SELECT p.revision, e.key, e.value, e.fingerprint FROM production AS p"
        " LEFT JOIN production_entries AS e ON e.tenant_id = p.tenant_id WHERE p.tenant_id = $1",
        tenant_id,
    )
    return Snapshot.of(
        rows[0]["revision"] if rows else 0,
        (Entry(row["key"], row["value"], row["fingerprint"]) for row in rows if row["key"] is not None),
    )


async def apply(
    store: Store, tenant_id: str, revision: int, change: Change, *, sealed: Mapping[str, str], updated_by: str
) -> int:
    """Make the change, if nothing has changed since `revision`; the next one, which stands for what there is now.

    `sealed` has the sealed value of each secret that is put. Raises ConflictError when somebody else was first.
    """
    async with store.transaction(tenant_id):
        scope = store.of(tenant_id)
        rows = await scope.fetch(
            "INSERT INTO production (tenant_id, revision, updated_ms, updated_by) VALUES ($1, $2, {now}, $4)"
            " ON CONFLICT (tenant_id) DO UPDATE SET revision = excluded.revision, updated_ms = excluded.updated_ms,"
            " updated_by = excluded.updated_by WHERE production.revision = $3 RETURNING revision, updated_ms",
            tenant_id,
            revision + 1,
            revision,
            updated_by,
        )
        if not rows:
            raise ConflictError(
                "Production was configured by somebody else meanwhile. Look at what it is now and ask again.",
                current="CHANGED",
            )
        if change.removed:
            await scope.fetch(
                "DELETE FROM production_entries WHERE tenant_id = $1 AND key = ANY($2)", tenant_id, [*change.removed]
            )
        if change.put:
            await scope.execute_many(
                "INSERT INTO production_entries"
                " (tenant_id, key, secret, value, sealed_value, fingerprint, revision, updated_ms, updated_by)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant_id, key) DO UPDATE"
                " SET secret = excluded.secret, value = excluded.value, sealed_value = excluded.sealed_value,"
                " fingerprint = excluded.fingerprint, revision = excluded.revision,"
                " updated_ms = excluded.updated_ms, updated_by = excluded.updated_by",
                [
                    (
                        tenant_id,
                        entry.key,
                        entry.secret,
                        entry.value,
                        sealed[entry.key] if entry.secret else None,
                        entry.fingerprint,
                        rows[0]["revision"],
                        rows[0]["updated_ms"],
                        updated_by,
                    )
                    for entry in change.put
                ],
            )
    return int(rows[0]["revision"])
