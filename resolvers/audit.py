"""Reading and verifying the audit log, for those whose roles allow it."""

from resolvers.context import Context
from windtunnel.domain.audit import AuditEntry, AuditFilter
from windtunnel.domain.chains import Verdict
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.permissions import Action, allows
from windtunnel.operations.read_audit_log import read_audit_log
from windtunnel.operations.verify_audit import verify_audit


async def page(context: Context, request: PageRequest, wanted: AuditFilter) -> Page[AuditEntry]:
    """Entries, newest first."""
    return await read_audit_log(context.services, context.signed_in(), request, wanted)


async def verification(context: Context) -> Verdict:
    """What checking the tenant's chain finds."""
    return await verify_audit(context.services, context.signed_in())


async def entry(context: Context, id: str) -> AuditEntry | None:
    """The entry of the viewer's tenant, None when there is none or it is none of the viewer's business."""
    if not allows(context.signed_in(), Action.READ_AUDIT):
        return None
    return await context.loaders.audit_entries.load(id)
