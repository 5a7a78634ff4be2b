"""Exporting audit logs, entry by entry, for other systems to keep."""

from collections.abc import AsyncIterator, Iterable

from windtunnel.domain.audit_forms import WRITTEN, AuditForm, Told
from windtunnel.storage import audit_chains, tenants
from windtunnel.storage.audit_chains import Chain
from windtunnel.storage.store import Store


async def export_audit(store: Store, chains: Iterable[Chain], form: AuditForm) -> AsyncIterator[bytes]:
    """The entries of these chains, each oldest first, some lines at a time.

    It is for the operator, who has the database anyway: nobody's permission is asked. Raises UnavailableError.
    """
    write = WRITTEN[form]
    for chain in chains:
        async for entries in audit_chains.stretch(store, chain.tenant_id, 0, chain.seq):
            actors = {entry.actor_id for entry in entries if entry.actor_id}
            people = await tenants.users(store, chain.tenant_id, actors)
            told = (Told(entry, chain.slug, people.get(entry.actor_id or "")) for entry in entries)
            yield b"".join(write(each) + b"\n" for each in told)
