"""Taking an environment away: what runs in it, then what it is made of, until each part is seen to be absent."""

import asyncio
import time
from datetime import timedelta

import structlog

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.environments import (
    Ending,
    Environment,
    EnvironmentEventDraft,
    EnvironmentStatus,
    Resource,
    ResourceKind,
    ResourceStatus,
)
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.receipts import receipt_of
from windtunnel.operations.environment_changes import Changed
from windtunnel.operations.environment_parts import is_there, remove
from windtunnel.operations.environment_runs import halt_runs
from windtunnel.operations.experiment_log import announce_experiments_deleted
from windtunnel.operations.measure_environments import measure
from windtunnel.operations.provisioning import refused
from windtunnel.operations.sandboxes import code_remaining, end_code
from windtunnel.operations.services import Services
from windtunnel.operations.tell_environment import Entry, Notice, tell
from windtunnel.storage import environment_care, environment_resources, experiment_changes
from windtunnel.storage.errors import DependedOnError
from windtunnel.storage.times import milliseconds

UNREACHED = "its server cannot be used right now"
STILL_OWNS = (
    "something else on the database server belongs to its role: an administrator has to take that away first (the log"
    " of the worker names it)"
)
GRACE_S = 5.0
"""How long code may go on that was asked to end, in an environment whose time is over."""

LOOK_EVERY_S = 0.05
ORDER = (ResourceKind.PACKAGE, ResourceKind.DATABASE, ResourceKind.CHANNEL, ResourceKind.DIRECTORY)
"""In which parts are removed: the directory, in which others may lie, comes last.

Channels come after the database: whoever makes them anew looks whether it is there still, and takes them away if not.
"""

WORDS = {
    ResourceKind.PACKAGE: "package",
    ResourceKind.CHANNEL: "channels",
    ResourceKind.DATABASE: "database",
    ResourceKind.DIRECTORY: "directory",
}
AGAIN_AFTER_S = (5, 15, 60, 300, 900)
"""After each failed try; the last one for ever."""

ENDED = {
    Ending.PERSON: "The environment was deleted.",
    Ending.EXPIRY: "The environment's time is over.",
    Ending.FAILURE: "The environment has failed.",
}

log = structlog.get_logger()


async def begin_clean_up(services: Services, environment: Environment) -> None:
    """FAILED, EXPIRING or DELETE_STUCK -> DELETING. Where the time is over, code may first end by itself, for a moment.

    Raises LeaseLostError, UnavailableError.
    """
    if environment.status is EnvironmentStatus.EXPIRING:
        await _halt(services, environment)
        await _let_code_end(services, environment)
    draft = EnvironmentEventDraft(EnvironmentStatus.DELETING, "deleting", "It is being removed.", 0.1)
    await tell(services, environment.tenant_id, lambda: environment_care.deleting(services.store, environment, draft))


async def clean_up(services: Services, environment: Environment) -> None:
    """DELETING -> DELETED with a receipt, or DELETE_STUCK, to be tried again.

    Raises LeaseLostError, UnavailableError.
    """
    await _halt(services, environment)
    await _forget_experiments(services, environment)
    await measure(services, environment)
    await services.places.close(environment.namespace)
    ended, remaining = await _end_code(services, environment)
    kept = {ResourceKind.PACKAGE, ResourceKind.DIRECTORY} if remaining else set()
    for resource in await _resources(services, environment):
        reason = "not tried while code runs in it" if resource.kind in kept else None
        reason = reason or await _why_not_gone(services, environment, resource)
        if reason is None:
            await _note_gone(services, environment, resource)
        else:
            remaining.append(f"{WORDS[resource.kind]} {resource.locator}: {reason}")
    if remaining:
        await _stuck(services, environment, remaining)
    else:
        await _gone(services, environment, ended)


async def _halt(services: Services, environment: Environment) -> None:
    """End all simulations; where that cannot be done, they end with their database."""
    why = ENDED[environment.ended_by or Ending.PERSON]
    try:
        await halt_runs(services, environment, why, waiting=True)
    except UnavailableError as error:
        log.warning("simulations of environment not ended", environment_id=environment.id, reason=error.message)
    except Exception:
        log.exception("simulations of environment not ended because of a defect", environment_id=environment.id)


async def _forget_experiments(services: Services, environment: Environment) -> None:
    """They lie at home, and what they found is of what was in the environment."""
    store, tenant_id = services.home.store, environment.tenant_id
    async with store.transaction(tenant_id):
        deleted = await experiment_changes.delete_of_environment(store, tenant_id, environment.id)
    await announce_experiments_deleted(services.home.bus, deleted)


async def _let_code_end(services: Services, environment: Environment) -> None:
    until = time.monotonic() + GRACE_S
    while time.monotonic() < until:
        if not await asyncio.to_thread(code_remaining, services, environment):
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def _end_code(services: Services, environment: Environment) -> tuple[int, list[str]]:
    """How many runs were ended, and in words what could not be."""
    try:
        return await end_code(services, environment), []
    except (OSError, TimeoutError) as error:
        log.warning("code in environment not ended", environment_id=environment.id, reason=str(error))
        left = await asyncio.to_thread(code_remaining, services, environment)
        why = "does not end" if left or isinstance(error, TimeoutError) else refused(error)
        return 0, [f"code ({len(left)} of its processes): {why}"]


async def _resources(services: Services, environment: Environment) -> list[Resource]:
    """What it is made of, in the order in which it is removed."""
    found = await environment_resources.of_environments(services.store, environment.tenant_id, [environment.id])
    return sorted(found[environment.id], key=lambda each: ORDER.index(each.kind))


async def _why_not_gone(services: Services, environment: Environment, resource: Resource) -> str | None:
    """Remove a part and look for it: None when it is absent, also when it was before."""
    try:
        await remove(services, environment.namespace, resource)
        return "it is still there" if await is_there(services, environment.namespace, resource) else None
    except UnavailableError as error:
        reason, told = error.message, UNREACHED
    except DependedOnError as error:
        reason, told = str(error), STILL_OWNS
    except OSError as error:
        reason, told = str(error), refused(error)
    except Exception:
        log.exception("environment not removed because of a defect", environment_id=environment.id)
        return "a defect in this service"
    log.warning("environment not removed", environment_id=environment.id, part=resource.locator, reason=reason)
    return told


async def _note_gone(services: Services, environment: Environment, resource: Resource) -> None:
    if resource.status is ResourceStatus.REMOVED:
        return
    store, tenant_id = services.store, environment.tenant_id
    progress = round(0.2 + 0.15 * ORDER.index(resource.kind), 2)
    draft = EnvironmentEventDraft(
        EnvironmentStatus.DELETING,
        resource.key,
        f"Its {WORDS[resource.kind]}: removed, and seen to be absent.",
        progress,
    )

    async def change() -> Changed:
        changed = await environment_care.stepped(store, environment, draft)
        await environment_resources.removed(store, tenant_id, environment.id, resource.key)
        return changed

    await tell(services, tenant_id, change)


async def _stuck(services: Services, environment: Environment, remaining: list[str]) -> None:
    """Give up for now; people are told the first time."""
    pause = timedelta(seconds=AGAIN_AFTER_S[min(environment.attempts, len(AGAIN_AFTER_S) - 1)])
    left = "; ".join(remaining)
    draft = EnvironmentEventDraft(
        EnvironmentStatus.DELETE_STUCK, "stuck", f"Something cannot be removed yet, and is tried again: {left}.", 0.9
    )
    first = environment.attempts == 0
    await tell(
        services,
        environment.tenant_id,
        lambda: environment_care.stuck(services.store, environment, remaining, pause, draft),
        notice=(lambda now: _stuck_notice(now, left)) if first else None,
        entry=(lambda _: Entry(AuditAction.ENVIRONMENT_DELETE_STUCK, details={"remaining": remaining}))
        if first
        else None,
    )


def _stuck_notice(environment: Environment, left: str) -> Notice:
    return Notice(
        NotificationKind.ENVIRONMENT_DELETE_STUCK,
        f"Environment not removed yet: {environment.name}",
        f"Left are: {left}. It is tried again until nothing is left.",
    )


async def _gone(services: Services, environment: Environment, processes_ended: int) -> None:
    store = services.store
    draft = EnvironmentEventDraft(EnvironmentStatus.DELETED, "deleted", "Nothing of it is left but this record.", 1.0)

    async def change() -> Changed:
        now = await store.now()
        receipt = receipt_of(environment, await _resources(services, environment), now, processes_ended)
        return await environment_care.deleted(store, environment, milliseconds(now), receipt, draft)

    await tell(
        services,
        environment.tenant_id,
        change,
        entry=lambda now: Entry(
            AuditAction.ENVIRONMENT_DELETED,
            reason=ENDED[now.ended_by or Ending.PERSON],
            details={"name": now.name, "receiptSha256": now.receipt_digest},
        ),
    )
