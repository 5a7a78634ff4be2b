"""Letting packages go that nobody needs any more: of pruned versions, and what was uploaded and never used."""

from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.entities import Kind, Subject
from windtunnel.storage import audit, package_care
from windtunnel.storage.store import Store

_AT_ONCE = 200


async def discard_packages(store: Store) -> int:
    """Take what is spent off the tenants' quotas, and put it on record; how many packages it were.

    Their bytes are nobody's then, and go with what `sweep_packages` finds. Raises UnavailableError.
    """
    discarded = 0
    for tenant_id, digests in (await package_care.spent(store, _AT_ONCE)).items():
        async with store.transaction(tenant_id):
            await store.lock_tenant(tenant_id)
            gone = await package_care.discard_spent(store, tenant_id, digests)
            for digest, size_bytes in sorted(gone.items()):
                subject, details = Subject(Kind.PACKAGE, digest), {"sizeBytes": size_bytes}
                draft = AuditDraft(AuditAction.PACKAGE_DISCARDED, subject, details=details)
                await audit.append(store, tenant_id, draft)
        discarded += len(gone)
    return discarded
