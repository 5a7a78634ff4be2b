"""The audit chains as wholes: how far each tenant's has come, and reading one from end to end."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from windtunnel.domain.audit import GENESIS_HASH, AuditEntry
from windtunnel.storage import audit
from windtunnel.storage.privileged import AUDIT_CHAINS
from windtunnel.storage.store import Store
from windtunnel.storage.times import moment

READ_AT_ONCE = 250
"""Few enough that checking them does not hold up everybody else in the process."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain of a tenant has `seq` entries, by its last one, whose hash is `hash`; `at` is the store's time now."""

    tenant_id: str
    slug: str
    seq: int
    hash: str
    at: datetime


async def chains(store: Store) -> Sequence[Chain]:
    """The chains of all tenants, also the empty ones, by their slugs."""
    rows = await store.privileged(AUDIT_CHAINS)
    return [
        Chain(row["tenant_id"], row["slug"], row["seq"] or 0, row["hash"] or GENESIS_HASH, moment(row["now_ms"]))
        for row in rows
    ]


async def length(store: Store, tenant_id: str) -> int:
    """The number of the tenant's last entry, 0 without any."""
    rows = await store.of(tenant_id).fetch(
        "SELECT COALESCE(MAX(seq), 0) AS seq FROM audit_entries WHERE tenant_id = $1", tenant_id
    )
    seq: int = rows[0]["seq"]
    return seq


async def stretch(store: Store, tenant_id: str, after_seq: int, last_seq: int) -> AsyncIterator[Sequence[AuditEntry]]:
    """The entries numbered from above `after_seq` to `last_seq`, oldest first, some at a time."""
    while after_seq < last_seq:
        found = await audit.read(store, tenant_id, after_seq, READ_AT_ONCE)
        entries = [entry for entry in found if entry.seq <= last_seq]
        if not entries:
            return
        yield entries
        after_seq = entries[-1].seq
