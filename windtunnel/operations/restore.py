"""Carrying a rollback out: what is to be restored is verified, brought up, and put into production."""

import asyncio
from datetime import timedelta

from windtunnel.domain.errors import PolicyError
from windtunnel.domain.rollbacks import Rollback
from windtunnel.operations.approvals import check_kept_approval
from windtunnel.operations.bring_up import BringUpError, bring_up, let_go, put_through
from windtunnel.operations.restoring import TOO_SLOW, complete, fail
from windtunnel.operations.rollback_parts import CannotRestoreError, parts_of
from windtunnel.operations.services import Services
from windtunnel.storage import agent_versions, rollback_changes
from windtunnel.storage.errors import LeaseLostError

_SECOND = timedelta(seconds=1)


async def restore(services: Services, rollback: Rollback) -> None:
    """Restore what a claimed rollback leads to, or end the rollback when nobody can.

    Every step can be repeated: whoever claims it next begins anew. Raises LeaseLostError, UnavailableError.
    """
    try:
        async with asyncio.timeout((rollback.deadline - await services.home.store.now()) / _SECOND):
            await _prepare(services, rollback)
        pointer = await complete(services, rollback)
    except TimeoutError:
        await _end(services, rollback, TOO_SLOW)
    except PolicyError as error:
        await _end(services, rollback, f"{error.code}: {error.message}")
    except BringUpError as error:
        await _end(services, rollback, f"{error.code}: {error.reason}")
    except CannotRestoreError as error:
        await _end(services, rollback, str(error))
    else:
        await put_through(services, pointer)


async def give_up(services: Services, rollback: Rollback) -> bool:
    """End a rollback whose time is over; False when somebody else has."""
    return await fail(services, rollback, TOO_SLOW)


async def _prepare(services: Services, rollback: Rollback) -> None:
    """Have the target verified, up and well."""
    parts = await parts_of(services, rollback)
    await _step(services, rollback, "verifying")
    await check_kept_approval(services, parts.restored)
    await _step(services, rollback, "starting")
    await bring_up(services, rollback.tenant_id, rollback.agent_id, parts.target.package_digest)
    await _step(services, rollback, "switching")


async def _step(services: Services, rollback: Rollback, step: str) -> None:
    if await rollback_changes.stepped(services.home.store, rollback, step) is None:
        raise LeaseLostError(rollback.id)


async def _end(services: Services, rollback: Rollback, failure: str) -> None:
    """It has failed; what was brought up for nothing ends."""
    if not await fail(services, rollback, failure):
        raise LeaseLostError(rollback.id)
    tenant_id, target = rollback.tenant_id, rollback.to_version_id
    version = (await agent_versions.get_many(services.home.store, tenant_id, [target]))[target]
    await let_go(services, tenant_id, rollback.agent_id, version.package_digest)
