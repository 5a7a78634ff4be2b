"""Verifying the audit log: the whole chain is computed again and compared with the checkpoints kept outside."""

import asyncio

import structlog

from windtunnel.domain.chains import ChainCheck, Evidence, Verdict
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import audit_chains
from windtunnel.storage.store import Store
from windtunnel.storage.times import milliseconds
from windtunnel.vault.checkpoints import CheckpointFiles
from windtunnel.vault.key_files import KeyRefusedError

log = structlog.get_logger()


async def verify_audit(services: Services, viewer: Viewer) -> Verdict:
    """What checking the viewer's chain finds. Raises ForbiddenError, UnavailableError.

    Who asks while a check of the tenant is under way gets what that one finds: however many ask, the chain is read
    once at a time.
    """
    await permit(services, viewer, Action.VERIFY_AUDIT)
    tenant_id, under_way = viewer.tenant_id, services.verifying
    if tenant_id not in under_way:
        check = asyncio.create_task(_checked(services, tenant_id), name="verify-audit")
        under_way[tenant_id] = check
        check.add_done_callback(lambda done: _forget(under_way, tenant_id, done))
    return await asyncio.shield(under_way[tenant_id])  # others may wait for it when this request is given up


def _forget(under_way: dict[str, asyncio.Task[Verdict]], tenant_id: str, done: asyncio.Task[Verdict]) -> None:
    del under_way[tenant_id]
    if not done.cancelled():
        done.exception()  # whoever waited has seen it; perhaps nobody did


async def _checked(services: Services, tenant_id: str) -> Verdict:
    try:
        return await check_chain(services.store, services.checkpoints, tenant_id)
    except (OSError, KeyRefusedError) as error:
        log.warning("checkpoints unreadable", reason=str(error))
        raise UnavailableError("The checkpoints outside of the database cannot be read. Tell the operator.") from error


async def check_chain(store: Store, files: CheckpointFiles | None, tenant_id: str) -> Verdict:
    """What checking a tenant's chain finds, as it is now; without `files` the chain alone is checked.

    Raises UnavailableError, OSError and KeyRefusedError.
    """
    # In this order: a checkpoint that is written meanwhile would be ahead of the entries that are looked at.
    evidence = await asyncio.to_thread(files.read, tenant_id) if files else Evidence()
    last_seq = await audit_chains.length(store, tenant_id)
    now = await store.now()
    check = ChainCheck(evidence)
    async for entries in audit_chains.stretch(store, tenant_id, 0, last_seq):
        check.follow(entries)
    return check.verdict(milliseconds(now))
