"""Putting a change on record, in the transaction that makes it."""

from collections.abc import Mapping

from windtunnel.domain.audit import AuditAction, AuditDraft, AuditEntry
from windtunnel.domain.entities import Subject
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.services import Services
from windtunnel.storage import audit


async def record(
    services: Services,
    viewer: Viewer | None,
    tenant_id: str,
    action: AuditAction,
    subject: Subject,
    *,
    reason: str | None = None,
    details: Mapping[str, object] | None = None,
    request_id: str = "",
) -> AuditEntry:
    """Append an entry; without a `viewer` the system itself did it, for the request that began it, if any is known.

    Call it as the last statement of the change's transaction: from here to its end the tenant's chain is locked.
    """
    draft = AuditDraft(
        action=action,
        subject=subject,
        actor_id=viewer.user.id if viewer else None,
        token_id=viewer.token_id if viewer else None,
        reason=reason,
        request_id=viewer.request_id if viewer else request_id,
        details=details or {},
    )
    return await audit.append(services.home.store, tenant_id, draft)
