"""Changes of an environment that nobody asked for: made, told and put on record in one transaction."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import Environment
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations.announce import announce_environment
from windtunnel.operations.audit_trail import record
from windtunnel.operations.environment_changes import Changed
from windtunnel.operations.notify import Announcement, announce_notifications, notify
from windtunnel.operations.services import Services


@dataclass(frozen=True, slots=True)
class Notice:
    """What the person is told who asked for the environment."""

    kind: NotificationKind
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What the audit log says."""

    action: AuditAction
    reason: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


async def tell(
    services: Services,
    tenant_id: str,
    change: Callable[[], Awaitable[Changed | None]],
    *,
    notice: Callable[[Environment], Notice] | None = None,
    entry: Callable[[Environment], Entry] | None = None,
) -> Environment | None:
    """Make a change, and tell whoever follows, the creator, and the audit log of it; None when it was not made.

    Whatever `change` raises comes out, and nothing has changed.
    """
    services = services.home
    announcement = None
    async with services.store.transaction(tenant_id):
        changed = await change()
        if changed is None:
            return None
        environment, event = changed
        if notice is not None:
            announcement = await _told_creator(services, environment, notice(environment))
        if entry is not None:
            made = entry(environment)
            await record(
                services,
                None,
                tenant_id,
                made.action,
                Subject(Kind.ENVIRONMENT, environment.id),
                reason=made.reason,
                details=made.details,
                request_id=environment.request_id,
            )
    if event is not None:
        await announce_environment(services.bus, environment.id, [event])
    if announcement is not None:
        await announce_notifications(services.bus, announcement)
    return environment


async def _told_creator(services: Services, environment: Environment, notice: Notice) -> Announcement:
    return await notify(
        services,
        environment.tenant_id,
        notice.kind,
        title=notice.title,
        body=notice.body,
        subject=Subject(Kind.ENVIRONMENT, environment.id),
        recipients=[environment.created_by],
    )
