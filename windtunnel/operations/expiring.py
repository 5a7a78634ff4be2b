"""What happens to environments at a certain time: a warning, the end, or too long a wait for one to be made."""

from collections.abc import Awaitable, Callable

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.environments import Environment, EnvironmentEventDraft, EnvironmentStatus
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations.environment_changes import Changed
from windtunnel.operations.provisioning import failure_entry, failure_notice, said
from windtunnel.operations.services import Services
from windtunnel.operations.tell_environment import Entry, Notice, tell
from windtunnel.storage import environment_times
from windtunnel.storage.environment_times import Due, DueEnvironment

TOO_SLOW = "It could not be made within five minutes."
LOST = "It has lost what it is made of: {}."


async def come_due(services: Services, due: DueEnvironment) -> bool:
    """Do what an environment is due for; False when it was done by somebody else, or has to be claimed first."""
    done = _DONE.get(due.due)
    return done is not None and await done(services, due.tenant_id, due.id)


async def expire(services: Services, tenant_id: str, id: str) -> bool:
    """READY or PAUSED -> EXPIRING, if its time is over."""
    draft = EnvironmentEventDraft(
        EnvironmentStatus.EXPIRING, "expiring", "Its time is over: what runs in it is ended, then it is removed.", 0.0
    )
    changed = await tell(
        services,
        tenant_id,
        lambda: environment_times.expired(services.store, tenant_id, id, draft),
        notice=lambda now: Notice(
            NotificationKind.ENVIRONMENT_EXPIRED,
            f"Environment expired: {now.name}",
            "Its time is over, and it is being removed with all that is in it.",
        ),
        entry=lambda now: Entry(AuditAction.ENVIRONMENT_EXPIRED, details={"expiresAt": now.expires_at}),
    )
    return changed is not None


async def give_up(services: Services, tenant_id: str, id: str) -> bool:
    """PROVISIONING -> FAILED, if it takes too long."""
    draft = EnvironmentEventDraft(EnvironmentStatus.FAILED, "failed", TOO_SLOW, 1.0)
    changed = await tell(
        services,
        tenant_id,
        lambda: environment_times.overdue(services.store, tenant_id, id, TOO_SLOW, draft),
        notice=failure_notice,
        entry=failure_entry,
    )
    return changed is not None


async def lose(services: Services, environment: Environment, what: str) -> bool:
    """READY or PAUSED -> FAILED: a part of it is not there any more."""
    failure = LOST.format(what)
    draft = EnvironmentEventDraft(EnvironmentStatus.FAILED, "failed", failure, 1.0)
    changed = await tell(
        services,
        environment.tenant_id,
        lambda: environment_times.lost(services.store, environment.tenant_id, environment.id, failure, draft),
        notice=failure_notice,
        entry=failure_entry,
    )
    return changed is not None


async def warn(services: Services, tenant_id: str, id: str, hours: int) -> bool:
    """Tell the creator that the environment's time is over in 24 hours, or in one, unless they were told."""
    soon = "one hour" if hours == 1 else f"{hours} hours"

    async def change() -> Changed | None:
        environment = await environment_times.warned(services.store, tenant_id, id, hours)
        return None if environment is None else (environment, None)

    warned = await tell(
        services,
        tenant_id,
        change,
        notice=lambda now: Notice(
            NotificationKind.ENVIRONMENT_EXPIRING,
            f"Less than {soon} left: {now.name}",
            f"Its time is over at {said(now.expires_at)}. Then it is removed with all that is in it.",
        ),
    )
    return warned is not None


async def _warn_of_last_day(services: Services, tenant_id: str, id: str) -> bool:
    return await warn(services, tenant_id, id, 24)


async def _warn_of_last_hour(services: Services, tenant_id: str, id: str) -> bool:
    return await warn(services, tenant_id, id, 1)


_DONE: dict[Due, Callable[[Services, str, str], Awaitable[bool]]] = {
    Due.OVERDUE: give_up,
    Due.EXPIRED: expire,
    Due.LAST_HOUR: _warn_of_last_hour,
    Due.LAST_DAY: _warn_of_last_day,
}
