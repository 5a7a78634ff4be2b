"""What an attacker with the database in hand can do to the audit log, past the guards that the product relies on."""

from dataclasses import astuple, replace

from windtunnel.domain.audit import COLUMNS, GENESIS_HASH, AuditEntry, hash_of
from windtunnel.storage import audit
from windtunnel.storage.store import Store

EVERYTHING = 100_000


async def disarm(store: Store) -> None:
    """Switch the triggers off, as only the owner of the tables can."""
    if store.dialect == "postgres":
        await store.fetch("ALTER TABLE audit_entries DISABLE TRIGGER USER")
        return
    for trigger in ("audit_entries_are_not_edited", "audit_entries_are_not_removed"):
        await store.fetch(f"DROP TRIGGER {trigger}")


async def edit(store: Store, tenant_id: str, seq: int, column: str, value: object) -> None:
    """Write another value into a column of one entry."""
    await store.fetch(
        f"UPDATE audit_entries SET {column} = $1 WHERE tenant_id = $2 AND seq = $3", value, tenant_id, seq
    )


async def remove(store: Store, tenant_id: str, seq: int) -> None:
    """Take one entry out."""
    await store.fetch("DELETE FROM audit_entries WHERE tenant_id = $1 AND seq = $2", tenant_id, seq)


async def cut(store: Store, tenant_id: str, after_seq: int) -> None:
    """Take away everything after an entry."""
    await store.fetch("DELETE FROM audit_entries WHERE tenant_id = $1 AND seq > $2", tenant_id, after_seq)


async def rewrite(store: Store, tenant_id: str, seq: int, reason: str) -> None:
    """Give one entry another reason, and it and all that follow the hashes that belong to that."""
    entries = await audit.read(store, tenant_id, 0, EVERYTHING)
    await cut(store, tenant_id, 0)
    previous = GENESIS_HASH
    for entry in entries:
        blank = replace(entry, previous_hash=previous, reason=reason if entry.seq == seq else entry.reason)
        previous = hash_of(blank)
        await _insert(store, replace(blank, hash=previous))


async def _insert(store: Store, entry: AuditEntry) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(COLUMNS) + 1))
    await store.fetch(f"INSERT INTO audit_entries ({', '.join(COLUMNS)}) VALUES ({places})", *astuple(entry))
